package http2_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	xhttp2 "golang.org/x/net/http2"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/http2"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// dialRaw opens a WebSocket at a server of frames.
func dialRaw(p *http2.Pool, addr string, cfg *tls.Config) (*conn.Conn, *http.Response, error) {
	ctx, cancel := context.WithTimeout(bg, 30*time.Second)
	defer cancel()
	return conn.Dial(ctx, "wss://"+addr+"/", &conn.DialOptions{TLS: cfg, Multiplexer: p, HandshakeTimeout: time.Minute})
}

// TestServersThatBreakRules: how a connection ends whose server does not keep to RFC 9113, and that nothing is left waiting.
func TestServersThatBreakRules(t *testing.T) {
	data := func(r *raw, id uint32, p string) { _ = r.WriteData(id, false, []byte(p)) }
	for _, tt := range []struct {
		name string
		do   func(r *raw, id uint32)
		code xhttp2.ErrCode // of the connection's or the stream's error
		all  bool           // the connection is over, not the stream alone
	}{
		{"DATA of a stream that was not opened", func(r *raw, id uint32) { data(r, id+2, "x") }, xhttp2.ErrCodeProtocol, true},
		{"DATA of an even stream", func(r *raw, id uint32) { data(r, 2, "x") }, xhttp2.ErrCodeProtocol, true},
		{"a push", func(r *raw, id uint32) {
			_ = r.WritePushPromise(xhttp2.PushPromiseParam{StreamID: id, PromiseID: 2, BlockFragment: r.encode(":method", "GET"), EndHeaders: true})
		}, xhttp2.ErrCodeProtocol, true},
		{"a flood of PINGs", func(r *raw, id uint32) {
			for r.WritePing(false, [8]byte{}) == nil {
			}
		}, xhttp2.ErrCodeEnhanceYourCalm, true},
		{"a flood of SETTINGS", func(r *raw, id uint32) {
			for r.WriteSettings() == nil {
			}
		}, xhttp2.ErrCodeEnhanceYourCalm, true},
		{"a flood of empty DATA", func(r *raw, id uint32) {
			for r.WriteData(id, false, nil) == nil {
			}
		}, xhttp2.ErrCodeEnhanceYourCalm, true},
		{"a flood of RST_STREAM", func(r *raw, id uint32) {
			for r.WriteRSTStream(id, xhttp2.ErrCodeCancel) == nil {
			}
		}, xhttp2.ErrCodeCancel, false},
		{"a flood of unknown frames", func(r *raw, id uint32) {
			for r.WriteRawFrame(0xfa, 0, id, nil) == nil {
			}
		}, xhttp2.ErrCodeEnhanceYourCalm, true},
		{"a flood of empty CONTINUATION", func(r *raw, id uint32) {
			_ = r.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: id, BlockFragment: r.encode("a", "b")})
			for r.WriteContinuation(id, false, nil) == nil {
			}
		}, xhttp2.ErrCodeEnhanceYourCalm, true},
		{"a flood of CONTINUATION", func(r *raw, id uint32) {
			_ = r.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: id, BlockFragment: r.encode("a", strings.Repeat("b", 1000))})
			for r.WriteContinuation(id, false, r.encode("a", strings.Repeat("b", 1000))) == nil {
			}
		}, xhttp2.ErrCodeProtocol, true},
		{"a window that overflows", func(r *raw, id uint32) {
			_ = r.WriteWindowUpdate(0, 1<<31-1)
		}, xhttp2.ErrCodeFlowControl, true},
		{"a stream's window that overflows", func(r *raw, id uint32) {
			_ = r.WriteWindowUpdate(id, 1<<31-1)
		}, xhttp2.ErrCodeFlowControl, false},
		{"an initial window that overflows", func(r *raw, id uint32) {
			_ = r.WriteWindowUpdate(id, 1<<30)
			_ = r.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 1<<31 - 1})
		}, xhttp2.ErrCodeFlowControl, true},
		{"more than the window", func(r *raw, id uint32) {
			for range 17 {
				data(r, id, strings.Repeat("\x82\x00", 8<<10))
			}
		}, xhttp2.ErrCodeFlowControl, false},
		{"a frame that is too long", func(r *raw, id uint32) { data(r, id, strings.Repeat("x", 16385)) }, xhttp2.ErrCodeFrameSize, true},
		{"DATA behind END_STREAM", func(r *raw, id uint32) {
			_ = r.WriteData(id, true, nil)
			data(r, id, "x")
		}, 0, false},
		{"a second response", func(r *raw, id uint32) { _ = r.accept(id) }, xhttp2.ErrCodeProtocol, false},
		{"WebSockets are taken back", func(r *raw, id uint32) {
			_ = r.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingEnableConnectProtocol, Val: 0})
		}, xhttp2.ErrCodeProtocol, true},
		{"RST_STREAM", func(r *raw, id uint32) { _ = r.WriteRSTStream(id, xhttp2.ErrCodeCancel) }, xhttp2.ErrCodeCancel, false},
		{"GOAWAY with an error", func(r *raw, id uint32) { _ = r.WriteGoAway(id, xhttp2.ErrCodeInternal, []byte("sorry")) }, xhttp2.ErrCodeInternal, true},
		{"GOAWAY before the stream", func(r *raw, id uint32) { _ = r.WriteGoAway(0, xhttp2.ErrCodeNo, nil) }, xhttp2.ErrCodeNo, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			reset := make(chan struct{}) // closed when the client has reset the stream, or has ended the connection
			addr, cfg := rawServer(t, func(r *raw) {
				if r.settle() != nil {
					return
				}
				id, _, err := r.awaitRequest()
				if err != nil || r.accept(id) != nil {
					return
				}
				drained := make(chan struct{})
				go func() {
					defer close(drained)
					r.drainUntil(xhttp2.FrameRSTStream)
					close(reset)
					r.drain()
				}()
				tt.do(r, id)
				<-drained // what was sent is handled before the socket is closed
			})
			p := newPool(t)
			c, _, err := dialRaw(p, addr, cfg)
			if err != nil {
				if tt.name == "a flood of PINGs" || strings.Contains(tt.name, "flood") {
					return // it came before the response was handled
				}
				t.Fatal(err)
			}
			defer func() { _ = c.CloseNow() }()
			if tt.name == "more than the window" {
				<-reset // it is not read meanwhile
			}
			for err == nil {
				_, _, err = c.Read(bg)
			}
			se, isStream := errors.AsType[*http2.StreamError](err)
			ce, isConn := errors.AsType[*http2.ConnectionError](err)
			switch {
			case tt.code == 0 && !tt.all:
			case tt.all && (!isConn || ce.Code != uint32(tt.code)):
				t.Errorf("%v", err)
			case !tt.all && (!isStream || se.Code != uint32(tt.code)):
				t.Errorf("%v", err)
			}
		})
	}
}

