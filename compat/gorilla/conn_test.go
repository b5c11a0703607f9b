package websocket

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/testtls"
	"github.com/seed-c4549abd/wss/internal/wire"
)

// TestMain fails if goroutines or buffers are left.
func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	bufpool.Track(true)
	code := m.Run()
	if code == 0 && !settled(before) {
		code = 1
	}
	os.Exit(code)
}

func settled(goroutines int) bool {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		n := runtime.NumGoroutine()
		if n <= goroutines && bufpool.Outstanding() == 0 {
			return true
		}
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			fmt.Printf("%d goroutines are left, %d before\n%s\n%s", n, goroutines, stacks[:runtime.Stack(stacks, true)], bufpool.Holders())
			return false
		}
	}
}

// kinds of connections: with TLS over the transport of conn.NewListener, TLS over a stock listener, and no TLS.
var kinds = []string{"tls", "stock tls", "plain"}

// pair returns the two sides of a connection of one of kinds, or of "listener", which is conn.NewListener without TLS. They
// are closed when the test ends.
func pair(t testing.TB, kind string, u Upgrader, d Dialer) (client, server *Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if kind == "tls" || kind == "listener" {
		ln = conn.NewListener(ln)
	}
	accepted := make(chan *Conn, 1)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := u.Upgrade(w, r, nil)
		if err != nil {
			t.Errorf("Upgrade: %v", err)
		}
		accepted <- c
	})}
	url := "ws://" + ln.Addr().String()
	if kind == "tls" || kind == "stock tls" {
		url = "ws" + "s" + strings.TrimPrefix(url, "ws")
		srv.TLSConfig, d.TLSClientConfig = testtls.Configs(tls.VersionTLS13)
		ln = tls.NewListener(ln, srv.TLSConfig)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = srv.Serve(ln)
	}()
	client, _, err = d.Dial(url, nil)
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	server = <-accepted
	t.Cleanup(func() {
		_ = client.Close()
		_ = server.Close()
		_ = srv.Close()
		<-served
	})
	return client, server
}

// onAll runs a test over all kinds of connections.
func onAll(t *testing.T, test func(t *testing.T, client, server *Conn)) {
	t.Helper()
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			client, server := pair(t, kind, Upgrader{}, Dialer{})
			test(t, client, server)
		})
	}
}

// inBackground runs f; the function that it returns waits for its end.
func inBackground(f func()) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	return func() { <-done }
}

// echo returns messages until a read fails, and then that error.
func echo(c *Conn) error {
	for {
		typ, p, err := c.ReadMessage()
		if err != nil {
			return err
		}
		if err := c.WriteMessage(typ, p); err != nil {
			return err
		}
	}
}

func TestMessagesOfAllSizesComeBack(t *testing.T) {
	for _, compress := range []bool{false, true} {
		for _, kind := range kinds {
			t.Run(fmt.Sprintf("%s, compressed %v", kind, compress), func(t *testing.T) {
				client, server := pair(t, kind, Upgrader{EnableCompression: compress}, Dialer{EnableCompression: compress})
				defer inBackground(func() { _ = echo(server) })()
				defer client.Close()
				for _, n := range []int{0, 1, 125, 126, 4096, 4097, 65535, 65536, 1 << 20} {
					sent := bytes.Repeat([]byte("message "), n/8+1)[:n]
					if err := client.WriteMessage(TextMessage, sent); err != nil {
						t.Fatal(err)
					}
					typ, p, err := client.ReadMessage()
					if err != nil || typ != TextMessage || p == nil || !bytes.Equal(p, sent) {
						t.Fatalf("%d bytes came back as %d of type %d: %v", n, len(p), typ, err)
					}
				}
			})
		}
	}
}

// TestWritersNeedNoLock: messages of many goroutines come whole, and those of one in their order.
func TestWritersNeedNoLock(t *testing.T) {
	const writers, each = 16, 50
	onAll(t, func(t *testing.T, client, server *Conn) {
		prepared, err := NewPreparedMessage(TextMessage, []byte(`{"Writer":-1,"N":0}`))
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				for n := range each {
					err := server.SetWriteDeadline(time.Now().Add(time.Minute))
					if err == nil {
						err = server.WriteJSON(map[string]any{"Writer": w, "N": n, "Padding": strings.Repeat("x", w*n*8)})
					}
					if err == nil {
						err = server.WritePreparedMessage(prepared)
					}
					if err == nil {
						err = server.WriteControl(PingMessage, nil, time.Now().Add(time.Minute))
					}
					if err != nil {
						t.Errorf("writer %d: %v", w, err)
						return
					}
				}
			})
		}
		var next [writers]int
		for range 2 * writers * each {
			var m struct{ Writer, N int }
			if err := client.ReadJSON(&m); err != nil {
				t.Fatal(err)
			}
			if m.Writer < 0 {
				continue
			}
			if m.N != next[m.Writer] {
				t.Fatalf("writer %d: message %d, want %d", m.Writer, m.N, next[m.Writer])
			}
			next[m.Writer]++
		}
		all.Wait()
	})
}

func TestCloseEndsCallsInProgress(t *testing.T) {
	onAll(t, func(t *testing.T, client, _ *Conn) {
		var read error
		wait := inBackground(func() { _, _, read = client.ReadMessage() })
		await("conn.(*Conn).await(", "TestCloseEndsCallsInProgress")
		if err := client.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		wait()
		_, _, again := client.NextReader()
		write := client.WriteMessage(TextMessage, nil)
		for what, err := range map[string]error{"the read": read, "a read": again, "a write": write, "Close": client.Close()} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %v, want net.ErrClosed", what, err)
			}
		}
	})
}

