package conn

import (
	"net/http"
	"strings"
	"testing"
)

// FuzzLocation: whatever a server redirects to, the request is refused or goes to a wss URL, and credentials to the same origin only.
func FuzzLocation(f *testing.F) {
	for _, location := range []string{
		"/b", "../c?d#e", "//other.example", "wss://other.example:444/", "https://home.example/x", "ws://home.example", "HTTPS://HOME.example:443",
		"wss://home.example@other.example", "wss:other", "\\\\other.example", "https:///home.example", "wss://home.example:443@x", "javascript:1", "wss://h\u00f6me.example",
	} {
		f.Add(location)
	}
	f.Fuzz(func(t *testing.T, location string) {
		o := &DialOptions{MaxRedirects: 1, Header: http.Header{"Authorization": {"Basic secret"}, "Cookie": {"a=secret"}, "X-Key": {"secret"}}}
		a, err := o.attempt("wss://user:secret@home.example/a/b")
		if err != nil {
			t.Fatal(err)
		}
		next, problem := a.redirected(&http.Response{Header: http.Header{"Location": {location}}})
		if (next == nil) != (problem != "") {
			t.Fatalf("%v, %q", next, problem)
		}
		if next == nil {
			return
		}
		head := string(next.request.Append(nil))
		host := strings.TrimSuffix(head[strings.Index(head, "Host: ")+6:strings.Index(head, "\r\nUpgrade")], "\r\n")
		same := address(next.u) == "home.example:443"
		if next.u.Scheme != "wss" || next.crossOrigin == same || same != (host == "home.example") {
			t.Errorf("%q leads to %v, Host %s, foreign: %v", location, next.u, host, next.crossOrigin)
		}
		if strings.Contains(head, "secret") != same && !strings.Contains(location, "secret") {
			t.Errorf("%q: sent %q", location, head)
		}
		if strings.Count(head, "\r\n\r\n") != 1 || strings.Count(head, "\nHost:") != 1 {
			t.Errorf("%q: sent %q", location, head)
		}
	})
}