// TestResponses: what Dial makes of a server's answer.
func TestResponses(t *testing.T) {
	for _, tt := range []struct {
		name  string
		do    func(r *raw, id uint32)
		check func(*http.Response, error) bool
	}{
		{"a refusal with a body", func(r *raw, id uint32) {
			_ = r.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: id, BlockFragment: r.encode(":status", "403", "x-a", "b"), EndHeaders: true})
			_ = r.WriteData(id, true, []byte("not you"))
		}, func(resp *http.Response, err error) bool {
			body, _ := io.ReadAll(resp.Body)
			return resp.StatusCode == 403 && resp.Header.Get("X-A") == "b" && string(body) == "not you"
		}},
		{"a refusal without a body", func(r *raw, id uint32) {
			_ = r.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: id, BlockFragment: r.encode(":status", "404"), EndHeaders: true, EndStream: true})
		}, func(resp *http.Response, err error) bool { return resp.StatusCode == 404 }},
		{"interim responses before it", func(r *raw, id uint32) {
			_ = r.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: id, BlockFragment: r.encode(":status", "103"), EndHeaders: true})
			_ = r.accept(id)
		}, func(resp *http.Response, err error) bool { return err == nil && resp.StatusCode == 200 }},
		{"101, which HTTP/2 does not have", func(r *raw, id uint32) {
			_ = r.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: id, BlockFragment: r.encode(":status", "101"), EndHeaders: true})
		}, func(resp *http.Response, err error) bool { _, ok := errors.AsType[*http2.StreamError](err); return ok }},
		{"no status", func(r *raw, id uint32) {
			_ = r.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: id, BlockFragment: r.encode("a", "b"), EndHeaders: true})
		}, func(resp *http.Response, err error) bool { _, ok := errors.AsType[*http2.StreamError](err); return ok }},
		{"DATA before it", func(r *raw, id uint32) { _ = r.WriteData(id, false, []byte("x")) },
			func(resp *http.Response, err error) bool { _, ok := errors.AsType[*http2.StreamError](err); return ok }},
		{"a header that is too long", func(r *raw, id uint32) {
			pairs := []string{":status", "200"}
			for i := range 8 {
				pairs = append(pairs, fmt.Sprint("a", i), strings.Repeat("b", 10_000))
			}
			block := r.encode(pairs...)
			_ = r.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: id, BlockFragment: block[:16000]})
			for block = block[16000:]; len(block) > 16000; block = block[16000:] {
				_ = r.WriteContinuation(id, false, block[:16000])
			}
			_ = r.WriteContinuation(id, true, block)
		}, func(resp *http.Response, err error) bool {
			e, ok := errors.AsType[*conn.HandshakeError](err)
			return ok && e.Token == "header_too_large"
		}},
		{"a subprotocol that was not offered", func(r *raw, id uint32) { _ = r.accept(id, "sec-websocket-protocol", "x") },
			func(resp *http.Response, err error) bool {
				e, ok := errors.AsType[*conn.HandshakeError](err)
				return ok && e.Token == "bad_subprotocol"
			}},
		{"REFUSED_STREAM, three times", func(r *raw, id uint32) {
			for err := error(nil); err == nil; id, _, err = r.awaitRequest() {
				_ = r.WriteRSTStream(id, xhttp2.ErrCodeRefusedStream)
			}
		}, func(resp *http.Response, err error) bool { return err != nil }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			addr, cfg := rawServer(t, func(r *raw) {
				if r.settle() != nil {
					return
				}
				if id, _, err := r.awaitRequest(); err == nil {
					tt.do(r, id)
				}
				r.drain()
			})
			c, resp, err := dialRaw(newPool(t), addr, cfg)
			if !tt.check(resp, err) {
				t.Errorf("%+v, %v", resp, err)
			}
			if err == nil {
				_ = c.CloseNow()
			}
		})
	}
}

