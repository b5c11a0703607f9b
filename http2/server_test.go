package http2_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	xhttp2 "golang.org/x/net/http2"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/http2"
)

func TestTheServerOffersWebSockets(t *testing.T) {
	_, settings := rawClient(t, serve(t, echo(nil), nil))
	if settings[xhttp2.SettingEnableConnectProtocol] != 1 {
		t.Errorf("settings: %v", settings)
	}
}

// TestRequests: what is accepted, and what is refused with which status. A refusal ends its stream, and no other.
func TestRequests(t *testing.T) {
	s := serve(t, echo(&conn.AcceptOptions{Subprotocols: []string{"chat"}, Compression: conn.Compression{Mode: conn.CompressionTakeover}}), nil)
	r, _ := rawClient(t, s)
	r.open(1)
	id := uint32(1)
	for _, tt := range []struct {
		name, status string
		fields       []string
		end          bool
	}{
		{name: "a plain one", status: "200"},
		{name: "a key that a proxy has left", status: "200", fields: []string{"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="}},
		{name: "a key that is none", status: "200", fields: []string{"sec-websocket-key", "?"}},
		{name: "the page's own origin", status: "200", fields: []string{"origin", "https://localhost"}},
		{name: "another origin", status: "403", fields: []string{"origin", "https://example.com"}},
		{name: "no version", status: "400", fields: []string{"sec-websocket-version", ""}},
		{name: "another version", status: "426", fields: []string{"sec-websocket-version", "8"}},
		{name: "another protocol", status: "501", fields: []string{":protocol", "webtransport"}},
		{name: "a content length", status: "400", fields: []string{"content-length", "5"}},
		{name: "an empty content length", status: "400", fields: []string{"content-length", "0"}},
		{name: "the end of the stream", status: "400", end: true},
		{name: "a subprotocol", status: "200", fields: []string{"sec-websocket-protocol", "chat"}},
		{name: "no list of subprotocols", status: "400", fields: []string{"sec-websocket-protocol", "a b"}},
		{name: "compression", status: "200", fields: []string{"sec-websocket-extensions", "permessage-deflate"}},
		{name: "a GET", status: "426", fields: []string{":method", "GET", ":protocol", ""}, end: true},
	} {
		id += 2
		r.request(id, tt.end, connect(tt.fields...)...)
		if got := r.status(id); got != tt.status {
			t.Errorf("%s: status %s, want %s", tt.name, got, tt.status)
		}
	}
	r.check(r.WriteData(1, false, message("still here")))
	if got := r.payload(1, 12); !bytes.Equal(got[2:], []byte("still here")) {
		t.Errorf("the first stream says %q", got)
	}
}

// TestEndings: how the server's connection ends when a stream does, and what the client sees of it.
func TestEndings(t *testing.T) {
	type ending struct {
		code conn.StatusCode
		err  error
	}
	for _, tt := range []struct {
		name string
		do   func(r *raw)
		code conn.StatusCode
		sees string // how the stream ends for the client
		with []byte // the last DATA
	}{
		{"a closing handshake", func(r *raw) {
			r.check(r.WriteData(1, false, []byte{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8}))
		}, 1000, "END_STREAM", []byte{0x88, 2, 0x03, 0xe8}},
		{"a closing handshake that ends the stream", func(r *raw) {
			r.check(r.WriteData(1, true, []byte{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8}))
		}, 1000, "END_STREAM", []byte{0x88, 2, 0x03, 0xe8}},
		{"RST_STREAM with CANCEL", func(r *raw) { r.check(r.WriteRSTStream(1, xhttp2.ErrCodeCancel)) }, 1006, "", nil},
		{"RST_STREAM within a message", func(r *raw) {
			r.check(r.WriteData(1, false, message("cut off")[:8]))
			r.check(r.WriteRSTStream(1, xhttp2.ErrCodeCancel))
		}, 1006, "", nil},
		{"END_STREAM without a close frame", func(r *raw) { r.check(r.WriteData(1, true, nil)) }, 1006, "INTERNAL_ERROR", nil},
		{"END_STREAM within a frame", func(r *raw) { r.check(r.WriteData(1, true, message("cut off")[:8])) }, 1006, "INTERNAL_ERROR", nil},
		{"a frame that breaks a rule", func(r *raw) {
			r.check(r.WriteData(1, false, []byte{0x83, 0x80, 0, 0, 0, 0}))
			f := r.payload(1, 4)
			if f[0] != 0x88 || f[2] != 0x03 || f[3] != 0xea {
				r.t.Errorf("close frame: %x", f)
			}
			r.check(r.WriteData(1, true, []byte{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xea}))
		}, 1002, "END_STREAM", nil},
		{"DATA behind END_STREAM", func(r *raw) {
			r.check(r.WriteData(1, true, nil))
			r.check(r.WriteData(1, false, message("late")))
		}, 1006, "", nil},
		{"the end of the TCP connection", func(r *raw) { _ = r.nc.Close() }, 1006, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ends := make(chan ending, 1)
			s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c, err := conn.Accept(w, r, nil)
				if err != nil { // it may see the end first: the client has got its response by then
					ends <- ending{conn.StatusAbnormal, err}
					return
				}
				err = c.Serve(bg, func(*conn.Conn, conn.Message) error { return nil })
				code := conn.StatusNormalClosure
				if e, ok := errors.AsType[*conn.CloseError](err); ok {
					code = e.Code
				}
				ends <- ending{code, err}
			}), nil)
			r, _ := rawClient(t, s)
			r.open(1)
			tt.do(r)
			if got := <-ends; got.code != tt.code {
				t.Errorf("the server's connection ended with %d: %v", got.code, got.err)
			}
			if tt.sees == "" {
				return
			}
			how, with := r.ending(1)
			if how != tt.sees || tt.with != nil && !bytes.Equal(with, tt.with) {
				t.Errorf("the client sees %s behind %x", how, with)
			}
		})
	}
}

