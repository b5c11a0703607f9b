package conn

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/outbox"
	"github.com/seed-c4549abd/wss/internal/testtls"
	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/internal/wheel"
	"github.com/seed-c4549abd/wss/internal/wire"
)

// TestNothingEntersBehindACloseFrame, whatever the reason to close is and whatever is waiting to be sent: the close frame is the last
// frame that the peer gets (RFC 6455 §5.5.1), with the code of the reason.
func TestNothingEntersBehindACloseFrame(t *testing.T) {
	t.Parallel()
	type reason struct {
		code StatusCode
		do   func(c *Conn, peer net.Conn)
	}
	bad := func(b string) func(*Conn, net.Conn) {
		return func(_ *Conn, peer net.Conn) { _, _ = io.WriteString(peer, b) }
	}
	reasons := map[string]reason{
		"Close":               {1000, func(c *Conn, _ net.Conn) { go c.Close(1000, "") }},
		"Shutdown":            {1001, func(c *Conn, _ net.Conn) { c.startClose(StatusGoingAway, "") }},
		"the peer's close":    {4000, bad(string(masked(frame.Header{Fin: true, Opcode: frame.Close}, "\x0f\xa0")))},
		"a broken rule":       {1002, bad("\xf1\x80kkkk")},
		"text that is not":    {1007, bad(string(masked(frame.Header{Fin: true, Opcode: frame.Text}, "\xff")))},
		"a long message":      {1009, bad(string(masked(frame.Header{Fin: true, Opcode: frame.Text}, "")[:1]) + "\xff\x00\x00\x00\x00\x10\x00\x00\x00kkkk")},
		"a slow message":      {1008, func(c *Conn, _ net.Conn) { c.keepaliveAction(closeSlowSender) }},
		"a full queue":        {1013, func(c *Conn, _ net.Conn) { overfill(c) }},
		"nobody who reads":    {1011, func(c *Conn, _ net.Conn) { (*unreadTask)(c).Tick() }},
		"a callback's error":  {1011, func(c *Conn, _ net.Conn) { go c.closeFor(errors.New("failed")) }},
		"an unwanted message": {1008, func(c *Conn, peer net.Conn) { c.CloseRead(bg); bad("\x82\x80kkkk")(c, peer) }},
	}
	waiting := map[string]func(t *testing.T, c *Conn) (stop func()){
		"nothing": func(*testing.T, *Conn) func() { return func() {} },
		"a full queue": func(t *testing.T, c *Conn) func() {
			for range 200 {
				if err := c.Send(bg, prepare(t, Binary, strings.Repeat("q", 8000))); err != nil {
					break
				}
			}
			return func() {}
		},
		"a message that is streamed": func(t *testing.T, c *Conn) func() {
			w, err := c.Writer(bg, Binary)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = w.Write([]byte("first "))
			_ = w.Flush()
			_ = c.Send(bg, prepare(t, Text, "behind it"))
			return func() { _ = w.Close() }
		},
		"corked replies": func(t *testing.T, c *Conn) func() {
			uncork := holdCork(c)
			for range 5 {
				_ = c.Write(bg, Text, []byte("reply"))
			}
			return func() { _ = uncork() }
		},
		"a long message under way": func(t *testing.T, c *Conn) func() {
			written := make(chan struct{})
			go func() {
				_ = c.Write(bg, Binary, make([]byte, 6<<20))
				close(written)
			}()
			return func() { <-written }
		},
	}
	for why, reason := range reasons {
		for what, before := range waiting {
			for _, kind := range []string{"tls", "pipe"} {
				t.Run(why+" behind "+what+" over "+kind, func(t *testing.T) {
					t.Parallel()
					set := newSettings(0, patience, -1, 0).queueing(1<<20, CloseWhenFull)
					set.lingerTimeout = patience // a rule is broken while 6 MiB are under way to a busy reader
					cn, sn := ends(t, kind)
					c := newConn(transport.New(sn), frame.Server, "", set, nil, nil)
					defer c.CloseNow()
					stop := before(t, c)
					var all []frame.Opcode
					var last string
					read := make(chan struct{})
					go func() {
						defer close(read)
						frames(cn, func(op frame.Opcode, p []byte) {
							all = append(all, op)
							last = string(p)
							if op == frame.Close {
								_, _ = cn.Write(masked(frame.Header{Fin: true, Opcode: frame.Close}, string(p[:2])))
							}
						})
					}()
					late := prepare(t, Text, "late")
					go func() { // whatever may enter still does
						for range 50 {
							_ = c.Send(bg, late)
							_ = c.Write(bg, Text, []byte("late"))
							_, _ = c.sendPing(nil)
						}
					}()
					reason.do(c, cn)
					go func() {
						for why != "an unwanted message" { // CloseRead reads
							if _, _, err := c.Read(bg); err != nil {
								return
							}
						}
					}()
					<-read
					_ = cn.Close()
					stop()
					<-c.life.Done()
					if n := len(all); n == 0 || all[n-1] != frame.Close {
						t.Fatalf("the last of %d frames is %v: %v", n, all[max(n-1, 0):], c.life.err())
					}
					for _, op := range all[:len(all)-1] {
						if op == frame.Close {
							t.Error("data behind a close frame")
						}
					}
					if got := StatusCode(last[0])<<8 | StatusCode(last[1]); got != reason.code && got != StatusTryAgainLater {
						t.Errorf("code %v, want %v", got, reason.code)
					}
				})
			}
		}
	}
}

