package conn

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/race"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// accounted runs f as a subtest and fails unless everything that it took is given back:
// goroutines, descriptors, borrowed buffers, places on the wheel, the cork timer.
func accounted(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	if ln, err := net.Listen("tcp", "127.0.0.1:0"); err == nil { // the poller's own descriptors are there from now on
		_ = ln.Close()
	}
	goroutines, fds, places := runtime.NumGoroutine(), descriptors(), keepalives.Len()
	bufpool.Track(true)
	defer bufpool.Track(false)
	t.Run(name, f)
	var left string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		left = fmt.Sprintf("%d goroutines, %d descriptors, %d buffers, %d places on the wheel, the cork timer runs: %v",
			runtime.NumGoroutine()-goroutines, descriptors()-fds, bufpool.Outstanding(), keepalives.Len()-places,
			corkTimers.isRunning())
		if runtime.NumGoroutine() <= goroutines && descriptors() <= fds && bufpool.Outstanding() == 0 &&
			keepalives.Len() <= places && !corkTimers.isRunning() {
			return
		}
	}
	buf := make([]byte, 1<<20)
	t.Errorf("%s: left behind: %s\n%s%s", name, left, bufpool.Holders(), buf[:runtime.Stack(buf, true)])
}

// waiting runs subtests at the same time, however few processors there are: they wait more than they work.
type waiting struct{ sync.WaitGroup }

func (w *waiting) run(t *testing.T, name string, f func(t *testing.T)) {
	w.Go(func() { t.Run(name, f) })
}

// relay stands between a client and its server and treats what passes as a bad network
// would. It serves one connection.
type relay struct {
	buffers int        // of its sockets, in bytes; zero: the system's
	piece   func() int // how much goes on at once; nil: what is here
	cut     [2]int64   // bytes from the client, and from the server, that still pass; negative: all
	reset   bool       // the end is a reset, not a FIN

	passed [2]atomic.Int64
	dead   atomic.Bool
	ends   [2]*net.TCPConn // the client's and the server's
	wg     sync.WaitGroup
}

// dial is a DialOptions.NetDial.
func (r *relay) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	ln, err := net.Listen("tcp", loopback()+":0")
	if err != nil {
		return nil, err
	}
	defer ln.Close()
	// From the relay's own address too: after a reset the next relay may get the same port at once, while the
	// server still ends this connection, and tests know a connection by its address.
	own := ln.Addr().(*net.TCPAddr).IP
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: own}}
	server, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		return nil, err
	}
	near, err := ln.Accept()
	if err != nil {
		return nil, err
	}
	r.ends = [2]*net.TCPConn{near.(*net.TCPConn), server.(*net.TCPConn)}
	tighten(r.buffers, client, near, server)
	r.wg.Add(2)
	go r.pass(0, r.ends[0], r.ends[1])
	go r.pass(1, r.ends[1], r.ends[0])
	return client, nil
}

// loopback returns an address to listen on for one connection. A closed connection keeps its port for a minute, and
// thousands of them would leave none; so it is another address each time, where all of 127.0.0.0/8 are ours.
func loopback() string {
	if runtime.GOOS != "linux" {
		return "127.0.0.1"
	}
	return fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
}

// tighten gives sockets small buffers: writes are short, and reads get little. What a
// socket receives into stays large enough for the loopback's segments: were one ever
// dropped, the kernel would wait for as long as a minute before it sends it again.
func tighten(size int, conns ...net.Conn) {
	for _, nc := range conns {
		if size > 0 {
			_ = nc.(*net.TCPConn).SetReadBuffer(64 * size)
			_ = nc.(*net.TCPConn).SetWriteBuffer(size)
		}
	}
}

var relayBuffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

func (r *relay) pass(way int, from, to *net.TCPConn) {
	defer r.wg.Done()
	pooled := relayBuffers.Get().(*[32 << 10]byte)
	defer relayBuffers.Put(pooled)
	buf := pooled[:]
	if r.cut[way] == 0 {
		r.breakOff()
	}
	for {
		n, err := from.Read(buf)
		for p := buf[:n]; len(p) > 0 && !r.dead.Load(); {
			k := len(p)
			if r.piece != nil {
				k = min(k, r.piece())
			}
			if r.cut[way] >= 0 {
				k = int(min(int64(k), r.cut[way]-r.passed[way].Load()))
			}
			if _, err := to.Write(p[:k]); err != nil {
				break // the other way learns of it as well
			}
			p = p[k:]
			if r.passed[way].Add(int64(k)) == r.cut[way] {
				r.breakOff()
			}
		}
		if err != nil {
			_ = to.CloseWrite()
			return
		}
	}
}

// breakOff ends both ways, once. After a FIN what still comes is read and forgotten: a
// socket that is closed with unread bytes would send a reset.
func (r *relay) breakOff() {
	if r.dead.Swap(true) {
		return
	}
	for _, nc := range r.ends {
		if r.reset {
			_ = nc.SetLinger(0)
			_ = nc.Close()
		} else {
			_ = nc.CloseWrite()
		}
	}
}