// await returns when some goroutine is in all of the calls.
func await(calls ...string) {
	for stacks := make([]byte, 1<<20); ; runtime.Gosched() {
		for one := range bytes.SplitSeq(stacks[:runtime.Stack(stacks, true)], []byte("\n\n")) {
			if !slices.ContainsFunc(calls, func(call string) bool { return !bytes.Contains(one, []byte(call)) }) {
				return
			}
		}
	}
}

func TestAddressesAndTheConnectionBelow(t *testing.T) {
	onAll(t, func(t *testing.T, client, server *Conn) {
		if client.LocalAddr().String() != server.RemoteAddr().String() || client.RemoteAddr().String() != server.LocalAddr().String() {
			t.Errorf("%v to %v, and %v to %v", client.LocalAddr(), client.RemoteAddr(), server.LocalAddr(), server.RemoteAddr())
		}
		if client.NetConn() != client.UnderlyingConn() || client.NetConn() == nil {
			t.Error("NetConn and UnderlyingConn differ")
		}
	})
}

// TestTheConnectionBelowWithoutTLSIsTheSocket, whatever is between: the transport of conn.NewListener, and that of a proxy.
func TestTheConnectionBelowWithoutTLSIsTheSocket(t *testing.T) {
	client, server := pair(t, "listener", Upgrader{}, Dialer{})
	if err := client.WriteMessage(TextMessage, nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := server.ReadMessage(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*Conn{"client": client, "server": server} {
		if _, ok := c.NetConn().(*net.TCPConn); !ok {
			t.Errorf("%s: %T", name, c.NetConn())
		}
		if c.UnderlyingConn() != c.NetConn() {
			t.Errorf("%s: UnderlyingConn is another", name)
		}
	}
	socket := client.NetConn()
	for _, tt := range []struct {
		name string
		nc   net.Conn
	}{
		{"a proxy", wire.Tunnel(socket)},
		{"a proxy with TLS", wire.Tunnel(tls.Client(wire.TLS(socket), nil))},
	} {
		if got := socketOf(tt.nc); got != socket {
			t.Errorf("%s: %T", tt.name, got)
		}
	}
	over := tls.Client(wire.TLS(socket), nil)
	if got := socketOf(over); got != over {
		t.Errorf("TLS of the peer: %T", got)
	}
}

func TestThePeerSeesTheEndOfAClosedConnection(t *testing.T) {
	onAll(t, func(t *testing.T, client, server *Conn) {
		if err := server.WriteMessage(TextMessage, []byte("last")); err != nil {
			t.Fatal(err)
		}
		_ = server.Close()
		if _, p, err := client.ReadMessage(); err != nil || string(p) != "last" {
			t.Errorf("%q, %v", p, err)
		}
		_, _, err := client.ReadMessage()
		if e, ok := err.(*CloseError); !ok || e.Code != CloseAbnormalClosure || e.Text != io.ErrUnexpectedEOF.Error() {
			t.Errorf("%v, want 1006", err)
		}
	})
}

func TestAContextEndsADial(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	wait := inBackground(func() {
		nc, err := ln.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		_, _ = nc.Read(make([]byte, 1)) // and no answer
		cancel()
		_, _ = io.Copy(io.Discard, nc)
	})
	if _, _, err = new(Dialer).DialContext(ctx, "ws://"+ln.Addr().String(), nil); err != context.Canceled {
		t.Errorf("%v, want context.Canceled", err)
	}
	wait()
}

func TestOptionsAtTheirExtremes(t *testing.T) {
	for _, n := range []int{math.MinInt, -1, 0, 1, math.MaxInt} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			u := Upgrader{ReadBufferSize: n, WriteBufferSize: n, HandshakeTimeout: time.Duration(n)}
			d := Dialer{ReadBufferSize: n, WriteBufferSize: n, HandshakeTimeout: time.Duration(max(n, 0))}
			if n == 1 {
				d.HandshakeTimeout, u.HandshakeTimeout = 0, 0 // a nanosecond is too short
			}
			client, server := pair(t, "tls", u, d)
			server.SetReadLimit(int64(n))
			for _, end := range []time.Time{{}, time.Unix(math.MaxInt32, 0), time.Unix(1<<40, 0)} {
				for _, err := range []error{client.SetReadDeadline(end), client.SetWriteDeadline(end), writeAll(client, TextMessage, []byte("x"))} {
					if err != nil {
						t.Fatalf("%v: %v", end, err)
					}
				}
				if _, p, err := server.ReadMessage(); err != nil || string(p) != "x" {
					t.Fatalf("%q, %v", p, err)
				}
			}
		})
	}
}

func TestBuffersOfAPoolComeBack(t *testing.T) {
	pool := &countingPool{}
	client, server := pair(t, "tls", Upgrader{}, Dialer{WriteBufferPool: pool, WriteBufferSize: 16})
	for range 3 {
		w, err := client.NextWriter(TextMessage)
		if err != nil {
			t.Fatal(err)
		}
		for _, piece := range []string{"pieces", " of a message", strings.Repeat(" and more", 10)} {
			if _, err := io.WriteString(w, piece); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, p, err := server.ReadMessage(); err != nil || len(p) != len("pieces of a message")+90 {
			t.Fatalf("%q, %v", p, err)
		}
	}
	if pool.got != 3 || pool.put != 3 || len(slices.Compact(pool.all)) != 1 {
		t.Errorf("%d taken, %d given back, %d different", pool.got, pool.put, len(slices.Compact(pool.all)))
	}
}

// countingPool keeps one value.
type countingPool struct {
	v        any
	got, put int
	all      []any
}

func (p *countingPool) Get() any {
	p.got++
	v := p.v
	p.v = nil
	return v
}

func (p *countingPool) Put(v any) {
	p.put++
	p.v = v
	p.all = append(p.all, &v.(*pooled).buf[:1][0])
}