// overfill makes the queue too full. With a peer that reads at once it takes more than one try.
func overfill(c *Conn) {
	c.send.mu.Lock()
	defer c.send.mu.Unlock()
	var m outbox.Message
	m.Init(frame.Binary, nil, false)
	if c.send.outbox.Enqueue(&m, "", maxSize, true) == outbox.ErrQueueFull {
		_ = c.send.overflow()
		go c.send.tryFlush()
	}
}

// TestCloseNowReachesThePeerAtOnce, although a callback of Serve or ServeInBackground runs and goes on: so it is for an abort of keepalive's and
// when the time of a shutdown is over.
func TestCloseNowReachesThePeerAtOnce(t *testing.T) {
	for _, kind := range []string{"tls", "plain", "stream", "pipe"} {
		for _, how := range []string{"CloseNow", "abort", "Shutdown"} {
			for _, serve := range []string{"Serve", "Go"} {
				t.Run(kind+" "+how+" "+serve, func(t *testing.T) {
					g := &Group{}
					cn, sn := ends(t, kind)
					slot, _ := g.admit(&http.Request{})
					c := opened{transport: transport.New(sn), role: frame.Server, settings: newSettings(0, 0, 0, 0), member: slot}.start()
					inside, leave := make(chan struct{}), make(chan struct{})
					fn := func(*Conn, Message) error {
						close(inside)
						<-leave
						return nil
					}
					over := make(chan struct{})
					if serve == "Go" {
						c.ServeInBackground(fn, func(error) { close(over) })
					} else {
						go func() {
							_ = c.Serve(bg, fn)
							close(over)
						}()
					}
					if _, err := cn.Write(masked(frame.Header{Fin: true, Opcode: frame.Text}, "x")); err != nil {
						t.Fatal(err)
					}
					<-inside
					seen := make(chan error, 1)
					go func() { // the callback runs until the peer has seen the end
						_, err := io.Copy(io.Discard, cn)
						seen <- err
						close(leave)
					}()
					switch how {
					case "CloseNow":
						_ = c.CloseNow()
					case "abort":
						c.abort(ErrPingTimeout)
					case "Shutdown":
						now, cancel := context.WithCancel(bg)
						cancel()
						if err := g.Shutdown(now, ShutdownOptions{}); !errors.Is(err, context.Canceled) {
							t.Error(err)
						}
					}
					<-seen
					<-over
					_ = cn.Close()
				})
			}
		}
	}
}

