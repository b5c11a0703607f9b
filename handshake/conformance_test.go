package handshake

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// These show what docs/conformance.md claims and no other test does.

// TestCharactersOfThePathAreEscaped as UTF-8, and so is a "#" that begins no fragment
// (RFC 6455 §3, §11.1.1).
func TestCharactersOfThePathAreEscaped(t *testing.T) {
	for text, want := range map[string]string{
		"wss://example.com/grüße/日":  "/gr%C3%BC%C3%9Fe/%E6%97%A5",
		"wss://example.com/a%23b":    "/a%23b",
		"wss://example.com/a?b=%23c": "/a?b=%23c",
		"wss://example.com/a b":      "/a%20b",
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		c, err := NewRequest(u, nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if line, _, _ := strings.Cut(string(c.Append(nil)), "\r\n"); line != "GET "+want+" HTTP/1.1" {
			t.Errorf("%s: %q", text, line)
		}
	}
	c, err := NewRequest(&url.URL{Scheme: "wss", Host: "example.com", Path: "/a#b"}, nil)
	if err != nil || !strings.HasPrefix(string(c.Append(nil)), "GET /a%23b HTTP/1.1\r\n") {
		t.Errorf("a path with #: %v", err)
	}
}

// TestFieldsOfTheHandshakeAreSentOnce (RFC 6455 §11.3.1 to §11.3.5).
func TestFieldsOfTheHandshakeAreSentOnce(t *testing.T) {
	extensions := []Extension{{Name: "a"}, {Name: "b"}}
	c, err := NewRequest(&url.URL{Scheme: "wss", Host: "example.com"},
		&ClientOptions{Subprotocols: []string{"x", "y"}, Extensions: extensions, Header: http.Header{"X-A": {"1", "2"}}})
	if err != nil {
		t.Fatal(err)
	}
	a := Agreement{Subprotocol: "x", Extensions: extensions, key: sampleKey}
	for name, head := range map[string]string{"request": string(c.Append(nil)), "response": string(a.AppendResponse(nil))} {
		seen := map[string]bool{}
		for line := range strings.SplitSeq(head, "\r\n") {
			field, _, ok := strings.Cut(line, ":")
			if ok && field != "X-A" && seen[field] {
				t.Errorf("%s: %s stands there twice", name, field)
			}
			seen[field] = true
		}
		for _, field := range []string{"Upgrade", "Connection", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"} {
			if !seen[field] {
				t.Errorf("%s: no %s", name, field)
			}
		}
	}
}

// TestBlanksAroundTheAcceptKeyAreIgnored (RFC 6455 §4.1), as around every value.
func TestBlanksAroundTheAcceptKeyAreIgnored(t *testing.T) {
	var p ResponseReader
	_, done, err := p.Feed([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade:  websocket\t\r\nConnection:Upgrade\r\n" +
		"Sec-WebSocket-Accept: \t " + sampleAccept + " \t\r\n\r\n"))
	if !done || err != nil {
		t.Fatal(done, err)
	}
	if _, err := sampleRequest().Check(p.Response()); err != nil {
		t.Error(err)
	}
}
