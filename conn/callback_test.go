package conn

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// misuser calls something in one of the callbacks, once.
type misuser struct {
	where string
	what  func(*Conn)
	begun atomic.Bool // MessageOut comes again within what is called
	other *Conn       // for callbacks that have no connection yet
	done  chan struct{}
}

func (m *misuser) at(where string, c *Conn) {
	if where != m.where {
		return
	}
	if c == nil {
		c = m.other
	}
	if m.begun.CompareAndSwap(false, true) {
		defer close(m.done)
		m.what(c)
	}
}

// hook is the misuser as an Observer.
type hook struct{ *misuser }

func (h hook) Opened(c *Conn)                         { h.at("Opened", c) }
func (h hook) Refused(*http.Request, *HandshakeError) { h.at("Refused", nil) }
func (h hook) MessageIn(c *Conn, _ MessageType, _ int) {
	h.at("MessageIn", c)
}
func (h hook) MessageOut(c *Conn, _ MessageType, _ int) { h.at("MessageOut", c) }
func (h hook) Closed(c *Conn, _ *CloseError)            { h.at("Closed", c) }

// handled are the callbacks of a server under net/http.
var handled = []string{"Key", "Check", "SelectSubprotocol", "Refused", "Opened", "MessageIn", "MessageOut", "Serve", "Closed"}

// TestEveryCallbackMayBeMisused: whatever a callback does, the connection ends when its peer is gone, its place, its socket and
// its buffers are given back, and no call waits for itself.
func TestEveryCallbackMayBeMisused(t *testing.T) {
	if !apart(t) {
		return
	}
	quiet := log.Writer()
	log.SetOutput(io.Discard) // net/http reports the panics
	defer log.SetOutput(quiet)
	bufpool.Track(true)
	defer bufpool.Track(false)
	ways := []bool{false, true}
	if testing.Short() {
		ways = ways[:1]
	}
	for _, native := range ways {
		for _, where := range append(handled, "Go", "ended", "pick") {
			for _, what := range []string{
				"panics", "ends its goroutine", "closes", "closes now", "shuts down", "reads", "writes", "sends", "broadcasts", "pings", "streams",
			} {
				if what == "panics" && (where == "Go" || where == "ended") {
					continue // that ends the program: see below
				}
				if native && (where == "Go" || where == "ended" || where == "pick") {
					continue // the same
				}
				name := where + " " + what
				if native {
					name += " without net/http"
				}
				t.Run(name, func(t *testing.T) { misuse(t, where, what, native) })
			}
		}
	}
	if n := outstanding(); n != 0 {
		t.Errorf("%d buffers not returned:\n%s", n, bufpool.Holders())
	}
}

