package http3_test

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

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/seed-c4549abd/wss/conn"
	wsshttp3 "github.com/seed-c4549abd/wss/http3"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

var bg = context.Background()

type server struct {
	*http3.Server
	addr   string
	client *tls.Config
}

// serve starts a server over UDP.
func serve(t *testing.T, handler http.Handler) *server {
	t.Helper()
	sc, cc := testtls.Configs(tls.VersionTLS13)
	sc.NextProtos, cc.NextProtos = nil, nil
	srv := &http3.Server{Handler: handler, TLSConfig: http3.ConfigureTLSConfig(sc), QUICConfig: patient()}
	wsshttp3.Configure(srv)
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() { defer close(served); _ = srv.Serve(pc) }()
	t.Cleanup(func() { _ = srv.Close(); <-served; _ = pc.Close() })
	return &server{srv, pc.LocalAddr().String(), cc}
}

// patient has handshakes take their time: a busy machine may stop for longer than quic-go's timeout.
func patient() *quic.Config {
	return &quic.Config{HandshakeIdleTimeout: time.Minute, MaxIdleTimeout: 5 * time.Minute}
}

func newPool(t *testing.T) *wsshttp3.Pool {
	p := &wsshttp3.Pool{Require: true, QUIC: patient()}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func (s *server) try(p *wsshttp3.Pool, path string, change func(*conn.DialOptions)) (*conn.Conn, *http.Response, error) {
	o := &conn.DialOptions{TLS: s.client, Multiplexer: p, HandshakeTimeout: time.Minute}
	if change != nil {
		change(o)
	}
	return conn.Dial(bg, "wss://"+s.addr+path, o)
}

func (s *server) dial(t *testing.T, p *wsshttp3.Pool, path string, change func(*conn.DialOptions)) *conn.Conn {
	t.Helper()
	c, _, err := s.try(p, path, change)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

// echo answers in the background, so that its handlers return.
func echo(o *conn.AcceptOptions) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, o); err == nil {
			c.ServeInBackground(func(c *conn.Conn, m conn.Message) error { return c.Write(bg, m.Type, m.Data) }, nil)
		}
	})
}

func TestAnEcho(t *testing.T) {
	s := serve(t, echo(&conn.AcceptOptions{Compression: conn.Compression{Mode: conn.CompressionTakeover}}))
	c := s.dial(t, newPool(t), "/echo?x=1", func(o *conn.DialOptions) { o.Compression.Mode = conn.CompressionTakeover })
	if v := c.HTTPVersion(); v != "HTTP/3" || !c.Compressed() {
		t.Errorf("HTTPVersion: %s, compressed: %v", v, c.Compressed())
	}
	if state, ok := c.TLS(); !ok || state.NegotiatedProtocol != "h3" {
		t.Errorf("TLS: %v %v", ok, state.NegotiatedProtocol)
	}
	for _, n := range []int{0, 1, 125, 126, 5000, 70_000, 1 << 20} {
		text := strings.Repeat("x", n)
		go func() { _ = c.Write(bg, conn.Text, []byte(text)) }()
		_, p, err := c.Read(bg)
		if err != nil || string(p) != text {
			t.Fatalf("%d bytes: %d came, %v", n, len(p), err)
		}
	}
	if err := c.Close(conn.StatusNormalClosure, "bye"); err != nil {
		t.Error(err)
	}
}