// TestTheRequest has what RFC 8441 asks for, and nothing of HTTP/1.1's.
func TestTheRequest(t *testing.T) {
	seen := make(chan *xhttp2.MetaHeadersFrame, 1)
	addr, cfg := rawServer(t, func(r *raw) {
		_ = r.settle()
		id, h, err := r.awaitRequest()
		if err == nil {
			seen <- h
			_ = r.accept(id)
		}
		r.drain()
	})
	c, _, err := conn.Dial(bg, "wss://user:secret@"+addr+"/a%20b?c=d", &conn.DialOptions{
		TLS: cfg, Multiplexer: newPool(t), Subprotocols: []string{"a", "b"}, Header: http.Header{"Origin": {"https://example.com"}},
		Compression: conn.Compression{Mode: conn.CompressionTakeover},
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.CloseNow()
	got := map[string]string{}
	for _, f := range (<-seen).Fields {
		got[f.Name] = f.Value
		if f.Name == "authorization" && !f.Sensitive {
			t.Error("credentials enter the table of header compression")
		}
	}
	want := map[string]string{
		":method": "CONNECT", ":protocol": "websocket", ":scheme": "https", ":path": "/a%20b?c=d", ":authority": addr,
		"sec-websocket-version": "13", "sec-websocket-protocol": "a, b", "origin": "https://example.com", "authorization": "Basic dXNlcjpzZWNyZXQ=",
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: %q, want %q", name, got[name], value)
		}
		delete(got, name)
	}
	if !strings.HasPrefix(got["sec-websocket-extensions"], "permessage-deflate") || len(got) != 1 {
		t.Errorf("besides: %v", got)
	}
}

// TestServersWithoutIt: Dial uses HTTP/1.1, and asks the next time at once; with Require it says why not.
func TestServersWithoutIt(t *testing.T) {
	for name, protos := range map[string][]string{"HTTP/1.1 only": {"http/1.1"}, "HTTP/2 without the setting": {"h2", "http/1.1"}} {
		t.Run(name, func(t *testing.T) {
			sc, cc := testtls.Configs(tls.VersionTLS13)
			sc.NextProtos = protos
			ln, err := tls.Listen("tcp", "127.0.0.1:0", sc)
			if err != nil {
				t.Fatal(err)
			}
			inner := newListener(ln.Addr())
			srv := &http.Server{Handler: echo(nil)}
			var mu sync.Mutex
			conns := 0
			go func() { // HTTP/2 is answered by SETTINGS that offer nothing
				for {
					nc, err := ln.Accept()
					if err != nil {
						return
					}
					mu.Lock()
					conns++
					mu.Unlock()
					tc := nc.(*tls.Conn)
					_ = tc.Handshake()
					if tc.ConnectionState().NegotiatedProtocol != "h2" {
						inner.hand(nc)
						continue
					}
					go func() {
						f := xhttp2.NewFramer(nc, nc)
						_ = f.WriteSettings()
						_, _ = io.Copy(io.Discard, nc)
						_ = nc.Close()
					}()
				}
			}()
			served := make(chan struct{})
			go func() { defer close(served); _ = srv.Serve(inner) }()
			t.Cleanup(func() { _ = ln.Close(); _ = srv.Close(); <-served })
			p := &http2.Pool{}
			defer func() { _ = p.Close() }()
			for range 3 {
				c, _, err := dialRaw(p, ln.Addr().String(), cc)
				if err != nil {
					t.Fatal(err)
				}
				if v := c.HTTPVersion(); v != "HTTP/1.1" || c.Stats().HTTPVersion != v {
					t.Errorf("%s", v)
				}
				_ = c.CloseNow()
			}
			mu.Lock()
			if conns != 4 {
				t.Errorf("%d connections for three WebSockets", conns)
			}
			mu.Unlock()
			_, _, err = dialRaw(newPool(t), ln.Addr().String(), cc)
			if !errors.Is(err, http2.ErrNotOffered) {
				t.Errorf("with Require: %v", err)
			}
		})
	}
}

// listener hands connections out.
type listener struct {
	conns chan net.Conn
	addr  net.Addr
	done  chan struct{}
	once  sync.Once
}

func newListener(addr net.Addr) *listener {
	return &listener{conns: make(chan net.Conn), addr: addr, done: make(chan struct{})}
}

// hand has Accept return a connection; a closed listener closes it.
func (l *listener) hand(nc net.Conn) {
	select {
	case l.conns <- nc:
	case <-l.done:
		_ = nc.Close()
	}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case nc := <-l.conns:
		return nc, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *listener) Addr() net.Addr { return l.addr }

// TestAServerThatAllowsFewStreams gets more connections.
func TestAServerThatAllowsFewStreams(t *testing.T) {
	s := serve(t, echo(nil), func(srv *http.Server) {
		srv.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 2}
		_ = http2.Configure(srv)
	})
	p := newPool(t)
	addrs := map[string]int{}
	for range 6 {
		c := s.dial(t, p, "/", nil)
		addrs[c.LocalAddr().String()]++
		if err := c.Write(bg, conn.Text, []byte("x")); err != nil {
			t.Error(err)
		}
		if _, _, err := c.Read(bg); err != nil {
			t.Error(err)
		}
	}
	if len(addrs) != 3 {
		t.Errorf("six WebSockets on %v", addrs)
	}
}