func misuse(t *testing.T, where, what string, native bool) {
	g := &Group{MaxConns: 2}
	m := &misuser{where: where, done: make(chan struct{})}
	ctx, cancel := context.WithTimeout(bg, patience) // what hangs until then has hung
	defer cancel()
	inside := errors.New("not called")
	m.what = func(c *Conn) {
		switch what {
		case "panics":
			panic(http.ErrAbortHandler)
		case "ends its goroutine":
			runtime.Goexit()
		case "closes":
			inside = c.Close(StatusNormalClosure, "in a callback")
		case "closes now":
			inside = c.CloseNow()
		case "shuts down":
			inside = g.Shutdown(ctx, ShutdownOptions{})
		case "reads":
			_, _, inside = c.Read(ctx)
		case "writes":
			inside = c.Write(ctx, Text, []byte("from a callback"))
		case "sends":
			inside = c.Send(bg, prepare(t, Text, "from a callback"))
		case "broadcasts":
			g.Broadcast(bg, nil, prepare(t, Text, "to all"))
			inside = nil
		case "pings":
			_, inside = c.Ping(ctx)
		case "streams":
			w, err := c.Writer(ctx, Text)
			if err == nil {
				_, err = w.Write([]byte("in pieces"))
				err = errors.Join(err, w.Close())
			}
			inside = err
		}
		if ctx.Err() != nil {
			t.Errorf("the call waited for itself: %v", inside)
		}
	}
	o := &AcceptOptions{
		Group: g, Observer: hook{m}, CloseTimeout: 2 * time.Second,
		Check: func(*http.Request) error {
			m.at("Check", nil)
			return nil
		},
		SelectSubprotocol: func(*http.Request, []string) (string, error) {
			m.at("SelectSubprotocol", nil)
			return "", nil
		},
	}
	g.Key = func(*http.Request) string {
		m.at("Key", nil)
		return ""
	}
	if where == "Refused" {
		o.AllowAnyOrigin = false
	}
	// A bystander, which is not to be disturbed.
	bystander, other := pair(t, "tls")
	var serving sync.WaitGroup
	for _, c := range []*Conn{bystander, other} {
		serving.Go(func() { _ = c.Serve(bg, func(*Conn, Message) error { return nil }) })
		for !c.in.serving.Load() {
			runtime.Gosched()
		}
	}
	m.other = other

	serveIt := func(c *Conn) {
		echo := func(c *Conn, msg Message) error {
			m.at("Serve", c)
			m.at("Go", c)
			g.Broadcast(bg, func(c *Conn) bool {
				m.at("pick", c)
				return false
			})
			return c.Write(c.Context(), msg.Type, msg.Data)
		}
		if where == "Go" || where == "ended" {
			c.ServeInBackground(echo, func(error) { m.at("ended", c) })
			return
		}
		_ = c.Serve(bg, echo)
	}
	var url string
	var do *DialOptions
	if native {
		addr, cc := nativeServer(t, o, serveIt)
		url, do = "wss://"+addr, &DialOptions{TLS: cc}
	} else {
		url, do = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c, err := Accept(w, r, o); err == nil {
				serveIt(c)
			}
		}), true, true)
	}
	if where == "Refused" {
		do.Header = http.Header{"Origin": {"https://elsewhere.example"}}
	}
	do.Subprotocols = []string{"any"}
	c, _, err := Dial(ctx, url, do)
	soon, stop := context.WithTimeout(ctx, 300*time.Millisecond) // where nothing is to come
	defer stop()
	if err == nil {
		// What the server does to this connection shows here as an error or not at all.
		if c.Write(ctx, Text, []byte("hello")) == nil {
			_, _, _ = c.Read(soon)
		}
		if where == "Closed" || where == "ended" {
			_ = c.Close(StatusNormalClosure, "")
		} else if what == "closes" || what == "shuts down" {
			_, _, _ = c.Read(soon) // answers the close frame
		}
		_ = c.CloseNow()
	}
	select {
	case <-m.done:
	case <-ctx.Done():
		t.Fatal("the callback did not return")
	}
	if where != "Refused" {
		empty, stop := context.WithTimeout(bg, patience)
		defer stop()
		if err := g.Shutdown(empty, ShutdownOptions{}); err != nil {
			t.Errorf("the group did not empty: %v", err)
		}
	}
	g.mu.Lock()
	left := len(g.members) + g.entering
	g.mu.Unlock()
	if left != 0 {
		t.Errorf("%d slots are left", left)
	}
	_ = bystander.CloseNow()
	_ = other.CloseNow()
	serving.Wait()
	if want := map[string]error{"reads": ErrServing, "pings": ErrInCallback}[what]; want != nil && (where == "Serve" || where == "Go") &&
		!errors.Is(inside, want) {
		t.Errorf("got %v, want %v", inside, want)
	}
	if what == "closes now" && (where == "Opened" || where == "Serve" || where == "Go" || where == "MessageIn" || where == "MessageOut") && inside != nil {
		t.Errorf("CloseNow: %v", inside)
	}
	if what == "shuts down" && where != "ended" && where != "pick" && !errors.Is(inside, ErrInCallback) {
		t.Errorf("got %v, want %v", inside, ErrInCallback)
	}
}

// nativeServer serves Upgrade without net/http; what panics or ends a goroutine does so in one that nobody needs.
func nativeServer(t *testing.T, o *AcceptOptions, f func(*Conn)) (addr string, client *tls.Config) {
	t.Helper()
	ln, addr, cc := nativeListener(t, true)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Add(1)
			go func() {
				defer wg.Done()
				defer func() { _ = recover() }()
				if c, err := Upgrade(bg, nc, o); err == nil {
					f(c)
				}
			}()
		}
	})
	t.Cleanup(func() { _ = ln.Close(); wg.Wait() })
	return addr, cc
}

// TestEveryCallbackOfAClientMayBeMisused, too.
func TestEveryCallbackOfAClientMayBeMisused(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"Opened", "MessageIn", "MessageOut", "Closed"} {
		for _, what := range []string{"panics", "ends its goroutine", "closes", "closes now", "reads", "writes", "pings"} {
			t.Run(where+" "+what, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(bg, patience)
				defer cancel()
				var held *Conn
				m := &misuser{where: where, done: make(chan struct{})}
				m.what = func(c *Conn) {
					held = c
					switch what {
					case "panics":
						panic(http.ErrAbortHandler)
					case "ends its goroutine":
						runtime.Goexit()
					case "closes":
						_ = c.Close(StatusNormalClosure, "")
					case "closes now":
						_ = c.CloseNow()
					case "reads":
						// The server echoes: there may be nothing to read yet.
						short, stop := context.WithTimeout(ctx, 10*time.Millisecond)
						defer stop()
						_, _, _ = c.Read(short)
					case "writes":
						_ = c.Write(ctx, Text, []byte("again"))
					case "pings":
						if _, err := c.Ping(ctx); !errors.Is(err, ErrInCallback) && c.life.err() == nil {
							t.Errorf("a ping: %v", err)
						}
					}
				}
				url, o := serve(t, echoHandler(nil), true, true)
				o.Observer = hook{m}
				done := make(chan struct{})
				go func() {
					defer close(done)
					defer func() { _ = recover() }()
					c, _, err := Dial(ctx, url, o)
					if err != nil {
						return
					}
					defer func() { _ = c.CloseNow() }()
					echo := ctx
					if where == "MessageOut" && what == "reads" { // the callback may have read it
						soon, stop := context.WithTimeout(ctx, 300*time.Millisecond)
						defer stop()
						echo = soon
					}
					if c.Write(ctx, Text, []byte("hello")) == nil {
						_, _, _ = c.Read(echo)
					}
					_ = c.Close(StatusNormalClosure, "")
				}()
				select {
				case <-done:
				case <-ctx.Done():
					t.Fatal("it hangs")
				}
				<-m.done
				if held.life.err() == nil {
					t.Error("the connection is open")
				}
			})
		}
	}
}