// TestShutdownIsOverWhenItReturns: nobody is left of those that had to be ended.
func TestShutdownIsOverWhenItReturns(t *testing.T) {
	g := &Group{}
	dial := grouped(t, g)
	for range 100 {
		c, err := dial() // nobody reads there: no close frame is answered
		must(t, c, err)
	}
	awaitLen(g, 100)
	ctx, cancel := context.WithTimeout(bg, 50*time.Millisecond)
	defer cancel()
	if err := g.Shutdown(ctx, ShutdownOptions{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if n := g.Len(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}

// TestShutdownServerRefusesWhileItCloses: a new client is told to come back, and not by a refused connection.
func TestShutdownServerRefusesWhileItCloses(t *testing.T) {
	g := &Group{RetryAfter: 7 * time.Second}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sc, cc := testtls.Configs(0)
	srv := &http.Server{TLSConfig: sc, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := Accept(w, r, &AcceptOptions{Group: g, CloseTimeout: patience}); err == nil {
			c.ServeInBackground(echoBack, nil)
		}
	})}
	served := make(chan error, 1)
	go func() { served <- srv.ServeTLS(NewListener(ln), "", "") }()
	url := "wss://" + ln.Addr().String()
	o := &DialOptions{TLS: cc}
	c, _, err := Dial(bg, url, o)
	if err != nil {
		t.Fatal(err)
	}
	closing := make(chan struct{})
	down := make(chan error, 1)
	go func() {
		for { // the client answers when a newcomer was refused
			if _, err := c.transport.Read(nil); err == nil || err != nil {
				break
			}
		}
		<-closing
		_, _, _ = c.Read(bg)
	}()
	go func() { down <- g.ShutdownServer(bg, srv, ShutdownOptions{}) }()
	for {
		g.mu.Lock()
		begun := g.shut
		g.mu.Unlock()
		if begun {
			break
		}
		time.Sleep(time.Millisecond)
	}
	_, _, err = Dial(bg, url, o)
	if e, ok := errors.AsType[*HandshakeError](err); !ok || e.Status != 503 || e.Response.Header.Get("Retry-After") != "7" {
		t.Errorf("a newcomer got %v", err)
	}
	close(closing)
	if err := <-down; err != nil {
		t.Error(err)
	}
	if err := <-served; err != http.ErrServerClosed {
		t.Error(err)
	}
	if _, _, err := Dial(bg, url, o); err == nil {
		t.Error("the server still listens")
	}
}

// TestABroadcastReachesWhoeverHasDialed: a client whose Dial has returned is in the group.
func TestABroadcastReachesWhoeverHasDialed(t *testing.T) {
	t.Parallel()
	for _, native := range []bool{false, true} {
		g := &Group{}
		o := &AcceptOptions{Group: g}
		var url string
		var do *DialOptions
		if native {
			addr, cc := nativeServer(t, o, func(c *Conn) { _ = c.Serve(bg, echoBack) })
			url, do = "wss://"+addr, &DialOptions{TLS: cc}
		} else {
			url, do = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if c, err := Accept(w, r, o); err == nil {
					c.ServeInBackground(echoBack, nil)
				}
			}), true, true)
		}
		for range 100 {
			c, _, err := Dial(bg, url, do)
			if err != nil {
				t.Fatal(err)
			}
			if n := g.Broadcast(bg, nil, prepare(t, Text, "to all")); n != 1 {
				t.Errorf("sent to %d", n)
			}
			if _, p, err := c.Read(bg); string(p) != "to all" || err != nil {
				t.Errorf("%q, %v", p, err)
			}
			_ = c.CloseNow()
			awaitLen(g, 0)
		}
	}
}

// TestCloseIsBoundedOnce, also where Go runs and the peer reads nothing: when Close returns the connection is gone, and Close
// says so.
func TestCloseIsBoundedOnce(t *testing.T) {
	for _, reader := range []string{"nobody", "Serve", "Go", "Read"} {
		inTime(t, func(t *testing.T) {
			peer, server := rawBubble()
			_ = server.Send(bg, prepare(t, Binary, strings.Repeat("x", 500_000)))
			var wg sync.WaitGroup
			switch reader {
			case "Serve":
				wg.Go(func() { _ = server.Serve(bg, echoBack) })
			case "Go":
				server.ServeInBackground(echoBack, nil)
			case "Read":
				wg.Go(func() { _, _, _ = server.Read(bg) })
			}
			synctest.Wait()
			began := time.Now()
			err := server.Close(StatusNormalClosure, "")
			took := time.Since(began)
			if !errors.Is(err, ErrCloseTimeout) || server.life.err() == nil || took > DefaultCloseTimeout+3*wheel.Tick {
				t.Errorf("%s: %v after %v, ended by %v", reader, err, took, server.life.err())
			}
			_ = peer.Close()
			wg.Wait()
		})
	}
}

// closeless is a net.Conn without CloseWrite, as net.Pipe and most wrappers are.
type closeless struct{ net.Conn }