// TestAHandlerMayReturn: what Handler guards outlives it, as a connection of HTTP/1.1 does.
func TestAHandlerMayReturn(t *testing.T) {
	returned := make(chan struct{})
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(returned)
		c, err := conn.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		c.ServeInBackground(func(c *conn.Conn, m conn.Message) error {
			<-returned
			return c.Write(bg, m.Type, m.Data)
		}, nil)
	}), nil)
	c := s.dial(t, newPool(t), "/", nil)
	if err := c.Write(bg, conn.Text, []byte("after")); err != nil {
		t.Fatal(err)
	}
	if _, p, err := c.Read(bg); string(p) != "after" {
		t.Errorf("%q, %v", p, err)
	}
	if err := c.Close(conn.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
}

// TestNobodyReadsBehindAHandler: the connection is closed with 1011, as over HTTP/1.1.
func TestNobodyReadsBehindAHandler(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = conn.Accept(w, r, &conn.AcceptOptions{PingInterval: 50 * time.Millisecond, PongTimeout: time.Minute})
	}), nil)
	c := s.dial(t, newPool(t), "/", nil)
	_, _, err := c.Read(bg)
	if e, ok := errors.AsType[*conn.CloseError](err); !ok || e.Code != conn.StatusInternalError {
		t.Errorf("%v", err)
	}
}

// TestWithoutHandler: where nothing guards the handler, ServeInBackground keeps it from returning; a return ends the connection.
func TestWithoutHandler(t *testing.T) {
	ends := make(chan error, 1)
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		if r.URL.Path == "/returns" {
			return
		}
		c.ServeInBackground(func(c *conn.Conn, m conn.Message) error { return c.Write(bg, m.Type, m.Data) }, func(err error) { ends <- err })
		if c.Context().Err() == nil {
			t.Error("ServeInBackground has returned before the end")
		}
	}), func(*http.Server) {})
	p := newPool(t)
	c := s.dial(t, p, "/", nil)
	if err := c.Write(bg, conn.Text, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(bg); err != nil {
		t.Error(err)
	}
	if err := c.Close(conn.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	if err := <-ends; err != nil {
		t.Error(err)
	}
	c = s.dial(t, p, "/returns", nil)
	if _, _, err := c.Read(bg); conn.CloseStatus(err) != conn.StatusAbnormal {
		t.Errorf("the handler has returned: %v", err)
	}
}

// TestAPanicResetsTheStream of its handler, and no other.
func TestAPanicResetsTheStream(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, nil)
		if err != nil {
			return
		}
		_ = c.Serve(bg, func(c *conn.Conn, m conn.Message) error {
			if string(m.Data) == "panic" {
				panic("as told")
			}
			return c.Write(bg, m.Type, m.Data)
		})
	}), nil)
	p := newPool(t)
	other, c := s.dial(t, p, "/", nil), s.dial(t, p, "/", nil)
	if err := c.Write(bg, conn.Text, []byte("panic")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(bg); conn.CloseStatus(err) != conn.StatusAbnormal {
		t.Errorf("after a panic: %v", err)
	}
	if err := other.Write(bg, conn.Text, []byte("well")); err != nil {
		t.Fatal(err)
	}
	if _, q, err := other.Read(bg); string(q) != "well" {
		t.Errorf("%q, %v", q, err)
	}
}

