package doccheck

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// index knows what the module declares, as package.Name and package.Type.Member, with
// the package's directory below the root.
type index struct {
	code  map[string][]string // name to the directories that declare it
	tests map[string][]string
	files map[string]bool
}

func newIndex() *index {
	return &index{code: map[string][]string{}, tests: map[string][]string{}, files: map[string]bool{}}
}

// declarations reads every Go file of every module below the root.
func declarations(t *testing.T) *index {
	t.Helper()
	x := newIndex()
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && path != root && (name[0] == '.' || name == "testdata") {
			return filepath.SkipDir
		}
		rel, err := filepath.Rel(root, path)
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return x.add(filepath.ToSlash(rel), src)
	})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// add enters what one file declares.
func (x *index) add(file string, src []byte) error {
	f, err := parser.ParseFile(token.NewFileSet(), file, src, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	x.files[file] = true
	dir := file[:max(0, strings.LastIndexByte(file, '/'))]
	enter := func(names map[string][]string, parts ...string) {
		name := strings.Join(append([]string{dir[strings.LastIndexByte(dir, '/')+1:]}, parts...), ".")
		names[name] = append(names[name], dir)
	}
	test := strings.HasSuffix(file, "_test.go")
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		switch {
		case test && ok && fn.Recv == nil && isTest(fn.Name.Name):
			enter(x.tests, fn.Name.Name)
		case test: // what only tests declare is not what we do
		case ok && fn.Recv == nil:
			enter(x.code, fn.Name.Name)
		case ok:
			enter(x.code, receiver(fn.Recv.List[0].Type), fn.Name.Name)
		default:
			for _, spec := range d.(*ast.GenDecl).Specs {
				switch s := spec.(type) {
				case *ast.ValueSpec:
					for _, n := range s.Names {
						enter(x.code, n.Name)
					}
				case *ast.TypeSpec:
					enter(x.code, s.Name.Name)
					for _, member := range members(s.Type) {
						enter(x.code, s.Name.Name, member)
					}
				}
			}
		}
	}
	return nil
}

func isTest(name string) bool {
	return strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz")
}

// receiver is the name of a method's type.
func receiver(e ast.Expr) string {
	for {
		switch v := e.(type) {
		case *ast.StarExpr:
			e = v.X
		case *ast.IndexExpr:
			e = v.X
		case *ast.IndexListExpr:
			e = v.X
		case *ast.Ident:
			return v.Name
		default:
			return ""
		}
	}
}

// members are the fields of a struct and the methods of an interface.
func members(e ast.Expr) (names []string) {
	var list *ast.FieldList
	switch v := e.(type) {
	case *ast.StructType:
		list = v.Fields
	case *ast.InterfaceType:
		list = v.Methods
	default:
		return nil
	}
	for _, f := range list.List {
		for _, n := range f.Names {
			names = append(names, n.Name)
		}
	}
	return names
}

// has reports whether name is declared. It may be qualified by a part of its package's
// path, as in bench/differential.FuzzReceive.
func has(names map[string][]string, name string) bool {
	i := strings.LastIndexByte(name, '/')
	dirs := names[name[i+1:]]
	if i < 0 {
		return len(dirs) > 0
	}
	path, _, _ := strings.Cut(name, ".")
	return slices.ContainsFunc(dirs, func(dir string) bool {
		return strings.HasSuffix("/"+dir, "/"+path)
	})
}
