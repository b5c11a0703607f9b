package websocket

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// serve starts a server, and returns its ws URL.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	return "ws" + strings.TrimPrefix(srv.URL, "http")
}

// upgradeAndClose accepts a connection and closes it.
func upgradeAndClose(t *testing.T, u *Upgrader, header http.Header, look func(*Conn)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := u.Upgrade(w, r, header)
		if err != nil {
			t.Errorf("Upgrade: %v", err)
			return
		}
		if look != nil {
			look(c)
		}
		_ = c.Close()
	}
}

func TestSubprotocols(t *testing.T) {
	for _, tt := range []struct {
		ours, theirs []string
		header       http.Header // of the response
		want         string
	}{
		{nil, nil, nil, ""},
		{nil, []string{"a", "b"}, nil, ""},
		{[]string{"b", "a"}, []string{"a", "b"}, nil, "b"},
		{[]string{"c"}, []string{"a", "b"}, nil, ""},
		{[]string{}, []string{"a"}, http.Header{"Sec-Websocket-Protocol": {"a"}}, ""},
		{nil, []string{"a"}, http.Header{"Sec-Websocket-Protocol": {"a"}}, "a"},
	} {
		u := serve(t, upgradeAndClose(t, &Upgrader{Subprotocols: tt.ours}, tt.header, func(c *Conn) {
			if c.Subprotocol() != tt.want {
				t.Errorf("%+v: the server has %q", tt, c.Subprotocol())
			}
		}))
		c, resp, err := (&Dialer{Subprotocols: tt.theirs}).Dial(u, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, there := resp.Header["Sec-Websocket-Protocol"]; c.Subprotocol() != tt.want || there != (tt.want != "") {
			t.Errorf("%+v: the client has %q", tt, c.Subprotocol())
		}
		_ = c.Close()
	}
}

func TestHeadersAndCookies(t *testing.T) {
	header := http.Header{"Set-Cookie": {"from=server"}, "X-Split": {"a\r\nInjected: yes"}}
	u := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "example.com" || r.Header.Get("Cookie") != "to=server" || r.Header.Get("X-Mine") != "yes" {
			t.Errorf("Host %q, %v", r.Host, r.Header)
		}
		upgradeAndClose(t, new(Upgrader), header, nil)(w, r)
	})
	jar, _ := cookiejar.New(nil)
	site, _ := url.Parse("http" + strings.TrimPrefix(u, "ws"))
	jar.SetCookies(site, []*http.Cookie{{Name: "to", Value: "server"}})
	c, resp, err := (&Dialer{Jar: jar}).Dial(u, http.Header{"Host": {"example.com"}, "X-Mine": {"yes"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if cookies := jar.Cookies(site); len(cookies) != 2 {
		t.Errorf("cookies: %v", cookies)
	}
	if got := resp.Header.Get("X-Split"); got != "a  Injected: yes" || resp.Header.Get("Injected") != "" {
		t.Errorf("%q, %v", got, resp.Header)
	}
}

func TestARefusalComesWithItsBody(t *testing.T) {
	u := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, strings.Repeat("no", 10_000))
	})
	_, resp, err := new(Dialer).Dial(u, nil)
	if err != ErrBadHandshake || resp == nil || resp.StatusCode != http.StatusTeapot {
		t.Fatalf("%v, %v", resp, err)
	}
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != strings.Repeat("no", maxBody/2) {
		t.Errorf("%d bytes, %v", len(body), err)
	}
}