// TestCancelledCalls leave the connection usable, on both sides.
func TestCancelledCalls(t *testing.T) {
	start, read := make(chan *conn.Conn, 1), make(chan struct{})
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, &conn.AcceptOptions{MessageLimit: -1})
		if err != nil {
			return
		}
		start <- c
		<-c.Context().Done()
	}), nil)
	client := s.dial(t, newPool(t), "/", func(o *conn.DialOptions) { o.MessageLimit = -1 })
	ends := map[string][2]*conn.Conn{}
	sc := <-start
	ends["server"], ends["client"] = [2]*conn.Conn{sc, client}, [2]*conn.Conn{client, sc}
	close(read)
	for name, pair := range ends {
		own, peer := pair[0], pair[1]
		ctx, cancel := context.WithTimeout(bg, 20*time.Millisecond)
		if _, _, err := own.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: Read: %v", name, err)
		}
		cancel()
		// The peer reads nothing, so that a long message does not go through.
		err := cutOff(own, make([]byte, 4<<20))
		if e, ok := errors.AsType[*conn.InterruptedError](err); !ok || e.Closed {
			t.Fatalf("%s: Write: %v", name, err)
		}
		if _, p, err := peer.Read(bg); err != nil || len(p) != 4<<20 {
			t.Fatalf("%s: the message that was cut off: %d bytes, %v", name, len(p), err)
		}
		if err := own.Write(bg, conn.Text, []byte("goes on")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, p, err := peer.Read(bg); string(p) != "goes on" {
			t.Errorf("%s: %q, %v", name, p, err)
		}
	}
}

// cutOff writes a message, and gives up when a part of it was sent.
func cutOff(c *conn.Conn, p []byte) error {
	ctx, cancel := context.WithCancel(bg)
	defer cancel()
	before := c.Stats().WireOut
	go func() {
		for c.Stats().WireOut < before+1000 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(20 * time.Millisecond) // by now it waits for the window, as a rule
		cancel()
	}()
	return c.Write(ctx, conn.Binary, p)
}

// TestAStreamThatNobodyReadsHoldsUpNoOther, in either direction.
func TestAStreamThatNobodyReadsHoldsUpNoOther(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, nil)
		if err != nil {
			return
		}
		switch r.URL.Path {
		case "/deaf":
			<-c.Context().Done()
		case "/flood":
			ctx := c.Context()
			for c.Write(ctx, conn.Binary, make([]byte, 10_000)) == nil {
			}
		default:
			_ = c.Serve(bg, func(c *conn.Conn, m conn.Message) error { return c.Write(bg, m.Type, m.Data) })
		}
	}), nil)
	p := newPool(t)
	p.MaxStreams = 100
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	for range 10 {
		deaf := s.dial(t, p, "/deaf", nil)
		wg.Go(func() {
			for deaf.Write(bg, conn.Binary, make([]byte, 10_000)) == nil {
			}
		})
		t.Cleanup(func() { _ = deaf.CloseNow() })
		s.dial(t, p, "/flood", nil) // nobody reads it
	}
	c := s.dial(t, p, "/", nil)
	for range 20 {
		go func() { _ = c.Write(bg, conn.Binary, make([]byte, 200_000)) }()
		if _, q, err := c.Read(bg); err != nil || len(q) != 200_000 {
			t.Fatal(len(q), err)
		}
	}
}

// TestRepliesShareAFrame: what Serve's callback writes is sent together.
func TestRepliesShareAFrame(t *testing.T) {
	r, _ := rawClient(t, serve(t, echo(nil), nil))
	r.open(1)
	const n = 100
	r.check(r.WriteData(1, false, bytes.Repeat(message("a"), n)))
	frames, size := 0, 0
	for size < 3*n {
		d := r.next(func(f xhttp2.Frame) bool { return f.Header().Type == xhttp2.FrameData }).(*xhttp2.DataFrame)
		frames++
		size += len(d.Data())
	}
	if frames > 3 {
		t.Errorf("%d replies came in %d frames", n, frames)
	}
}