// wait returns when both ends have closed their connections.
func (r *relay) wait() {
	r.wg.Wait()
	for _, nc := range r.ends {
		if nc != nil {
			_ = nc.Close()
		}
	}
}

// tight is a listener whose connections have small buffers.
type tight struct {
	net.Listener
	buffers int
}

func (l tight) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err == nil {
		tighten(l.buffers, nc)
	}
	return nc, err
}

// routes are the ways over a real network: TLS on our wire, no TLS, TLS without our wire.
var routes = []string{"tls", "plain", "stream"}

// reach starts a server for h on the route, with the buffers of its sockets.
func reach(t *testing.T, route string, h http.Handler, buffers int) (url string, o *DialOptions) {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Listener = tight{srv.Listener, buffers}
	if route != "stream" {
		srv.Listener = NewListener(srv.Listener)
	}
	sc, cc := testtls.Configs(tls.VersionTLS13)
	if route == "plain" {
		srv.Start()
	} else {
		srv.TLS = sc
		srv.StartTLS()
	}
	t.Cleanup(srv.Close)
	return "ws" + strings.TrimPrefix(srv.URL, "http"), &DialOptions{TLS: cc, HandshakeTimeout: patience, CloseTimeout: patience}
}

// TestABadNetworkHarmsNothing: pieces of one byte and of any size, short writes, reads
// that get a little; what was sent arrives, compressed or not, and the close is clean.
func TestABadNetworkHarmsNothing(t *testing.T) {
	if !apart(t) {
		return
	}
	sizes := []int{0, 1, 125, 126, 16_384, 65_536, 200_000}
	for _, tt := range []struct {
		name    string
		piece   func() int
		buffers int
		most    int // the longest message
	}{
		{"a byte at a time", func() int { return 1 }, 0, 126},
		{"up to seven bytes", func() int { return 1 + rand.IntN(7) }, 0, 16_384},
		{"any piece through small buffers", func() int { return 1 + rand.IntN(3000) }, 8 << 10, 200_000},
	} {
		if race.Enabled {
			tt.most = min(tt.most, 65_536)
		}
		for _, route := range routes {
			for _, zip := range []Compression{{}, {Mode: CompressionTakeover, Threshold: -1}} {
				accounted(t, fmt.Sprintf("%s,%s,%d", tt.name, route, zip.Mode), func(t *testing.T) {
					served := make(chan error, 1)
					url, o := reach(t, route, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						c, err := Accept(w, r, &AcceptOptions{Compression: zip, CloseTimeout: patience})
						if err == nil {
							err = c.Serve(bg, echoBack)
						}
						served <- err
					}), tt.buffers)
					net := &relay{buffers: tt.buffers, piece: tt.piece, cut: [2]int64{-1, -1}}
					o.NetDial, o.Compression = net.dial, zip
					c, _, err := Dial(bg, url, o)
					if err != nil {
						t.Fatal(err)
					}
					defer net.wait()
					defer c.CloseNow()
					script(t, c, sizes, tt.most)
					if err := errors.Join(c.Close(StatusNormalClosure, "done"), <-served); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

// script is what a client says to a server that echoes: whole messages and fragments of
// both types up to most bytes, and pings, which are answered while it reads.
func script(t *testing.T, c *Conn, sizes []int, most int) {
	t.Helper()
	for i, size := range sizes {
		if size > most {
			continue
		}
		want, typ := []byte(strings.Repeat("é", size/2)+strings.Repeat("x", size%2)), Text
		if i%2 == 0 {
			want, typ = incompressible(size), Binary
		}
		sent := make(chan error, 2)
		go func() {
			err := c.Write(bg, typ, want)
			sent <- errors.Join(err, fragments(c, typ, want))
		}()
		go func() {
			_, err := c.Ping(bg)
			sent <- err
		}()
		for _, how := range []string{"whole", "in fragments"} {
			gotType, got, err := c.Read(bg)
			if err != nil || gotType != typ || !bytes.Equal(got, want) {
				t.Fatalf("%d bytes %s: %v of %d bytes, %v", size, how, gotType, len(got), err)
			}
		}
		// A ping that came behind the messages is answered to whoever reads next.
		ctx, cancel := context.WithCancel(bg)
		reading := c.CloseRead(ctx)
		if err := errors.Join(<-sent, <-sent); err != nil {
			t.Fatal(err)
		}
		cancel()
		<-reading.Done()
	}
}

// fragments sends p in five pieces, each a fragment.
func fragments(c *Conn, typ MessageType, p []byte) error {
	w, err := c.Writer(bg, typ)
	if err != nil {
		return err
	}
	for i := range 5 {
		if _, err := io.Copy(w, bytes.NewReader(p[len(p)*i/5:len(p)*(i+1)/5])); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return w.Close()
}