// TestCloseWithoutCloseWriteDoesNotWait for an end that the peer cannot be shown: its close frame is there.
func TestCloseWithoutCloseWriteDoesNotWait(t *testing.T) {
	for _, secure := range []bool{false, true} {
		for _, first := range []string{"server", "client"} {
			inTime(t, func(t *testing.T) {
				cn, sn := pipeEnds()
				var near, far net.Conn = closeless{cn}, closeless{sn}
				url := "ws://localhost/"
				sc, cc := testtls.Configs(0)
				done := make(chan *Conn, 1)
				go func() {
					nc := far
					if secure {
						nc = serverTLS(far, sc)
					}
					c, err := Upgrade(bg, nc, nil)
					if err != nil {
						t.Error(err)
					}
					done <- c
				}()
				if secure {
					url = "wss://localhost/"
				}
				client, _, err := Client(bg, near, url, &DialOptions{TLS: cc})
				if err != nil {
					t.Fatal(err)
				}
				server := <-done
				one, other := server, client
				if first == "client" {
					one, other = client, server
				}
				began := time.Now()
				var wg sync.WaitGroup
				wg.Go(func() { _, _, _ = other.Read(bg) })
				if err := one.Close(StatusNormalClosure, ""); err != nil {
					t.Errorf("the %s: %v", first, err)
				}
				wg.Wait()
				if took := time.Since(began); took > 500*time.Millisecond { // of the bubble's time, in which nothing else passes
					t.Errorf("the %s, secure %v: %v", first, secure, took)
				}
				_ = client.CloseNow()
				_ = server.CloseNow()
			})
		}
	}
}

// TestCloseReadSaysWhy: its context's cause is the connection's end, also after a message that nobody wanted.
func TestCloseReadSaysWhy(t *testing.T) {
	client, server := pair(t, "tls")
	reading := server.CloseRead(bg)
	_ = client.Write(bg, Text, []byte("unwanted"))
	if _, _, err := client.Read(bg); CloseStatus(err) != StatusPolicyViolation {
		t.Errorf("the client: %v", err)
	}
	<-reading.Done()
	if cause := context.Cause(reading); CloseStatus(cause) != StatusPolicyViolation {
		t.Errorf("the cause is %v", cause)
	}
	// While Serve reads there is nothing for CloseRead to do.
	client, server = pair(t, "tls")
	served := echo(server)
	for !server.in.serving.Load() {
		time.Sleep(time.Millisecond)
	}
	reading = server.CloseRead(bg)
	<-reading.Done()
	if cause := context.Cause(reading); !errors.Is(cause, ErrServing) {
		t.Errorf("the cause is %v", cause)
	}
	_ = client.Close(StatusNormalClosure, "")
	<-served
}

// TestAReasonThatCannotBeSent, of a *CloseError that a callback returns, is cut or left out; the code is sent.
func TestAReasonThatCannotBeSent(t *testing.T) {
	for _, tt := range []struct{ name, reason, want string }{
		{"one that fits", strings.Repeat("x", 123), strings.Repeat("x", 123)},
		{"one byte too long", strings.Repeat("x", 124), strings.Repeat("x", 123)},
		{"too long within a character", strings.Repeat("é", 62), strings.Repeat("é", 61)},
		{"very long", strings.Repeat("€", 1000), strings.Repeat("€", 41)},
		{"no UTF-8", "\xff\xfe", ""},
		{"cut within a character", "é"[:1], ""},
	} {
		for _, serve := range []string{"Serve", "Go"} {
			client, server := pair(t, "tls")
			fn := func(*Conn, Message) error { return &CloseError{Code: 4001, Reason: tt.reason} }
			over := make(chan struct{})
			if serve == "Go" {
				server.ServeInBackground(fn, func(error) { close(over) })
			} else {
				go func() {
					_ = server.Serve(bg, fn)
					close(over)
				}()
			}
			_ = client.Write(bg, Text, nil)
			_, _, err := client.Read(bg)
			e, _ := errors.AsType[*CloseError](err)
			if e == nil || e.Code != 4001 || e.Reason != tt.want {
				t.Errorf("%s, %s: the peer got %v", tt.name, serve, err)
			}
			<-over
		}
	}
}

// TestAWriterSeesTheEnd: what is added to a message after the connection's close is refused.
func TestAWriterSeesTheEnd(t *testing.T) {
	client, server := pair(t, "tls")
	served := echo(server)
	w, err := client.Writer(bg, Text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	if err := client.Close(StatusNormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	if n, err := w.Write([]byte("more")); n != 0 || CloseStatus(err) != StatusNormalClosure {
		t.Errorf("Write: %d, %v", n, err)
	}
	if n, err := w.ReadFrom(strings.NewReader("more")); n != 0 || CloseStatus(err) != StatusNormalClosure {
		t.Errorf("ReadFrom: %d, %v", n, err)
	}
	if err := w.Close(); CloseStatus(err) != StatusNormalClosure {
		t.Errorf("Close: %v", err)
	}
	<-served
}

// serverTLS is the server's side of TLS over a connection of any kind.
func serverTLS(nc net.Conn, cfg *tls.Config) net.Conn { return tls.Server(wire.New(nc), cfg) }