// TestABurstOfDials keeps to the server's limit, and gets through.
func TestABurstOfDials(t *testing.T) {
	for _, limit := range []int{1, 2, 50} {
		s := serve(t, echo(nil), func(srv *http.Server) {
			srv.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: limit}
			_ = http2.Configure(srv)
		})
		p := newPool(t)
		var wg sync.WaitGroup
		for range 3*limit + 10 {
			wg.Go(func() {
				c, _, err := s.try(p, "/", nil)
				if err != nil {
					t.Errorf("limit %d: %v", limit, err)
					return
				}
				_ = c.Close(conn.StatusNormalClosure, "")
			})
		}
		wg.Wait()
	}
}

// TestShortIdleTimes lose no dial.
func TestShortIdleTimes(t *testing.T) {
	s := serve(t, echo(nil), nil)
	p := newPool(t)
	p.IdleTimeout = time.Millisecond
	for i := range 200 {
		c, _, err := s.try(p, "/", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close(conn.StatusNormalClosure, "")
		time.Sleep(time.Duration(i%5) * 500 * time.Microsecond)
	}
}

// TestGoAwayInOrder: streams that are open go on, and the next dial makes another connection.
func TestGoAwayInOrder(t *testing.T) {
	n := 0
	addr, cfg := rawServer(t, func(r *raw) {
		n++
		_ = r.settle()
		id, _, err := r.awaitRequest()
		if err != nil {
			return
		}
		_ = r.accept(id)
		_ = r.WriteGoAway(id, xhttp2.ErrCodeNo, nil)
		_ = r.WriteData(id, false, []byte{0x81, 1, byte('0' + n)})
		if n == 1 {
			time.Sleep(50 * time.Millisecond)
			_ = r.WriteData(id, false, []byte{0x81, 1, 'l'})
		}
		r.drain()
	})
	p := newPool(t)
	c, _, err := dialRaw(p, addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1", "l"} {
		if _, q, err := c.Read(bg); string(q) != want {
			t.Errorf("%q, %v", q, err)
		}
	}
	_ = c.CloseNow()
	c, _, err = dialRaw(p, addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, q, err := c.Read(bg); string(q) != "2" {
		t.Errorf("on the next connection: %q, %v", q, err)
	}
	_ = c.CloseNow()
}

// TestIdleConnections are closed, with GOAWAY, and a dial that comes after makes another.
func TestIdleConnections(t *testing.T) {
	s := serve(t, echo(nil), nil)
	p := newPool(t)
	p.IdleTimeout = 20 * time.Millisecond
	first := s.dial(t, p, "/", nil)
	_ = first.Close(conn.StatusNormalClosure, "")
	for first.LocalAddr() != nil {
		time.Sleep(50 * time.Millisecond)
		c := s.dial(t, p, "/", nil)
		again := c.LocalAddr().String() == first.LocalAddr().String()
		_ = c.Close(conn.StatusNormalClosure, "")
		if !again {
			break
		}
	}
}

// TestAConnectionThatDiedUnnoticed fails no dial: the request is sent again on another one.
func TestAConnectionThatDiedUnnoticed(t *testing.T) {
	if testing.Short() {
		t.Skip("waits until a connection has been silent for five seconds")
	}
	for name, die := range map[string]func(r *raw){
		"reset":  func(*raw) {},
		"silent": func(r *raw) { r.drain() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			connections := 0 // one after the other
			addr, cc := rawServer(t, func(r *raw) {
				connections++
				r.check(r.settle())
				id, _, err := r.awaitRequest()
				r.check(err)
				r.check(r.accept(id))
				if connections > 1 {
					r.drain()
					return
				}
				_, _, err = r.awaitRequest()
				r.check(err)
				die(r)
			})
			p := newPool(t)
			dial := func() *conn.Conn {
				c, _, err := dialRaw(p, addr, cc)
				if err != nil {
					t.Fatal(err)
				}
				return c
			}
			first := dial()
			time.Sleep(5500 * time.Millisecond)
			second := dial()
			_ = first.CloseNow()
			_ = second.CloseNow()
		})
	}
}

// TestAClosedPool ends its connections and takes no dials.
func TestAClosedPool(t *testing.T) {
	s := serve(t, echo(nil), nil)
	p := &http2.Pool{}
	c := s.dial(t, p, "/", nil)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := c.Read(bg); !errors.Is(err, http2.ErrPoolClosed) {
		t.Errorf("%v", err)
	}
	if _, _, err := s.try(p, "/", nil); !errors.Is(err, http2.ErrPoolClosed) {
		t.Errorf("%v", err)
	}
	if err := p.Close(); !errors.Is(err, http2.ErrPoolClosed) {
		t.Errorf("%v", err)
	}
}

// TestADialThatIsCancelled resets its stream, and leaves the connection to others.
func TestADialThatIsCancelled(t *testing.T) {
	release := make(chan struct{})
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			select {
			case <-release:
			case <-r.Context().Done():
			}
			return
		}
		echo(nil).ServeHTTP(w, r)
	}), nil)
	defer close(release)
	p := newPool(t)
	s.dial(t, p, "/", nil)
	ctx, cancel := context.WithTimeout(bg, 50*time.Millisecond)
	defer cancel()
	_, _, err := conn.Dial(ctx, "wss://"+s.addr+"/slow", &conn.DialOptions{TLS: s.client, Multiplexer: p})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	c := s.dial(t, p, "/", nil)
	if err := c.Write(bg, conn.Text, []byte("x")); err != nil {
		t.Error(err)
	}
	if _, _, err := c.Read(bg); err != nil {
		t.Error(err)
	}
}