// TestGroupsAndLimits work as over HTTP/1.1.
func TestGroupsAndLimits(t *testing.T) {
	g := &conn.Group{MaxConns: 1}
	s := serve(t, echo(&conn.AcceptOptions{Group: g, MessageLimit: 100}), nil)
	p := newPool(t)
	c := s.dial(t, p, "/", nil)
	if n := g.Len(); n != 1 {
		t.Errorf("%d in the group when Dial has returned", n)
	}
	_, resp, err := s.try(p, "/", nil)
	if e, ok := errors.AsType[*conn.HandshakeError](err); !ok || e.Status != 503 {
		t.Fatalf("a second one: %v", err)
	}
	if body, _ := io.ReadAll(resp.Body); len(body) == 0 || resp.ProtoMajor != 2 {
		t.Errorf("the refusal: %s %q", resp.Proto, body)
	}
	m, err := conn.Prepare(conn.Text, []byte("to all"))
	if err != nil {
		t.Fatal(err)
	}
	g.Broadcast(bg, nil, m)
	if _, q, err := c.Read(bg); string(q) != "to all" {
		t.Errorf("%q, %v", q, err)
	}
	_ = c.Write(bg, conn.Binary, make([]byte, 101))
	if _, _, err := c.Read(bg); conn.CloseStatus(err) != conn.StatusMessageTooBig {
		t.Errorf("over the limit: %v", err)
	}
}

// TestShutdown: http.Server.Shutdown waits for the streams, which Group.Shutdown closes.
func TestShutdown(t *testing.T) {
	g := &conn.Group{}
	s := serve(t, echo(&conn.AcceptOptions{Group: g}), nil)
	c := s.dial(t, newPool(t), "/", nil)
	short, cancel := context.WithTimeout(bg, 50*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a WebSocket: %v", err)
	}
	read := make(chan error, 1)
	go func() { _, _, err := c.Read(bg); read <- err }()
	if err := g.Shutdown(bg, conn.ShutdownOptions{}); err != nil {
		t.Error(err)
	}
	if err := <-read; conn.CloseStatus(err) != conn.StatusGoingAway {
		t.Errorf("the client: %v", err)
	}
	if err := s.Shutdown(bg); err != nil {
		t.Errorf("without: %v", err)
	}
}

// TestMiddleware that wraps the ResponseWriter, and a body, is passed by; timeouts of the server are for requests.
func TestMiddleware(t *testing.T) {
	inner := echo(nil)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("Content-Encoding", "gzip")
		r.Body = http.MaxBytesReader(w, r.Body, 10)
		inner.ServeHTTP(upper{w}, r)
	})
	const timeout = 500 * time.Millisecond
	s := serve(t, h, func(srv *http.Server) {
		srv.ReadTimeout, srv.WriteTimeout = timeout, timeout
		_ = http2.Configure(srv)
	})
	p := newPool(t)
	dial := func() (*conn.Conn, *http.Response) {
		for end := time.Now().Add(time.Minute); ; {
			began := time.Now()
			c, resp, err := s.try(p, "/", nil)
			switch took := time.Since(began); {
			case err == nil && took < timeout:
				return c, resp
			case err == nil: // the timeouts may have passed before Accept
				_ = c.CloseNow()
			case took < timeout || time.Now().After(end):
				t.Fatal(err)
			}
		}
	}
	c, resp := dial()
	if resp.Header.Get("Set-Cookie") != "a=b" || resp.Header.Get("Content-Encoding") != "" {
		t.Errorf("header: %v", resp.Header)
	}
	time.Sleep(2 * timeout)
	text := strings.Repeat("lower", 100)
	if err := c.Write(bg, conn.Text, []byte(text)); err != nil {
		t.Fatal(err)
	}
	if _, q, err := c.Read(bg); string(q) != text {
		t.Errorf("%q, %v", q, err)
	}
	_ = c.CloseNow()
	c, _ = dial()
	_ = c.CloseNow()
}

// upper writes in capitals.
type upper struct{ http.ResponseWriter }

func (u upper) Unwrap() http.ResponseWriter { return u.ResponseWriter }

