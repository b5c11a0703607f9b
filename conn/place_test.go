package conn

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// answered calls a function before anything of an answer is sent.
type answered struct {
	http.ResponseWriter
	before func()
}

func (a answered) WriteHeader(status int) { a.before(); a.ResponseWriter.WriteHeader(status) }

// answeredConn does the same for Upgrade.
type answeredConn struct {
	net.Conn
	before func()
}

func (a answeredConn) Write(p []byte) (int, error) { a.before(); return a.Conn.Write(p) }

// TestARefusedRequestHasNoPlaceWhenItIsAnswered: a client that has its answer may come again at once.
func TestARefusedRequestHasNoPlaceWhenItIsAnswered(t *testing.T) {
	const request = "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
	for _, tt := range []struct {
		name, more string
		change     func(*AcceptOptions)
	}{
		{"of another origin", "Origin: https://elsewhere.example\r\n", func(*AcceptOptions) {}},
		{"refused by Check", "", func(o *AcceptOptions) {
			o.Check = func(*http.Request) error { return &HandshakeError{Status: http.StatusUnauthorized} }
		}},
		{"with bad options", "", func(o *AcceptOptions) { o.Compression = Compression{Mode: CompressionTakeover, Level: 77} }},
		{"that cannot be hijacked", "", func(*AcceptOptions) {}},
	} {
		for _, way := range []string{"Accept", "Upgrade"} {
			if way == "Upgrade" && (tt.name == "with bad options" || tt.name == "that cannot be hijacked") {
				continue // it finds the first before it reads a request, and has nothing to hijack
			}
			t.Run(tt.name+", "+way, func(t *testing.T) {
				g := &Group{MaxConns: 1, MaxPerAddress: 1}
				o := &AcceptOptions{Group: g}
				tt.change(o)
				answers := 0
				before := func() {
					answers++
					g.mu.Lock()
					defer g.mu.Unlock()
					if g.entering != 0 || len(g.addrs) != 0 {
						t.Errorf("answered with %d slots reserved, %v", g.entering, g.addrs)
					}
				}
				var err error
				if way == "Accept" {
					r := httptest.NewRequest("GET", "/", nil)
					for _, line := range strings.Split(strings.TrimSuffix(request+tt.more, "\r\n"), "\r\n")[1:] {
						name, value, _ := strings.Cut(line, ": ")
						r.Header.Set(name, value)
					}
					_, err = Accept(answered{httptest.NewRecorder(), before}, r, o)
				} else {
					near, far := net.Pipe()
					go func() {
						_, _ = io.WriteString(near, request+tt.more+"\r\n")
						if resp, err := http.ReadResponse(bufio.NewReader(near), nil); err == nil {
							_, _ = io.Copy(io.Discard, resp.Body)
						}
						_ = near.Close()
					}()
					_, err = Upgrade(bg, answeredConn{far, before}, o)
				}
				if err == nil || answers == 0 {
					t.Errorf("%d answers, %v", answers, err)
				}
			})
		}
	}
}
