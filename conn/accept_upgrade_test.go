package conn

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// native serves Upgrade, without net/http, and returns the address.
func native(t testing.TB, secure bool, o *AcceptOptions) (addr string, client *tls.Config) {
	t.Helper()
	ln, addr, client := nativeListener(t, secure)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				if c, err := Upgrade(bg, nc, o); err == nil {
					<-echo(c)
				}
			})
		}
	})
	t.Cleanup(func() { _ = ln.Close(); wg.Wait() })
	return addr, client
}

// nativeListener returns a listener for Upgrade, and what a client needs to trust it.
func nativeListener(t testing.TB, secure bool) (ln net.Listener, addr string, client *tls.Config) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln = NewListener(inner)
	sc, client := testtls.Configs(tls.VersionTLS13)
	if secure {
		ln = tls.NewListener(ln, sc)
	}
	return ln, inner.Addr().String(), client
}

func TestUpgradeWithoutNetHTTP(t *testing.T) {
	for _, secure := range []bool{true, false} {
		addr, cc := native(t, secure, &AcceptOptions{Subprotocols: []string{"p"}})
		url := "ws://" + addr
		if secure {
			url = "wss://" + addr
		}
		c, _, err := Dial(bg, url, &DialOptions{TLS: cc, Subprotocols: []string{"p"}, CloseTimeout: patience})
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Write(bg, Text, []byte("hello"))
		if _, p, err := c.Read(bg); string(p) != "hello" || err != nil || c.Subprotocol() != "p" {
			t.Errorf("%q, %v", p, err)
		}
		if err := c.Close(StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
	}
}

// TestUpgradeRefusesAndCloses: the right status, one answer, and the end of it.
func TestUpgradeRefusesAndCloses(t *testing.T) {
	addr, _ := native(t, false, nil)
	for _, tt := range []struct{ name, head, status string }{
		{"plain request", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "426"},
		{"post", strings.Replace(requestHead, "GET", "POST", 1), "405"},
		{"old HTTP", strings.Replace(requestHead, "HTTP/1.1", "HTTP/1.0", 1), "426"},
		{"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "426"},
		{"no host", strings.Replace(requestHead, "Host: localhost\r\n", "", 1), "400"},
		{"long line", "GET /" + strings.Repeat("x", 9000), "414"},
		{"long header", "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 9000), "431"},
		{"many headers", "GET / HTTP/1.1\r\n" + strings.Repeat("X: y\r\n", 200), "431"},
		{"not HTTP", "SSH-2.0-OpenSSH_9.9\r\n\r\n", "400"},
		{"TLS", "\x16\x03\x01\x00\x02\x01\x00", "400"},
		{"body", strings.Replace(requestHead, "\r\n\r\n", "\r\nContent-Length: 5\r\n\r\nGET /", 1), "400"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			nc, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			_, _ = io.WriteString(nc, tt.head+requestHead)
			all, err := io.ReadAll(nc)
			if !strings.HasPrefix(string(all), "HTTP/1.1 "+tt.status+" ") || strings.Count("\n"+string(all), "\nHTTP/1.1 ") != 1 || err != nil {
				t.Errorf("answered %q, %v", all, err)
			}
		})
	}
}

// TestAFloodOfHeaderIsRefusedEarly: 20 MB of it, in bounded memory.
func TestAFloodOfHeaderIsRefusedEarly(t *testing.T) {
	addr, _ := native(t, false, nil)
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sent := 0
	_, _ = io.WriteString(nc, "GET / HTTP/1.1\r\n")
	line := []byte("X-Padding: " + strings.Repeat("x", 1000) + "\r\n")
	for range 20_000 {
		n, err := nc.Write(line)
		if sent += n; err != nil {
			break // reset: refused long ago
		}
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.TotalAlloc) - int64(before.TotalAlloc); grown > 8<<20 {
		t.Errorf("%d bytes allocated for %d sent", grown, sent)
	}
}

// TestSlowRequestsEndInTime, whatever they trickle, TLS or not.
func TestSlowRequestsEndInTime(t *testing.T) {
	t.Parallel()
	o := &AcceptOptions{HandshakeTimeout: 50 * time.Millisecond}
	for _, secure := range []bool{false, true} {
		a, b := pipe.New(1 << 16)
		var nc net.Conn = b
		if secure {
			sc, _ := testtls.Configs(tls.VersionTLS13)
			nc = tls.Server(b, sc)
		}
		_, _ = a.Write([]byte(map[bool]string{false: "GET", true: "\x16\x03"}[secure]))
		_, err := Upgrade(bg, nc, o)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("secure %v: %v", secure, err)
		}
		if _, err := a.Write([]byte("x")); err == nil {
			t.Errorf("secure %v: the connection was left open", secure)
		}
		_ = a.Close()
	}
	ctx, cancel := context.WithCancel(bg)
	cancel()
	_, b := pipe.New(16)
	if _, err := Upgrade(ctx, b, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestManySlowPeersDoNotStopAGoodOne: a thousand of them.
func TestManySlowPeersDoNotStopAGoodOne(t *testing.T) {
	t.Parallel()
	addr, cc := native(t, true, &AcceptOptions{HandshakeTimeout: patience})
	var slow []net.Conn
	for range 1000 {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = nc.Write([]byte{0x16, 3, 1})
		slow = append(slow, nc)
	}
	c, _, err := Dial(bg, "wss://"+addr, &DialOptions{TLS: cc, HandshakeTimeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Write(bg, Text, []byte("good"))
	if _, p, err := c.Read(bg); string(p) != "good" || err != nil {
		t.Errorf("%q, %v", p, err)
	}
	_ = c.Close(StatusNormalClosure, "")
	for _, nc := range slow {
		_ = nc.Close()
	}
}

func TestUpgradeTellsTheHandlerAboutTLSAndTheAddress(t *testing.T) {
	seen := make(chan *http.Request, 1)
	addr, cc := native(t, true, &AcceptOptions{Check: func(r *http.Request) error { seen <- r; return nil }})
	c, _, err := Dial(bg, "wss://"+addr+"/path?q=1", &DialOptions{TLS: cc})
	if err != nil {
		t.Fatal(err)
	}
	r := <-seen
	if r.TLS == nil || r.RemoteAddr != c.LocalAddr().String() || r.URL.Path != "/path" || r.URL.RawQuery != "q=1" {
		t.Errorf("%v %v %v", r.TLS, r.RemoteAddr, r.URL)
	}
	_ = c.Close(StatusNormalClosure, "")
}
