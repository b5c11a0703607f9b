package conn

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// serve starts an HTTP server, with TLS or without, on our listener or a stock one.
func serve(t testing.TB, h http.Handler, secure, ours bool) (url string, o *DialOptions) {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	if ours {
		srv.Listener = NewListener(srv.Listener)
	}
	sc, cc := testtls.Configs(tls.VersionTLS13)
	if secure {
		srv.TLS = sc
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	return "ws" + strings.TrimPrefix(srv.URL, "http"), &DialOptions{TLS: cc, HandshakeTimeout: patience, CloseTimeout: patience}
}

func echoHandler(o *AcceptOptions) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := Accept(w, r, o)
		if err != nil {
			return
		}
		_ = c.Serve(bg, func(c *Conn, m Message) error { return c.Write(bg, m.Type, m.Data) })
	})
}

// wrapped is what middleware does to a ResponseWriter.
type wrapped struct {
	http.ResponseWriter
	status int
}

func (w *wrapped) WriteHeader(status int)      { w.status = status; w.ResponseWriter.WriteHeader(status) }
func (w *wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestAcceptUnderNetHTTP(t *testing.T) {
	for _, secure := range []bool{true, false} {
		for _, ours := range []bool{true, false} {
			for _, middleware := range []bool{true, false} {
				name := fmt.Sprintf("secure=%v,listener=%v,middleware=%v", secure, ours, middleware)
				t.Run(name, func(t *testing.T) {
					h := echoHandler(nil)
					if middleware {
						inner := h
						h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
							inner.ServeHTTP(&wrapped{ResponseWriter: &wrapped{ResponseWriter: w}}, r)
						})
					}
					url, o := serve(t, h, secure, ours)
					c, resp, err := Dial(bg, url, o)
					if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
						t.Fatal(err)
					}
					for _, size := range []int{5, 100_000} {
						want := strings.Repeat("x", size)
						if err := c.Write(bg, Text, []byte(want)); err != nil {
							t.Fatal(err)
						}
						if _, p, err := c.Read(bg); string(p) != want || err != nil {
							t.Fatalf("%d bytes, %v", len(p), err)
						}
					}
					if err := c.Close(StatusNormalClosure, ""); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

// TestBytesThatCameBeforeTheResponseAreKept: a client need not wait for the 101, and
// net/http may have read what it sent.
func TestBytesThatCameBeforeTheResponseAreKept(t *testing.T) {
	for _, secure := range []bool{true, false} {
		for _, ours := range []bool{true, false} {
			url, o := serve(t, echoHandler(nil), secure, ours)
			var nc net.Conn
			var err error
			addr := url[strings.Index(url, "//")+2:]
			if nc, err = net.Dial("tcp", addr); err != nil {
				t.Fatal(err)
			}
			if secure {
				nc = tls.Client(nc, o.TLS)
			}
			early := requestHead
			for i := range 1000 {
				early += string(masked(frame.Header{Fin: true, Opcode: frame.Text}, fmt.Sprint(i)))
			}
			go func() { _, _ = io.WriteString(nc, early) }()
			br := bufio.NewReader(nc)
			resp, err := http.ReadResponse(br, nil)
			if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
				t.Fatal(resp, err)
			}
			for i := range 1000 {
				if _, p := readFrame(t, br); p != fmt.Sprint(i) {
					t.Fatalf("message %d: %q", i, p)
				}
			}
			_ = nc.Close()
		}
	}
}

const requestHead = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

func TestSubprotocolHeadersAndCookies(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "middleware", Value: "1"})
		w.Header().Set("Content-Type", "text/plain")
		c, err := Accept(w, r, &AcceptOptions{
			Subprotocols: []string{"b", "a"}, Header: http.Header{"Set-Cookie": {"own=2"}, "X-Extra": {"yes"}},
		})
		if err == nil {
			_, _, _ = c.Read(bg)
		}
	})
	url, o := serve(t, h, true, true)
	o.Subprotocols = []string{"a", "b"}
	o.Header = http.Header{"Cookie": {"session=3"}}
	c, resp, err := Dial(bg, url, o)
	if err != nil {
		t.Fatal(err)
	}
	if c.Subprotocol() != "b" || resp.Header.Get("X-Extra") != "yes" || resp.Header.Get("Content-Type") != "" {
		t.Errorf("subprotocol %q, header %v", c.Subprotocol(), resp.Header)
	}
	if cookies := resp.Cookies(); len(cookies) != 2 || cookies[0].Name != "own" || cookies[1].Name != "middleware" {
		t.Errorf("cookies %v", cookies)
	}
	_ = c.Close(StatusNormalClosure, "")
}