// TestManyOnOneConnection: WebSockets share it, and one that ends leaves the others alone.
func TestManyOnOneConnection(t *testing.T) {
	s := serve(t, echo(nil))
	p := newPool(t)
	var wg sync.WaitGroup
	addrs := make(chan string, 50)
	for range 50 {
		wg.Go(func() {
			c, _, err := s.try(p, "/", nil)
			if err != nil {
				t.Error(err)
				return
			}
			addrs <- c.LocalAddr().String()
			for range 10 {
				if err := c.Write(bg, conn.Text, []byte("x")); err != nil {
					t.Error(err)
				}
				if _, _, err := c.Read(bg); err != nil {
					t.Error(err)
				}
			}
			if err := c.Close(conn.StatusNormalClosure, ""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	close(addrs)
	first := <-addrs
	for a := range addrs {
		if a != first {
			t.Errorf("%s and %s", first, a)
		}
	}
}

// TestManyConnections: another one is made when one has as many WebSockets as servers allow, and burst of dials gets through.
func TestManyConnections(t *testing.T) {
	s := serve(t, echo(nil))
	p := newPool(t)
	addrs := map[string]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 250 {
		wg.Go(func() {
			c, _, err := s.try(p, "/", nil)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			addrs[c.LocalAddr().String()]++
		})
	}
	wg.Wait()
	if len(addrs) != 3 {
		t.Errorf("%v", addrs)
	}
}

// TestWhatHandlersLeave: a handler may close its body, and what it writes behind Accept is not sent. A panic resets the stream.
func TestWhatHandlersLeave(t *testing.T) {
	written := make(chan error, 1)
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer r.Body.Close()
		c, err := conn.Accept(w, r, nil)
		if err != nil {
			return
		}
		if r.URL.Path == "/panic" {
			panic(http.ErrAbortHandler)
		}
		c.ServeInBackground(func(c *conn.Conn, m conn.Message) error { return c.Write(bg, m.Type, m.Data) }, nil)
		_, err = w.Write([]byte("x"))
		written <- err
	}))
	p := newPool(t)
	c := s.dial(t, p, "/", nil)
	if err := c.Write(bg, conn.Text, []byte("x")); err != nil {
		t.Error(err)
	}
	if _, q, err := c.Read(bg); string(q) != "x" {
		t.Errorf("%q, %v", q, err)
	}
	if err := <-written; !errors.Is(err, http.ErrHijacked) {
		t.Errorf("behind Accept: %v", err)
	}
	if c, _, err := s.try(p, "/panic", nil); err == nil {
		if _, _, err := c.Read(bg); conn.CloseStatus(err) != conn.StatusAbnormal {
			t.Errorf("a panic: %v", err)
		}
	}
}

// TestRefusals end their stream, and no other.
func TestRefusals(t *testing.T) {
	s := serve(t, echo(&conn.AcceptOptions{Check: func(r *http.Request) error {
		if r.URL.Path == "/no" {
			return errors.New("no")
		}
		return nil
	}}))
	p := newPool(t)
	c := s.dial(t, p, "/", nil)
	_, resp, err := s.try(p, "/no", nil)
	if e, ok := errors.AsType[*conn.HandshakeError](err); !ok || e.Status != 403 {
		t.Fatalf("%v", err)
	}
	if body, _ := io.ReadAll(resp.Body); len(body) == 0 {
		t.Error("no body")
	}
	_, _, err = s.try(p, "/", func(o *conn.DialOptions) { o.Header = http.Header{"Origin": {"https://example.com"}} })
	if e, ok := errors.AsType[*conn.HandshakeError](err); !ok || e.Status != 403 {
		t.Errorf("another origin: %v", err)
	}
	if err := c.Write(bg, conn.Text, []byte("x")); err != nil {
		t.Error(err)
	}
	if _, _, err := c.Read(bg); err != nil {
		t.Error(err)
	}
}

// TestEndings: CloseNow is an abnormal end, a closing handshake a normal one.
func TestEndings(t *testing.T) {
	ends := make(chan error, 1)
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, nil)
		if err != nil { // it may see the end first: the client has got its response by then
			ends <- &conn.CloseError{Code: conn.StatusAbnormal, Err: err}
			return
		}
		c.ServeInBackground(func(c *conn.Conn, m conn.Message) error {
			if string(m.Data) == "now" {
				_ = c.CloseNow()
			}
			return nil
		}, func(err error) { ends <- err })
	}))
	p := newPool(t)
	c := s.dial(t, p, "/", nil)
	_ = c.CloseNow()
	if err := <-ends; conn.CloseStatus(err) != conn.StatusAbnormal {
		t.Errorf("the client's CloseNow: %v", err)
	}
	c = s.dial(t, p, "/", nil)
	if err := c.Close(conn.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	if err := <-ends; err != nil {
		t.Errorf("Close: %v", err)
	}
	c = s.dial(t, p, "/", nil)
	_ = c.Write(bg, conn.Text, []byte("now"))
	if _, _, err := c.Read(bg); conn.CloseStatus(err) != conn.StatusAbnormal {
		t.Errorf("the server's CloseNow: %v", err)
	}
	<-ends
}

