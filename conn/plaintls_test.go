package conn

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/internal/testtls"
)

// TestWSAtAPortOfTLSIsExplained, however the server there takes plaintext.
func TestWSAtAPortOfTLSIsExplained(t *testing.T) {
	sc, _ := testtls.Configs(tls.VersionTLS13)
	page := "HTTP/1.1 400 Bad Request\r\nContent-Length: "
	for _, tt := range []struct {
		name  string
		serve func(nc net.Conn)
		token string
	}{
		{"net/http", nil, "plain_to_tls"},
		{"an alert", func(nc net.Conn) { _, _ = nc.Write([]byte{0x15, 3, 1, 0, 2, 2, 70}) }, "plain_to_tls"},
		{"a handshake record", func(nc net.Conn) { _, _ = nc.Write([]byte{0x16, 3, 3, 0, 2, 2, 70}) }, "plain_to_tls"},
		{"nginx", func(nc net.Conn) {
			_, _ = io.WriteString(nc, page+"81\r\n\r\n<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head>")
		}, "plain_to_tls"},
		{"Apache httpd", func(nc net.Conn) {
			_, _ = io.WriteString(nc, page+"80\r\n\r\nReason: You're speaking plain HTTP to an SSL-enabled server port.<br />\n Instead..")
		}, "plain_to_tls"},
		{"Tomcat", func(nc net.Conn) {
			_, _ = io.WriteString(nc, page+"62\r\n\r\nBad Request\nThis combination of host and port requires TLS.\n\n\n")
		}, "plain_to_tls"},
		{"crypto/tls alone, which says nothing", func(nc net.Conn) { _ = tls.Server(nc, sc).Handshake() }, ""},
		{"another 400", func(nc net.Conn) { _, _ = io.WriteString(nc, page+"3\r\n\r\nno\n") }, "bad_status"},
		{"another status that mentions it", func(nc net.Conn) {
			_, _ = io.WriteString(nc, "HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\n\r\nrequires TLS")
		}, "bad_status"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr := ""
			if tt.serve == nil {
				srv := httptest.NewUnstartedServer(http.NotFoundHandler())
				srv.StartTLS()
				defer srv.Close()
				addr = srv.Listener.Addr().String()
			} else {
				addr = onceServed(t, tt.serve)
			}
			_, _, err := Dial(bg, "ws://"+addr, nil)
			if tt.token == "" {
				if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "dial wss") {
					t.Errorf("got %v", err)
				}
				return
			}
			e, ok := errors.AsType[*HandshakeError](err)
			if !ok || e.Token != tt.token || strings.Contains(err.Error(), "dial wss") != (tt.token == "plain_to_tls") {
				t.Errorf("got %v, want %s", err, tt.token)
			}
		})
	}
}

// onceServed has f answer one connection, of which the request has been read.
func onceServed(t *testing.T, f func(net.Conn)) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		nc, err := ln.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		head := &readAgain{Conn: nc}
		p := make([]byte, 1)
		for n := 0; n < 4; { // the blank line
			if _, err := nc.Read(p); err != nil {
				return
			}
			head.read = append(head.read, p[0])
			if n++; p[0] != "\r\n\r\n"[n-1] {
				n = 0
			}
		}
		f(head)
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return ln.Addr().String()
}

// readAgain hands over once more what was read of a connection.
type readAgain struct {
	net.Conn
	read []byte
}

func (c *readAgain) Read(p []byte) (int, error) {
	if len(c.read) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.read)
	c.read = c.read[n:]
	return n, nil
}

// TestOnlySilenceInPlaintextHintsAtTLS: not over TLS, not after a part of an answer, and not when
// the time is over.
func TestOnlySilenceInPlaintextHintsAtTLS(t *testing.T) {
	for name, answer := range map[string]string{"a part of a head": "HTTP/1.1 101 Swi", "not HTTP": "SSH-2.0\r\n"} {
		addr := onceServed(t, func(nc net.Conn) { _, _ = io.WriteString(nc, answer) })
		if _, _, err := Dial(bg, "ws://"+addr, nil); err == nil || strings.Contains(err.Error(), "wss") {
			t.Errorf("%s: %v", name, err)
		}
	}
	sc, cc := testtls.Configs(tls.VersionTLS13)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if nc, err := ln.Accept(); err == nil {
			tc := tls.Server(nc, sc)
			_, _ = tc.Read(make([]byte, 4096))
			_ = tc.Close()
		}
	}()
	if _, _, err := Dial(bg, "wss://"+ln.Addr().String(), &DialOptions{TLS: cc}); err == nil || strings.Contains(err.Error(), "dial wss") {
		t.Errorf("over TLS: %v", err)
	}
	_ = ln.Close()
	<-done
}

// TestNoErrorPrintsAPassword: neither of a URL that does not parse, nor of one that cannot be
// dialed, nor of a dial that fails; nor what is in a query, where tokens are.
func TestNoErrorPrintsAPassword(t *testing.T) {
	const secret = "s3cret"
	for _, url := range []string{
		"ws://user:s3cret@host:port/", "ws://user:s3cret@ho st/", "ws://user:s3cret@host/%zz", "ws://user:s3cret@host/\x7f",
		"ws://user:s3cret/x@host/", "ws://user:s3cret?x@host/", "ws://user:s3cret#x@host/", "ws://us er:s3cret@host/",
		"ws://user:%zs3cret@host/", "ws://user:s3cret@[::1/", "://user:s3cret@host", "user:s3cret@host", ":s3cret@host",
		"ftp://user:s3cret@host/", "ws:user:s3cret@host", "ws:/user:s3cret@host", "ws://user:s3cret@/", "ws://user:s3cret@host/#x",
		"ws://s3cret@host:port", "ws://a:b@user:s3cret@host:port", "ws://host:port/?token=s3cret", "ftp://host/?token=s3cret",
		"ws://host/?token=s3cret\x00", "ws://user:s3cret@host/?q=<", "ws://user:s3cret@127.0.0.1:1/?token=s3cret",
		"wss://user:s3cret@127.0.0.1:1/", "ws://user:s3cret@b\u00fccher.example/",
	} {
		_, _, err := Dial(bg, url, nil)
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", url, err)
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(e.Error(), secret) {
				t.Errorf("%q: beneath it, %v", url, e)
			}
		}
	}
}
