package main

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// What gorilla's tests use that is not public, made of what is.
//
//go:embed shim.txt
var shim []byte

// dropped are gorilla's tests that cannot be run with the drop-in, and why.
var dropped = []struct{ test, reason string }{
	{"TestMaskBytes", "calls the unexported maskBytes"},
	{"BenchmarkMaskBytes", "calls the unexported maskBytes"},
	{"TestHostPortNoPort", "calls the unexported hostPortNoPort"},
	{"TestEqualASCIIFold", "calls the unexported equalASCIIFold"},
	{"TestTokenListContainsValue", "calls the unexported tokenListContainsValue"},
	{"TestIsValidChallengeKey", "calls the unexported isValidChallengeKey"},
	{"TestParseExtensions", "calls the unexported parseExtensions"},
	{"TestTruncWriter", "is about the unexported truncWriter"},
	{"TestWriteBufferPool", "looks at the unexported buffer of a connection and at what a pool holds"},
	{"TestWriteBufferPoolError", "looks at the unexported buffer of a connection and at what a pool holds"},
	{"TestBufioReuse", "looks at the unexported buffers of a connection"},
	{"TestPreparedMessage", "compares frames that a seeded math/rand has masked, with compression set in an unexported field; masking keys are from crypto/rand here"},
	{"TestConcurrentWritePanic", "wants a panic that is not documented; concurrent writes work here"},
	{"BenchmarkWriteWithCompression", "sets unexported fields"},
	{"BenchmarkBroadcast", "sets unexported fields"},
}

// droppedFiles have nothing else in them.
var droppedFiles = []string{"mask_test.go", "util_test.go", "client_test.go", "prepared_test.go", "conn_broadcast_test.go"}

// isDropped reports whether a test of gorilla's is not run.
func isDropped(name string) bool {
	pkg, test, _ := strings.Cut(name, " ")
	test, _, _ = strings.Cut(test, "/")
	return pkg == original && slices.ContainsFunc(dropped, func(d struct{ test, reason string }) bool { return d.test == test })
}

// edits change two tests. TestFraming sends bytes that are no UTF-8 as text, and sets unexported fields for what the opening
// handshake agrees on. TestReadLimit wants a client's WriteMessage to send fragments, as NextWriter does; here it sends one frame.
var edits = map[string][][2]string{
	"TestReadLimit": {
		{"wc.WriteMessage(BinaryMessage, message[:readLimit+1])", "w, _ = wc.NextWriter(BinaryMessage)\nw.Write(message[:readLimit+1])\nw.Close()"},
	},
	"TestFraming": {
		{"TextMessage", "BinaryMessage"},
		{"wc.newCompressionWriter = compressNoContextTakeover", ""},
		{"rc.newDecompressionReader = decompressNoContextTakeover", ""},
		{"var connBuf bytes.Buffer", "withCompression = compress\nvar connBuf bytes.Buffer"},
		{"frameSizes := []int{", "defer func() { withCompression = false }()\nframeSizes := []int{"},
	},
}

// prepareOwn makes the package of aliases of dir, and gives it gorilla's tests.
func (l *laboratory) prepareOwn(from, dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(l.root, "compat/gorilla/replace"))); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, "websocket_test.go")); err != nil { // of that package itself
		return err
	}
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return err
	}
	mod = []byte(strings.Replace(string(mod), "=> ../../..", "=> "+l.root, 1))
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), mod, 0o644); err != nil {
		return err
	}
	tests, err := filepath.Glob(filepath.Join(from, "*_test.go"))
	if err != nil {
		return err
	}
	for _, file := range tests {
		if slices.Contains(droppedFiles, filepath.Base(file)) {
			continue
		}
		src, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if src, err = cut(src); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), src, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "shim_test.go"), shim, 0o644)
}

// cut removes the dropped tests of a file, edits others, and removes imports that nothing uses any more.
func cut(src []byte) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	last := 0
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		begin, end := fset.Position(f.Pos()).Offset, fset.Position(f.End()).Offset
		out.Write(src[last:begin])
		last = end
		body := string(src[begin:end])
		if isDropped(original + " " + f.Name.Name) {
			continue
		}
		for _, edit := range edits[f.Name.Name] {
			if !strings.Contains(body, edit[0]) {
				return nil, fmt.Errorf("%s has no %q", f.Name.Name, edit[0])
			}
			body = strings.ReplaceAll(body, edit[0], edit[1])
		}
		out.WriteString(body)
	}
	out.Write(src[last:])
	return withoutUnusedImports([]byte(out.String()))
}

func withoutUnusedImports(src []byte) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				used[x.Name] = true
			}
		}
		return true
	})
	lines := strings.Split(string(src), "\n")
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if spec.Name == nil && !used[filepath.Base(path)] {
			lines[fset.Position(spec.Pos()).Line-1] = ""
		}
	}
	return format.Source([]byte(strings.Join(lines, "\n")))
}
