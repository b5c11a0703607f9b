package conn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/internal/testtls"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// tlsProxy accepts one connection over TLS, copies what is inside to the address and
// back, and records what came from the client. If addr is "", it answers with text.
func tlsProxy(t *testing.T, addr, text string) (dial func(context.Context, string, string) (net.Conn, error), inside func() string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sc, cc := testtls.Configs(tls.VersionTLS12)
	var seen strings.Builder
	done := make(chan struct{})
	go func() {
		defer close(done)
		nc, err := ln.Accept()
		if err != nil {
			return
		}
		from := tls.Server(nc, sc)
		defer from.Close()
		if addr == "" {
			p := make([]byte, 4096)
			n, _ := from.Read(p)
			seen.Write(p[:n])
			_, _ = io.WriteString(from, text)
			return
		}
		to, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		back := make(chan struct{})
		go func() { defer close(back); _, _ = io.Copy(from, to); _ = from.Close() }()
		_, _ = io.Copy(io.MultiWriter(to, &seen), from)
		_ = to.Close()
		<-back
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&tls.Dialer{Config: cc}).DialContext(ctx, network, ln.Addr().String())
	}
	return dial, func() string { <-done; return seen.String() }
}

// TestWSSThroughATLSProxyIsEncryptedToTheTarget: TLS to a proxy is not TLS to the
// URL's host.
func TestWSSThroughATLSProxyIsEncryptedToTheTarget(t *testing.T) {
	url, o := serve(t, echoHandler(nil), true, true)
	dial, inside := tlsProxy(t, strings.TrimPrefix(url, "wss://"), "")
	o.NetDial = dial
	c, _, err := Dial(bg, strings.Replace(url, "wss://", "wss://user:secret@", 1), o)
	if err != nil {
		t.Fatal(err)
	}
	if state, ok := c.TLS(); !ok || state.Version != tls.VersionTLS13 {
		t.Errorf("TLS reports version %x, which is the proxy's", state.Version)
	}
	want := strings.Repeat("through ", 10_000)
	if err := c.Write(bg, Text, []byte(want)); err != nil {
		t.Fatal(err)
	}
	if _, p, err := c.Read(bg); string(p) != want || err != nil {
		t.Errorf("%d bytes, %v", len(p), err)
	}
	if err := c.Close(StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	got := inside()
	if !strings.HasPrefix(got, "\x16\x03\x01") || strings.Contains(got, "Authorization") || strings.Contains(got, "GET ") {
		t.Errorf("the proxy could read %.60q", got)
	}
}

// TestWSSChecksTheTargetBehindATLSProxy: the proxy's certificate, which is good, does
// not stand for the target's.
func TestWSSChecksTheTargetBehindATLSProxy(t *testing.T) {
	url, _ := serve(t, echoHandler(nil), true, true)
	dial, _ := tlsProxy(t, strings.TrimPrefix(url, "wss://"), "")
	_, _, err := Dial(bg, url, &DialOptions{NetDial: dial})
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &unknown) {
		t.Errorf("got %v", err)
	}
}

// TestATargetWithoutTLSBehindATLSProxyIsExplained, as somebody may have expected NetDial's
// TLS to count; nothing of the request is sent.
func TestATargetWithoutTLSBehindATLSProxyIsExplained(t *testing.T) {
	dial, inside := tlsProxy(t, "", "HTTP/1.1 400 Bad Request\r\n\r\n")
	_, _, err := Dial(bg, "wss://user:secret@localhost/", &DialOptions{NetDial: dial})
	v, ok := errors.AsType[*tlsconf.VerifyError](err)
	if !ok || v.Reason != tlsconf.NotTLS || !strings.Contains(err.Error(), "use NetDialTLS or Client") {
		t.Errorf("got %v", err)
	}
	if got := inside(); strings.Contains(got, "GET") || strings.Contains(got, "Authorization") {
		t.Errorf("sent %q", got)
	}
}

// TestWSGoesThroughATLSConnectionAsItIs: ws asks for no TLS, and what NetDial returns
// may have some.
func TestWSGoesThroughATLSConnectionAsItIs(t *testing.T) {
	url, _ := serve(t, echoHandler(nil), false, true)
	dial, inside := tlsProxy(t, strings.TrimPrefix(url, "ws://"), "")
	c, _, err := Dial(bg, url, &DialOptions{NetDial: dial})
	if err != nil {
		t.Fatal(err)
	}
	if state, ok := c.TLS(); !ok || state.Version != tls.VersionTLS12 {
		t.Errorf("TLS reports %v, version %x, want the proxy's", ok, state.Version)
	}
	_ = c.Write(bg, Text, []byte("plain"))
	if _, p, err := c.Read(bg); string(p) != "plain" || err != nil {
		t.Errorf("%q, %v", p, err)
	}
	_ = c.Close(StatusNormalClosure, "")
	if got := inside(); !strings.HasPrefix(got, "GET / HTTP/1.1\r\n") {
		t.Errorf("the proxy saw %.40q", got)
	}
}

// TestNetDialMustReturnSomething: neither a connection nor an error is an error.
func TestNetDialMustReturnSomething(t *testing.T) {
	none := func(context.Context, string, string) (net.Conn, error) { return nil, nil }
	for _, scheme := range []string{"ws", "wss"} {
		if _, _, err := Dial(bg, scheme+"://localhost/", &DialOptions{NetDial: none}); err == nil {
			t.Errorf("%s: no error", scheme)
		}
	}
}