func TestURLsAndHeadersThatAreRefused(t *testing.T) {
	none := &Dialer{NetDial: func(string, string) (net.Conn, error) {
		t.Error("a connection was made")
		return nil, errors.New("none")
	}, Subprotocols: []string{"a"}}
	for _, u := range []string{"http://host/", "host", "ws://user@host/", "ws://%/", "wss://host:port/"} {
		if _, _, err := none.Dial(u, nil); err == nil {
			t.Errorf("%s was dialed", u)
		}
	}
	for _, name := range []string{"Upgrade", "Connection", "Sec-Websocket-Key", "Sec-Websocket-Version", "Sec-Websocket-Extensions", "Sec-Websocket-Protocol"} {
		if _, _, err := none.Dial("ws://host/", http.Header{name: {"x"}}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAnswersThatAcceptWrongly are refused, and the response is returned.
func TestAnswersThatAcceptWrongly(t *testing.T) {
	for name, change := range map[string]func(http.Header){
		"another key":        func(h http.Header) { h.Set("Sec-Websocket-Accept", handshake.AcceptKey("another")) },
		"no Upgrade":         func(h http.Header) { h.Del("Upgrade") },
		"no Connection":      func(h http.Header) { h.Set("Connection", "keep-alive") },
		"another extension":  func(h http.Header) { h.Set("Sec-Websocket-Extensions", "x-other") },
		"context takeover":   func(h http.Header) { h.Set("Sec-Websocket-Extensions", "permessage-deflate") },
		"two compressions":   func(h http.Header) { h.Set("Sec-Websocket-Extensions", offerDeflate+", "+offerDeflate) },
		"malformed elements": func(h http.Header) { h.Set("Sec-Websocket-Extensions", "=;") },
	} {
		t.Run(name, func(t *testing.T) {
			u := serve(t, func(w http.ResponseWriter, r *http.Request) {
				h := w.Header()
				h.Set("Upgrade", "websocket")
				h.Set("Connection", "Upgrade")
				h.Set("Sec-Websocket-Accept", handshake.AcceptKey(r.Header.Get("Sec-Websocket-Key")))
				change(h)
				w.WriteHeader(http.StatusSwitchingProtocols)
			})
			if _, resp, err := (&Dialer{EnableCompression: true}).Dial(u, nil); err == nil || resp == nil {
				t.Errorf("%v, %v", resp, err)
			}
		})
	}
	t.Run("compression that was not offered", func(t *testing.T) {
		u := serve(t, func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Sec-Websocket-Extensions", offerDeflate)
			upgradeAndClose(t, &Upgrader{EnableCompression: true}, nil, nil)(w, r)
		})
		if _, _, err := new(Dialer).Dial(u, nil); err != ErrBadHandshake {
			t.Errorf("%v", err)
		}
	})
}

// TestWhatComesWithTheHandshake: frames in the same segment as the request, or as the response.
func TestWhatComesWithTheHandshake(t *testing.T) {
	read := make(chan string, 1)
	u := serve(t, upgradeAndClose(t, new(Upgrader), nil, func(c *Conn) {
		_, p, err := c.ReadMessage()
		read <- fmt.Sprint(string(p), err)
	}))
	nc, err := net.Dial("tcp", strings.TrimPrefix(u, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	frame := "\x82\x85\x00\x00\x00\x00early"
	fmt.Fprint(nc, "GET / HTTP/1.1\r\nHost: host\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"+frame)
	if s := <-read; s != "early<nil>" {
		t.Errorf("the server reads %s", s)
	}

	a, b := net.Pipe()
	wait := inBackground(func() {
		r, err := http.ReadRequest(bufio.NewReader(b))
		if err != nil {
			t.Error(err)
			return
		}
		fmt.Fprint(b, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Accept: "+handshake.AcceptKey(r.Header.Get("Sec-Websocket-Key"))+"\r\n\r\n\x82\x05early")
	})
	c, _, err := NewClient(a, &url.URL{Scheme: "ws", Host: "host"}, nil, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	wait()
	if _, p, err := c.ReadMessage(); string(p) != "early" || err != nil {
		t.Errorf("the client reads %q, %v", p, err)
	}
	_, _ = c.Close(), b.Close()
}

func TestErrorsOfAnUpgraderAreReported(t *testing.T) {
	reported := make(chan error, 1)
	upgrader := &Upgrader{
		CheckOrigin: func(*http.Request) bool { return false },
		Error: func(w http.ResponseWriter, _ *http.Request, status int, reason error) {
			reported <- reason
			http.Error(w, "mine", status)
		},
	}
	u := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := upgrader.Upgrade(w, r, nil); err == nil {
			t.Error("it was accepted")
		}
		if _, err := Upgrade(httptest.NewRecorder(), r, nil, 0, 0); err == nil {
			t.Error("a recorder was hijacked")
		}
	})
	_, resp, err := new(Dialer).Dial(u, nil)
	if err != ErrBadHandshake || resp.StatusCode != http.StatusForbidden {
		t.Errorf("%v, %v", resp, err)
	}
	if _, ok := (<-reported).(HandshakeError); !ok {
		t.Error("no HandshakeError was reported")
	}
}

// TestASharedTLSConfig: net/http adds h2 to one, with which a WebSocket could not be opened.
func TestASharedTLSConfig(t *testing.T) {
	srv := httptest.NewUnstartedServer(upgradeAndClose(t, new(Upgrader), nil, nil))
	var clientTLS *tls.Config
	srv.TLS, clientTLS = testtls.Configs(tls.VersionTLS13)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	clientTLS.NextProtos = []string{"h2", "http/1.1"}
	c, _, err := (&Dialer{TLSClientConfig: clientTLS}).Dial("wss"+strings.TrimPrefix(srv.URL, "https"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if len(clientTLS.NextProtos) != 2 {
		t.Error("the configuration was changed")
	}
}

func TestASlowHandshakeTimesOut(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	go func() { _, _ = io.Copy(io.Discard, b) }()
	d := Dialer{HandshakeTimeout: 20 * time.Millisecond, NetDial: func(string, string) (net.Conn, error) { return a, nil }}
	_, _, err := d.Dial("ws://host/", nil)
	if e, ok := errors.AsType[net.Error](err); !ok || !e.Timeout() {
		t.Errorf("%v, want a timeout", err)
	}
}

func TestDefaultHandlersAreThereToBeWrapped(t *testing.T) {
	client, server := pair(t, "tls", Upgrader{}, Dialer{})
	calls := make(chan string, 3)
	ping, pong, closing := server.PingHandler(), client.PongHandler(), server.CloseHandler()
	server.SetPingHandler(func(s string) error { calls <- "ping " + s; return ping(s) })
	client.SetPongHandler(func(s string) error { calls <- "pong " + s; return pong(s) })
	server.SetCloseHandler(func(code int, text string) error {
		calls <- fmt.Sprint("close ", code, " ", text)
		return closing(code, text)
	})
	defer inBackground(func() { _ = echo(server) })()
	if err := client.WriteMessage(PingMessage, []byte("1")); err != nil {
		t.Fatal(err)
	}
	if err := client.WriteMessage(CloseMessage, FormatCloseMessage(4000, "bye")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := client.ReadMessage(); !IsCloseError(err, 4000) {
		t.Errorf("%v, want 4000", err)
	}
	for _, want := range []string{"ping 1", "close 4000 bye", "pong 1"} {
		found := false
		for range 3 {
			if s := <-calls; s == want {
				found = true
				break
			} else {
				calls <- s
			}
		}
		if !found {
			t.Errorf("no %s", want)
		}
	}
	server.SetPingHandler(nil)
	server.SetPongHandler(nil)
	server.SetCloseHandler(nil)
}
