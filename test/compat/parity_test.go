package main

import (
	"errors"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	theirs "github.com/gorilla/websocket"

	wss "github.com/seed-c4549abd/wss/compat/gorilla"
)

const dropIn = "github.com/seed-c4549abd/wss/compat/gorilla"

// TestTheAPIIsTheSame compares what the two packages export: names, types, constants and their values, exported fields, and
// methods with their signatures.
func TestTheAPIIsTheSame(t *testing.T) {
	source := importer.ForCompiler(token.NewFileSet(), "source", nil)
	want, err := source.Import(original)
	if err != nil {
		t.Fatal(err)
	}
	got, err := source.Import(dropIn)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, api(want), api(got))
}

func compare(t *testing.T, want, got []string) {
	t.Helper()
	if len(want) < 90 {
		t.Errorf("only %d names are exported", len(want))
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("missing: %s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("not in the original: %s", line)
		}
	}
}

// api has a line for each name that a package exports, each field and each method.
func api(pkg *types.Package) (lines []string) {
	in := func(p *types.Package) string {
		if p == pkg {
			return ""
		}
		return p.Path()
	}
	add := func(prefix string, o types.Object) {
		line := prefix + types.ObjectString(o, in)
		if c, ok := o.(*types.Const); ok {
			line = prefix + "const " + c.Name() + " = " + c.Val().ExactString()
		}
		lines = append(lines, strings.ReplaceAll(line, "interface{}", "any"))
	}
	for _, name := range pkg.Scope().Names() {
		o := pkg.Scope().Lookup(name)
		if !o.Exported() {
			continue
		}
		typeName, isType := o.(*types.TypeName)
		if !isType {
			add("", o)
			continue
		}
		switch under := typeName.Type().Underlying().(type) {
		case *types.Struct:
			lines = append(lines, "type "+name+" struct")
			for field := range under.Fields() {
				if field.Exported() {
					add(name+": ", field)
				}
			}
		default:
			lines = append(lines, "type "+name+" "+strings.ReplaceAll(types.TypeString(under, in), "interface{}", "any"))
		}
		for _, typ := range []types.Type{typeName.Type(), types.NewPointer(typeName.Type())} {
			for method := range types.NewMethodSet(typ).Methods() {
				if method.Obj().Exported() {
					add("method of "+types.TypeString(typ, in)+": ", method.Obj())
				}
			}
		}
	}
	return lines
}

// TestTextsAreTheSame compares what programs may show, log and compare.
func TestTextsAreTheSame(t *testing.T) {
	same := func(what string, want, got any) {
		t.Helper()
		if want != got {
			t.Errorf("%s: %#v, the original has %#v", what, got, want)
		}
	}
	same("ErrBadHandshake", theirs.ErrBadHandshake.Error(), wss.ErrBadHandshake.Error())
	same("ErrCloseSent", theirs.ErrCloseSent.Error(), wss.ErrCloseSent.Error())
	same("ErrReadLimit", theirs.ErrReadLimit.Error(), wss.ErrReadLimit.Error())
	same("DefaultDialer.HandshakeTimeout", theirs.DefaultDialer.HandshakeTimeout, wss.DefaultDialer.HandshakeTimeout)
	for code := 999; code < 1020; code++ {
		for _, text := range []string{"", "reason"} {
			same("CloseError", (&theirs.CloseError{Code: code, Text: text}).Error(), (&wss.CloseError{Code: code, Text: text}).Error())
			same("FormatCloseMessage", string(theirs.FormatCloseMessage(code, text)), string(wss.FormatCloseMessage(code, text)))
		}
	}
	for _, codes := range [][]int{nil, {1000}, {1001, 1000}} {
		same("IsCloseError", theirs.IsCloseError(&theirs.CloseError{Code: 1000}, codes...), wss.IsCloseError(&wss.CloseError{Code: 1000}, codes...))
		same("IsUnexpectedCloseError", theirs.IsUnexpectedCloseError(&theirs.CloseError{Code: 1000}, codes...),
			wss.IsUnexpectedCloseError(&wss.CloseError{Code: 1000}, codes...))
		same("IsUnexpectedCloseError of another error", theirs.IsUnexpectedCloseError(io.EOF, codes...), wss.IsUnexpectedCloseError(io.EOF, codes...))
	}
}

// TestRefusalsAreTheSame compares how an Upgrader refuses requests.
func TestRefusalsAreTheSame(t *testing.T) {
	good := func() *http.Request {
		return &http.Request{Method: http.MethodGet, Host: "host", Header: http.Header{
			"Upgrade": {"websocket"}, "Connection": {"keep-alive, Upgrade"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
		}}
	}
	for name, change := range map[string]func(*http.Request){
		"nothing wrong, but no hijacker": func(*http.Request) {},
		"no Connection":                  func(r *http.Request) { r.Header.Del("Connection") },
		"no Upgrade":                     func(r *http.Request) { r.Header.Del("Upgrade") },
		"another method":                 func(r *http.Request) { r.Method = http.MethodPost },
		"another version":                func(r *http.Request) { r.Header.Set("Sec-Websocket-Version", "8") },
		"no key":                         func(r *http.Request) { r.Header.Del("Sec-Websocket-Key") },
		"a short key":                    func(r *http.Request) { r.Header.Set("Sec-Websocket-Key", "AAAA") },
		"another origin":                 func(r *http.Request) { r.Header.Set("Origin", "https://other") },
		"an origin that is no URL":       func(r *http.Request) { r.Header.Set("Origin", "https://%") },
		"the same origin":                func(r *http.Request) { r.Header.Set("Origin", "https://HOST") },
	} {
		t.Run(name, func(t *testing.T) {
			r := good()
			change(r)
			w, v := new(answer), new(answer)
			_, want := (&theirs.Upgrader{}).Upgrade(w, r, nil)
			_, got := (&wss.Upgrader{}).Upgrade(v, r, nil)
			if want.Error() != got.Error() || w.status != v.status || w.body != v.body || w.Header().Get("Sec-Websocket-Version") != v.Header().Get("Sec-Websocket-Version") {
				t.Errorf("%q, %d %q; the original: %q, %d %q", got, v.status, v.body, want, w.status, w.body)
			}
			if _, ok := errors.AsType[wss.HandshakeError](got); !ok {
				t.Errorf("%T is no HandshakeError", got)
			}
		})
	}
}

// answer is a ResponseWriter.
type answer struct {
	header http.Header
	status int
	body   string
}

func (a *answer) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { a.body += string(p); return len(p), nil }
