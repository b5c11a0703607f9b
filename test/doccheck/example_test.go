package doccheck

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// newcomers are the packages that a user meets first, and whether the functions need examples: handshake is for those who know the protocol.
var newcomers = map[string]bool{
	"conn": true, "conntest": true, "frame": true, "handshake": false, "mask": true, "observe": true, "observe/expvar": true, "observe/otel": true,
	"observe/prometheus": true, "observe/slog": true, "pubsub": true, "pubsub/client": true, "pubsub/nats": true, "reconnect": true, "tlsconf": true,
	"wsjson": true, "autobahn/suite": false, "autobahn/suite/suitetest": false,
}

// TestPackagesSayWhatIsEnough: their documentation has "for most uses", and each exported function is called by an example.
func TestPackagesSayWhatIsEnough(t *testing.T) {
	for dir, functions := range newcomers {
		files := token.NewFileSet()
		var sources []*ast.File
		names, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %q, %v", dir, names, err)
		}
		for _, name := range names {
			f, err := parser.ParseFile(files, name, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			sources = append(sources, f)
		}
		p, err := doc.NewFromFiles(files, sources, "example.com/"+dir)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.ToLower(strings.ReplaceAll(p.Doc, "\n", " ")), "for most uses") {
			t.Errorf("the documentation of %s does not say what is enough for most uses", dir)
		}
		called := calls(doc.Examples(sources...), p.Name)
		all := p.Funcs
		for _, typ := range p.Types {
			all = append(all, typ.Funcs...)
		}
		for _, f := range all {
			if functions && !called[f.Name] {
				t.Errorf("no example calls %s.%s", p.Name, f.Name)
			}
		}
	}
}

// calls returns the names of a package's functions that examples mention.
func calls(examples []*doc.Example, pkg string) map[string]bool {
	called := map[string]bool{}
	for _, e := range examples {
		ast.Inspect(e.Code, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && strings.HasSuffix(x.Name, pkg) { // an import may have another name, such as wssslog
					called[s.Sel.Name] = true
				}
			}
			return true
		})
	}
	return called
}
