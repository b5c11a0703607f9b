package conn

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
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