func (u upper) Write(p []byte) (int, error) { return u.ResponseWriter.Write(bytes.ToUpper(p)) }

// TestNoFlush: where a response is buffered whole, the request is refused, and says why.
func TestNoFlush(t *testing.T) {
	var refused error
	s := serve(t, http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, refused = conn.Accept(w, r, nil)
	}), time.Minute, ""), func(*http.Server) {})
	_, _, err := s.try(newPool(t), "/", nil)
	if e, ok := errors.AsType[*conn.HandshakeError](err); !ok || e.Status != 500 {
		t.Errorf("the client: %v", err)
	}
	if e, ok := errors.AsType[*conn.HandshakeError](refused); !ok || e.Token != "no_stream" {
		t.Errorf("the server: %v", refused)
	}
}

// TestWhatHandlersLeave: what a handler does with its request behind Accept does not reach the stream, as when it was hijacked.
func TestWhatHandlersLeave(t *testing.T) {
	for name, leave := range map[string]func(w http.ResponseWriter, r *http.Request) error{
		"it closes the body": func(w http.ResponseWriter, r *http.Request) error { return r.Body.Close() },
		"it reads the body": func(w http.ResponseWriter, r *http.Request) error {
			if _, err := io.ReadAll(r.Body); err == nil {
				return errors.New("the body can be read")
			}
			return nil
		},
		"it writes": func(w http.ResponseWriter, r *http.Request) error {
			if _, err := w.Write([]byte("\x81\x02no")); !errors.Is(err, http.ErrHijacked) {
				return errors.New("it is written")
			}
			return nil
		},
		"it answers by an error": func(w http.ResponseWriter, r *http.Request) error { http.Error(w, "no", 500); return nil },
		"it flushes": func(w http.ResponseWriter, r *http.Request) error {
			if err := http.NewResponseController(w).Flush(); !errors.Is(err, http.ErrHijacked) {
				return errors.New("it is flushed")
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			returned := make(chan struct{})
			s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(returned)
				c, err := conn.Accept(w, r, nil)
				if err != nil {
					return
				}
				c.ServeInBackground(func(c *conn.Conn, m conn.Message) error { return c.Write(bg, m.Type, m.Data) }, nil)
				if err := leave(w, r); err != nil {
					t.Error(err)
				}
			}), nil)
			c := s.dial(t, newPool(t), "/", nil)
			if err := c.Write(bg, conn.Text, []byte("x")); err != nil {
				t.Error(err)
			}
			if _, q, err := c.Read(bg); string(q) != "x" {
				t.Errorf("%q, %v", q, err)
			}
			<-returned
			if err := c.Close(conn.StatusNormalClosure, ""); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestATimeoutHandler ends the wait for its handler only: the connection stays, and what the handler's middleware then writes is not sent.
func TestATimeoutHandler(t *testing.T) {
	accepted, over := make(chan struct{}), make(chan struct{})
	h := http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		close(accepted)
		_ = c.Serve(bg, func(c *conn.Conn, m conn.Message) error { return c.Write(bg, m.Type, m.Data) })
	}), time.Hour, "too late")
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(overdue{r.Context(), accepted}))
		close(over)
	}), nil)
	c := s.dial(t, newPool(t), "/", nil)
	<-over
	if err := c.Write(bg, conn.Text, []byte("in time")); err != nil {
		t.Fatal(err)
	}
	if _, q, err := c.Read(bg); string(q) != "in time" {
		t.Errorf("%q, %v", q, err)
	}
}

// overdue is a context whose deadline passes when a channel is closed.
type overdue struct {
	context.Context
	passed chan struct{}
}

func (o overdue) Done() <-chan struct{} { return o.passed }

func (o overdue) Err() error {
	select {
	case <-o.passed:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// TestAcceptBehindAnAnswer says that it is too late.
func TestAcceptBehindAnAnswer(t *testing.T) {
	errs := make(chan error, 1)
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		_, err := conn.Accept(w, r, nil)
		errs <- err
	}), nil)
	c, _, err := s.try(newPool(t), "/", nil)
	if err == nil {
		_ = c.CloseNow()
	}
	if e, ok := errors.AsType[*conn.HandshakeError](<-errs); !ok || e.Token != "no_stream" {
		t.Errorf("%v", e)
	}
}

