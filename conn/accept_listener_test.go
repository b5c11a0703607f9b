package conn

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/internal/testtls"
)

// TestOtherProtocolsPassThroughTheListener: plain requests, kept alive, HTTP/2.
func TestOtherProtocolsPassThroughTheListener(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.Proto+" "+string(body))
	})
	for _, secure := range []bool{true, false} {
		url, o := serve(t, h, secure, true)
		tr := &http.Transport{TLSClientConfig: o.TLS}
		c := http.Client{Transport: tr}
		for _, size := range []int{0, 10, 200_000} {
			body := strings.Repeat("x", size)
			resp, err := c.Post("http"+strings.TrimPrefix(url, "ws"), "text/plain", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(resp.Body)
			if string(got) != "HTTP/1.1 "+body || err != nil {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			_ = resp.Body.Close()
		}
		tr.CloseIdleConnections()
	}
}

func TestTheListenerPassesOnErrorsAndItsAddress(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := NewListener(inner)
	if ln.Addr() != inner.Addr() {
		t.Error("another address")
	}
	_ = ln.Close()
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// TestTheListenerBelongsBelowTLS: above it, it would do nothing, silently.
func TestTheListenerBelongsBelowTLS(t *testing.T) {
	sc, cc := testtls.Configs(tls.VersionTLS13)
	listen := func() net.Listener {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = ln.Close() })
		return ln
	}
	t.Run("the server stops at once", func(t *testing.T) {
		srv := &http.Server{TLSConfig: sc}
		defer srv.Close()
		if err := srv.Serve(NewListener(tls.NewListener(listen(), sc))); !errors.Is(err, ErrListenerAboveTLS) {
			t.Errorf("got %v", err)
		}
		if err := srv.ServeTLS(NewListener(tls.NewListener(listen(), sc)), "", ""); !errors.Is(err, ErrListenerAboveTLS) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("behind another wrapper, with the first connection", func(t *testing.T) {
		inner := listen()
		ln := NewListener(struct{ net.Listener }{tls.NewListener(inner, sc)})
		refused := make(chan error, 1)
		go func() {
			_, err := tls.Dial("tcp", inner.Addr().String(), cc)
			refused <- err
		}()
		if _, err := ln.Accept(); !errors.Is(err, ErrListenerAboveTLS) {
			t.Errorf("got %v", err)
		}
		if err := <-refused; err == nil {
			t.Error("the connection was left open")
		}
	})
	t.Run("twice is once", func(t *testing.T) {
		ln := NewListener(listen())
		if again := NewListener(ln); again != ln {
			t.Errorf("got %v", again)
		}
	})
}
