package conn

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/seed-c4549abd/wss/frame"
)

// TestErrorsSayWhatToDoToWhomItConcerns: the caller is told what to change, and the peer only what was wrong.
func TestErrorsSayWhatToDoToWhomItConcerns(t *testing.T) {
	t.Parallel()
	client, server := pair(t, "tls", func(s *settings) { s.messageLimit = 10 })
	for code, want := range map[StatusCode]string{1006: "may not be sent", 1005: "without a status code", 999: "use 1000 to 1003", 5000: "use 1000 to 1003"} {
		err := client.Close(code, "reason")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "(close code") || client.life.err() != nil {
			t.Errorf("Close(%d): %v", code, err)
		}
	}
	if err := client.Close(1000, strings.Repeat("x", 124)); !errors.Is(err, frame.ErrReasonTooLong) {
		t.Error(err)
	}
	go func() { _ = client.Write(bg, Text, []byte("more than ten bytes")) }()
	_, _, err := server.Read(bg)
	if !strings.Contains(err.Error(), "raise MessageLimit") {
		t.Errorf("the server: %v", err)
	}
	if _, _, err := client.Read(bg); CloseStatus(err) != StatusMessageTooBig || strings.Contains(err.Error(), "MessageLimit") {
		t.Errorf("the client: %v", err)
	}
	for _, how := range []func(c *Conn){
		func(c *Conn) { _ = c.CloseNow() },
		func(c *Conn) { _ = c.Close(StatusNormalClosure, "bye") },
	} {
		client, server := pair(t, "tls")
		served := echo(server)
		how(client)
		err := client.Write(bg, Text, nil)
		if !errors.Is(err, net.ErrClosed) || !strings.Contains(err.Error(), "by this side") ||
			strings.Contains(err.Error(), "use of closed") {
			t.Errorf("our own close reads %q", err)
		}
		<-served
	}
}

// TestAnObserverOfUpgradeGetsARequest, also when there is none that could be parsed.
func TestAnObserverOfUpgradeGetsARequest(t *testing.T) {
	for name, head := range map[string]string{
		"garbage": "X\r\n\r\n", "TLS": "\x16\x03\x01\x00\x02\x01\x00", "no key": "GET /path HTTP/1.1\r\nHost: h\r\n\r\n", "half": "GET /",
	} {
		var told refusedRequests
		ln, plain, _ := nativeListener(t, false)
		done := make(chan error, 1)
		go func() {
			nc, err := ln.Accept()
			if err == nil {
				_, err = Upgrade(bg, nc, &AcceptOptions{Observer: &told})
			}
			done <- err
		}()
		nc, err := net.Dial("tcp", plain)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = nc.Write([]byte(head))
		_ = nc.(*net.TCPConn).CloseWrite()
		if err := <-done; err == nil {
			t.Errorf("%s: let in", name)
		}
		_ = nc.Close()
		_ = ln.Close()
		told.mu.Lock()
		for _, r := range told.all {
			if r == nil || r.URL == nil || r.Header == nil || r.RemoteAddr == "" {
				t.Errorf("%s: the observer was given %+v", name, r)
			}
		}
		if n := len(told.all); (n == 1) != (name != "half") {
			t.Errorf("%s: told %d times", name, n)
		}
		told.mu.Unlock()
	}
}

type refusedRequests struct {
	NopObserver
	mu  sync.Mutex
	all []*http.Request
}

func (f *refusedRequests) Refused(r *http.Request, _ *HandshakeError) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, r)
}

// TestEveryUseAfterTheEndIsErrClosed, whoever ended the connection and how.
func TestEveryUseAfterTheEndIsErrClosed(t *testing.T) {
	for name, end := range map[string]func(client, server *Conn){
		"CloseNow": func(_, server *Conn) { _ = server.CloseNow() },
		"Close":    func(client, server *Conn) { go client.Read(bg); _ = server.Close(4000, "") },
		"the peer's close frame": func(client, server *Conn) {
			go client.Close(4001, "")
			_, _, _ = server.Read(bg)
		},
		"the end of the stream": func(client, server *Conn) { _ = client.CloseNow(); _, _, _ = server.Read(bg) },
		"a failure":             func(_, server *Conn) { server.abort(ErrPingTimeout) },
	} {
		client, server := pair(t, "tls")
		end(client, server)
		p := prepare(t, Text, "late")
		for use, call := range map[string]func() error{
			"Read":         func() error { _, _, err := server.Read(bg); return err },
			"ReadInto":     func() error { _, _, err := server.ReadInto(bg, nil); return err },
			"Reader":       func() error { _, _, err := server.Reader(bg); return err },
			"Write":        func() error { return server.Write(bg, Text, nil) },
			"a long Write": func() error { return server.Write(bg, Binary, make([]byte, 100_000)) },
			"Writer":       func() error { _, err := server.Writer(bg, Text); return err },
			"Send":         func() error { return server.Send(bg, p) },
			"Cork":         func() error { return server.Cork(func() error { return nil }) },
			"Flush":        func() error { return server.Flush(bg) },
			"Ping":         func() error { _, err := server.Ping(bg); return err },
			"CloseNow":     func() error { return server.CloseNow() },
			"Context":      func() error { return context.Cause(server.Context()) },
		} {
			if err := call(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("after %s, %s: %v", name, use, err)
			}
		}
	}
}