// TestClosingEndsTheStream at once, whoever reads, though the client does not end its direction.
func TestClosingEndsTheStream(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, nil); err == nil {
			c.ServeInBackground(func(c *conn.Conn, m conn.Message) error { return c.Write(bg, m.Type, m.Data) }, nil)
		}
	}), nil)
	r, _ := rawClient(t, s)
	for id := uint32(1); id < 1000; id += 2 {
		r.open(id)
		r.check(r.WriteData(id, false, message("x")))
		r.check(r.WriteData(id, false, []byte{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8}))
		if how, _ := r.ending(id); how != "END_STREAM" {
			t.Fatal(how)
		}
	}
}

// TestAcceptTwice takes a stream once.
func TestAcceptTwice(t *testing.T) {
	errs := make(chan error, 1)
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			errs <- err
			return
		}
		_, err = conn.Accept(w, r, nil)
		errs <- err
		_ = c.Close(conn.StatusNormalClosure, "")
	}), nil)
	c := s.dial(t, newPool(t), "/", nil)
	if err := <-errs; err == nil {
		t.Error("accepted twice")
	}
	if _, _, err := c.Read(bg); conn.CloseStatus(err) != conn.StatusNormalClosure {
		t.Error(err)
	}
}

// TestGoroutines: a stream has one beside its handler's, whether the handler stays or returns.
func TestGoroutines(t *testing.T) {
	const n = 50
	background := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, nil); err == nil {
			c.ServeInBackground(func(c *conn.Conn, m conn.Message) error { return c.Write(bg, m.Type, m.Data) }, nil)
		}
	})
	for name, handler := range map[string]http.Handler{"one that stays": echo(nil), "one that returns": background} {
		r, _ := rawClient(t, serve(t, handler, nil))
		r.open(1)
		before := runtime.NumGoroutine()
		for i := range uint32(n) {
			r.open(3 + 2*i)
			r.check(r.WriteData(3+2*i, false, message("x")))
			r.payload(3+2*i, 3)
		}
		// Those that have sent the answers are ending.
		for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			more := runtime.NumGoroutine() - before
			if more <= 2*n+n/10 {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s: %d goroutines for %d streams", name, more, n)
			}
		}
	}
}

// TestWindowsOfOneByte: a client that opens its window by one byte at a time gets a message all the same.
func TestWindowsOfOneByte(t *testing.T) {
	r, _ := rawClient(t, serve(t, echo(nil), nil), xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 1})
	r.open(1)
	r.check(r.WriteData(1, false, message("byte by byte")))
	var got []byte
	for len(got) < 14 {
		got = append(got, r.payload(1, 1)...)
		r.check(r.WriteWindowUpdate(1, 1))
	}
	if string(got[2:]) != "byte by byte" {
		t.Errorf("%q", got)
	}
}

// TestADataFrameForEachByte carries a message in as many frames as it has bytes.
func TestADataFrameForEachByte(t *testing.T) {
	r, _ := rawClient(t, serve(t, echo(nil), nil))
	r.open(1)
	for _, b := range message("byte by byte") {
		r.check(r.WriteData(1, false, []byte{b}))
	}
	if got := r.payload(1, 14); string(got[2:]) != "byte by byte" {
		t.Errorf("%q", got)
	}
}

func TestConfigure(t *testing.T) {
	srv := &http.Server{HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: 1 << 20, MaxConcurrentStreams: 7}}
	if err := http2.Configure(srv); err != nil {
		t.Fatal(err)
	}
	if c := srv.HTTP2; c.MaxReceiveBufferPerStream != 1<<20 || c.MaxConcurrentStreams != 7 || c.MaxReceiveBufferPerConnection != http2.ConnectionBuffer {
		t.Errorf("%+v", c)
	}
	if !srv.Protocols.HTTP2() || !srv.Protocols.HTTP1() || srv.Handler == nil {
		t.Errorf("%v", srv.Protocols)
	}
	negative := &http.Server{HTTP2: &http.HTTP2Config{MaxConcurrentStreams: -1}}
	if err := http2.Configure(negative); err != nil || negative.HTTP2.MaxConcurrentStreams != 0 {
		t.Errorf("%v, %d streams", err, negative.HTTP2.MaxConcurrentStreams)
	}
	t.Setenv("GODEBUG", "x=1")
	if err := http2.Configure(&http.Server{}); !errors.Is(err, http2.ErrNotEnabled) {
		t.Error(err)
	}
}
