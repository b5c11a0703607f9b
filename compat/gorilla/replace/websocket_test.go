package websocket

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	wss "github.com/seed-c4549abd/wss/compat/gorilla"
)

// TestEveryNameIsForwarded compares the names that the two packages declare.
func TestEveryNameIsForwarded(t *testing.T) {
	want, got := exported(t, ".."), exported(t, ".")
	if !slices.Equal(want, got) {
		t.Errorf("this package has\n%v\nand the other\n%v", got, want)
	}
}

// exported returns what a package declares, without methods.
func exported(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	add := func(id *ast.Ident) {
		if id.IsExported() {
			names = append(names, id.Name)
		}
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					add(d.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						add(spec.Name)
					case *ast.ValueSpec:
						for _, id := range spec.Names {
							add(id)
						}
					}
				}
			}
		}
	}
	slices.Sort(names)
	return names
}

// TestValuesPass from one package to the other.
func TestValuesPass(t *testing.T) {
	var theirs *wss.CloseError = &CloseError{Code: CloseGoingAway, Text: "bye"}
	if !IsCloseError(theirs, CloseGoingAway) || IsUnexpectedCloseError(theirs, CloseGoingAway) {
		t.Error("a *CloseError of one package is none of the other")
	}
	if ErrCloseSent != wss.ErrCloseSent || ErrBadHandshake != wss.ErrBadHandshake || ErrReadLimit != wss.ErrReadLimit || DefaultDialer != wss.DefaultDialer {
		t.Error("the variables have different values")
	}
	if !bytes.Equal(FormatCloseMessage(1000, "x"), wss.FormatCloseMessage(1000, "x")) {
		t.Error("FormatCloseMessage differs")
	}
	r := &http.Request{Header: http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Protocol": {"a, b"}}}
	if !IsWebSocketUpgrade(r) || !slices.Equal(Subprotocols(r), []string{"a", "b"}) {
		t.Error("a request is not read")
	}
	if _, err := NewPreparedMessage(TextMessage, []byte{0xff}); err == nil {
		t.Error("NewPreparedMessage took text that is not UTF-8")
	}
}