// TestAPanicInGoEndsTheProgram, as one of any goroutine does, with the panic's own words.
func TestAPanicInGoEndsTheProgram(t *testing.T) {
	if os.Getenv("WSS_TEST_PANIC") != "" {
		client, server := pair(t, "plain")
		server.ServeInBackground(func(*Conn, Message) error { panic("in a callback of Go") }, nil)
		_ = client.Write(bg, Text, nil)
		_, _, _ = client.Read(bg)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestAPanicInGoEndsTheProgram$")
	cmd.Env = append(os.Environ(), "WSS_TEST_PANIC=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "panic: in a callback of Go") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestAPanicInACallbackGivesThePlaceBack: as often as there are places, and more often.
func TestAPanicInACallbackGivesThePlaceBack(t *testing.T) {
	quiet := log.Writer()
	log.SetOutput(io.Discard)
	defer log.SetOutput(quiet)
	for _, where := range []string{"Key", "Check", "SelectSubprotocol", "Opened"} {
		t.Run(where, func(t *testing.T) {
			panics := func(at string) {
				if at == where {
					panic(http.ErrAbortHandler)
				}
			}
			g := &Group{MaxConns: 2, Key: func(*http.Request) string { panics("Key"); return "" }}
			o := &AcceptOptions{
				Group:             g,
				Check:             func(*http.Request) error { panics("Check"); return nil },
				SelectSubprotocol: func(*http.Request, []string) (string, error) { panics("SelectSubprotocol"); return "", nil },
				Observer:          panicking{where: where},
			}
			url, do := serve(t, echoHandler(o), true, true)
			for range 5 {
				if c, _, err := Dial(bg, url, do); err == nil {
					_ = c.CloseNow()
					t.Fatal("let in")
				} else if e, ok := errors.AsType[*HandshakeError](err); ok && e.Status == 503 {
					t.Fatal("a slot was not given back:", err)
				}
			}
			if err := g.Shutdown(bg, ShutdownOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
}

type panicking struct {
	NopObserver
	where string
}

func (p panicking) Opened(*Conn) {
	if p.where == "Opened" {
		panic(http.ErrAbortHandler)
	}
}

// TestAGroupedConnectionMayEndInOpened, before it has joined: by the callback, or by anybody meanwhile.
func TestAGroupedConnectionMayEndInOpened(t *testing.T) {
	for name, end := range map[string]func(c *Conn){
		"CloseNow":              func(c *Conn) { _ = c.CloseNow() },
		"an abort of keepalive": func(c *Conn) { c.abort(ErrPingTimeout) },
		"another goroutine": func(c *Conn) {
			done := make(chan struct{})
			go func() {
				_ = c.CloseNow()
				close(done)
			}()
			<-done
		},
	} {
		for _, age := range []time.Duration{0, time.Hour} {
			g := &Group{MaxConns: 1, MaxAge: age}
			slot, err := g.admit(&http.Request{})
			if err != nil {
				t.Fatal(err)
			}
			cn, sn := ends(t, "plain")
			o := &ender{end: end}
			c := opened{transport: transport.New(sn), role: frame.Server, settings: newSettings(0, 0, 0, 0), observer: o, member: slot}.start()
			if c.life.err() == nil || o.closed != 1 || g.Len() != 0 {
				t.Errorf("%s: %v, Closed was called %d times, %d are in the group", name, c.life.err(), o.closed, g.Len())
			}
			if _, err := g.admit(&http.Request{}); err != nil {
				t.Errorf("%s: the slot is taken: %v", name, err)
			}
			_ = cn.Close()
		}
	}
}

// ender ends a connection in Opened.
type ender struct {
	NopObserver
	end    func(*Conn)
	closed int
}

func (e *ender) Opened(c *Conn)            { e.end(c) }
func (e *ender) Closed(*Conn, *CloseError) { e.closed++ }