// TestCancelledCalls leave the connection usable.
func TestCancelledCalls(t *testing.T) {
	start := make(chan *conn.Conn, 1)
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, &conn.AcceptOptions{MessageLimit: -1}); err == nil {
			start <- c
		}
	}))
	client := s.dial(t, newPool(t), "/", func(o *conn.DialOptions) { o.MessageLimit = -1 })
	server := <-start
	defer func() { _ = server.CloseNow() }()
	for name, pair := range map[string][2]*conn.Conn{"server": {server, client}, "client": {client, server}} {
		own, peer := pair[0], pair[1]
		ctx, cancel := context.WithTimeout(bg, 20*time.Millisecond)
		if _, _, err := own.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: Read: %v", name, err)
		}
		cancel()
		err := cutOff(own, make([]byte, 8<<20))
		if e, ok := errors.AsType[*conn.InterruptedError](err); !ok || e.Closed {
			t.Fatalf("%s: Write: %v", name, err)
		}
		if _, p, err := peer.Read(bg); err != nil || len(p) != 8<<20 {
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

// TestAStreamThatNobodyReadsHoldsUpNoOther.
func TestAStreamThatNobodyReadsHoldsUpNoOther(t *testing.T) {
	over := make(chan struct{})
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, nil)
		if err != nil {
			return
		}
		switch r.URL.Path {
		case "/deaf":
			<-over
			_ = c.CloseNow()
			return
		case "/flood":
			for c.Write(bg, conn.Binary, make([]byte, 10_000)) == nil {
			}
			return
		}
		_ = c.Serve(bg, func(c *conn.Conn, m conn.Message) error { return c.Write(bg, m.Type, m.Data) })
	}))
	p := newPool(t)
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	t.Cleanup(func() { close(over) })
	for range 20 {
		s.dial(t, p, "/flood", nil) // nobody reads it
		deaf := s.dial(t, p, "/deaf", nil)
		wg.Go(func() {
			for deaf.Write(bg, conn.Binary, make([]byte, 10_000)) == nil {
			}
		})
		t.Cleanup(func() { _ = deaf.CloseNow() })
	}
	c := s.dial(t, p, "/", nil)
	for range 10 {
		go func() { _ = c.Write(bg, conn.Binary, make([]byte, 200_000)) }()
		if _, q, err := c.Read(bg); err != nil || len(q) != 200_000 {
			t.Fatal(len(q), err)
		}
	}
}

// TestServersWithoutIt: where nothing answers over UDP, Dial uses HTTP/1.1.
func TestServersWithoutIt(t *testing.T) {
	sc, cc := testtls.Configs(tls.VersionTLS13)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", sc)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: echo(nil)}
	go func() { _ = srv.Serve(ln) }()
	defer func() { _ = srv.Close() }()
	url := "wss://" + ln.Addr().String()
	p := &wsshttp3.Pool{QUIC: &quic.Config{HandshakeIdleTimeout: 200 * time.Millisecond}}
	defer func() { _ = p.Close() }()
	c, _, err := conn.Dial(bg, url, &conn.DialOptions{TLS: cc, Multiplexer: p, HandshakeTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if v := c.HTTPVersion(); v != "HTTP/1.1" {
		t.Error(v)
	}
	_ = c.CloseNow()
	strict := newPool(t)
	strict.QUIC = p.QUIC
	if _, _, err := conn.Dial(bg, url, &conn.DialOptions{TLS: cc, Multiplexer: strict, HandshakeTimeout: time.Minute}); !errors.Is(err, wsshttp3.ErrNotOffered) {
		t.Errorf("with Require: %v", err)
	}
}

// TestACertificateThatIsNotTrusted is an error, not a reason for HTTP/1.1.
func TestACertificateThatIsNotTrusted(t *testing.T) {
	s := serve(t, echo(nil))
	p := &wsshttp3.Pool{}
	defer func() { _ = p.Close() }()
	_, _, err := s.try(p, "/", func(o *conn.DialOptions) { o.TLS = &tls.Config{ServerName: "localhost"} })
	if err == nil || errors.Is(err, conn.ErrNoStreams) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("%v", err)
	}
}

func TestAClosedPool(t *testing.T) {
	s := serve(t, echo(nil))
	p := &wsshttp3.Pool{}
	c := s.dial(t, p, "/", nil)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := c.Read(bg); err == nil {
		t.Error("a message came")
	}
	if _, _, err := s.try(p, "/", nil); !errors.Is(err, wsshttp3.ErrPoolClosed) {
		t.Errorf("%v", err)
	}
	if err := p.Close(); !errors.Is(err, wsshttp3.ErrPoolClosed) {
		t.Errorf("%v", err)
	}
}

// TestHandlersReturn: a stream that ServeInBackground serves needs one goroutine.
func TestHandlersReturn(t *testing.T) {
	s := serve(t, echo(nil))
	p := newPool(t)
	s.dial(t, p, "/", nil)
	before := runtime.NumGoroutine()
	for range 50 {
		s.dial(t, p, "/", nil)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) { // handlers are returning
		more := runtime.NumGoroutine() - before
		if more <= 60 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d goroutines for 50 WebSockets", more)
		}
	}
}