// TestARefusalClosesTheConnection, and a request smuggled behind it is not served.
func TestARefusalClosesTheConnection(t *testing.T) {
	for _, tt := range []struct {
		name, head string
		status     int
	}{
		{"no upgrade", strings.Replace(requestHead, "Upgrade: websocket\r\n", "", 1), 426},
		{"bad key", strings.Replace(requestHead, "dGhlIHNhbXBsZSBub25jZQ==", "short", 1), 400},
		{"old version", strings.Replace(requestHead, "Version: 13", "Version: 8", 1), 426},
		{"foreign origin", strings.Replace(requestHead, "\r\n\r\n", "\r\nOrigin: https://evil.example\r\n\r\n", 1), 403},
		{"method", strings.Replace(requestHead, "GET", "POST", 1), 405},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hits := make(chan string, 10)
			inner := echoHandler(nil)
			url, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				hits <- r.URL.Path
				inner.ServeHTTP(w, r)
			}), false, true)
			nc, err := net.Dial("tcp", strings.TrimPrefix(url, "ws://"))
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			_, _ = io.WriteString(nc, tt.head+"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n")
			all, _ := io.ReadAll(nc)
			if !strings.HasPrefix(string(all), fmt.Sprintf("HTTP/1.1 %d ", tt.status)) || strings.Count(string(all), "HTTP/1.1 ") != 1 {
				t.Errorf("answered %q", all)
			}
			if tt.status == 426 && !strings.Contains(string(all), "Sec-WebSocket-Version: 13\r\n") &&
				!strings.Contains(string(all), "Sec-Websocket-Version: 13\r\n") {
				t.Errorf("no version in %q", all)
			}
			if path := <-hits; path != "/" || len(hits) != 0 {
				t.Errorf("served %s and %d more", path, len(hits))
			}
		})
	}
}

func TestCustomRejection(t *testing.T) {
	url, o := serve(t, echoHandler(&AcceptOptions{Check: func(r *http.Request) error {
		if r.Header.Get("Authorization") == "" {
			return &HandshakeError{
				Status: http.StatusUnauthorized, Token: "no_token", Body: []byte(`{"error":"who are you?"}`),
				ContentType: "application/json", Header: http.Header{"Www-Authenticate": {"Bearer"}},
			}
		}
		return errors.New("not today")
	}}), true, true)
	_, resp, err := Dial(bg, url, o)
	e, ok := errors.AsType[*HandshakeError](err)
	if !ok || e.Status != http.StatusUnauthorized || resp == nil || resp.Header.Get("Www-Authenticate") != "Bearer" {
		t.Fatalf("%v, %v", resp, err)
	}
	if body, _ := io.ReadAll(resp.Body); string(body) != `{"error":"who are you?"}` {
		t.Errorf("body %q", body)
	}
	o.Header = http.Header{"Authorization": {"Bearer x"}}
	if _, resp, err = Dial(bg, url, o); err == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("%v, %v", resp, err)
	}
}

func TestAcceptNeedsAConnectionItCanTakeOver(t *testing.T) {
	r := httptest.NewRequest("GET", "http://localhost/", nil)
	r.Header = http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Version": {"13"},
	}
	w := httptest.NewRecorder()
	_, err := Accept(w, r, nil)
	if e, ok := errors.AsType[*HandshakeError](err); !ok || e.Token != "no_hijack" || w.Code != 500 {
		t.Errorf("%v, status %d", err, w.Code)
	}
}