// TestOptionsThatDoNotFit are refused before anything is sent.
func TestOptionsThatDoNotFit(t *testing.T) {
	_, _, err := conn.Dial(bg, "wss://localhost:1/", &conn.DialOptions{
		Multiplexer: &http2.Pool{}, NetDialTLS: func(context.Context, string, string) (net.Conn, error) { return nil, fmt.Errorf("dialed") },
	})
	if e, ok := errors.AsType[*conn.HandshakeError](err); !ok || e.Token != "bad_options" {
		t.Errorf("%v", err)
	}
}

// TestAServersSmallFrames: the client keeps to the server's windows.
func TestAServersSmallWindow(t *testing.T) {
	got := make(chan int, 1)
	addr, cfg := rawServer(t, func(r *raw) {
		_ = r.settle(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 10})
		id, _, err := r.awaitRequest()
		if err != nil {
			return
		}
		_ = r.accept(id)
		n := 0
		for n < 1008 {
			f, err := r.ReadFrame()
			if err != nil {
				break
			}
			if d, ok := f.(*xhttp2.DataFrame); ok {
				if n += len(d.Data()); len(d.Data()) > 10 {
					t.Errorf("a frame of %d bytes", len(d.Data()))
				}
				_ = r.WriteWindowUpdate(id, uint32(len(d.Data())))
			}
		}
		got <- n
		r.drain()
	})
	c, _, err := dialRaw(newPool(t), addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	if err := c.Write(bg, conn.Binary, make([]byte, 1000)); err != nil {
		t.Error(err)
	}
	if n := <-got; n != 1008 {
		t.Errorf("%d bytes came", n)
	}
}
