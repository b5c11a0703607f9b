package conn

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/testtls"
)

// filter is what a wrapper of a connection does to the bytes, and counts.
type filter struct {
	read, write func([]byte) (int, error)
	in, out     atomic.Int64
}

func (f *filter) Read(p []byte) (int, error) {
	n, err := f.read(p)
	f.in.Add(int64(n))
	return n, err
}

// Write counts before the other end can have read it.
func (f *filter) Write(p []byte) (int, error) {
	f.out.Add(int64(len(p)))
	n, err := f.write(p)
	f.out.Add(int64(n - len(p)))
	return n, err
}

// overSocket is how most wrappers are written: they embed the socket, whose SyscallConn, ReadFrom and CloseWrite go around
// their own Read and Write.
type overSocket struct {
	*net.TCPConn
	f *filter
}

func (w overSocket) Read(p []byte) (int, error)  { return w.f.Read(p) }
func (w overSocket) Write(p []byte) (int, error) { return w.f.Write(p) }

// overConn wraps anything else.
type overConn struct {
	net.Conn
	f *filter
}

func (w overConn) Read(p []byte) (int, error)  { return w.f.Read(p) }
func (w overConn) Write(p []byte) (int, error) { return w.f.Write(p) }

// wrapper makes a filter over a connection.
type wrapper func(nc net.Conn) *filter

func (wrap wrapper) over(nc net.Conn) (net.Conn, *filter) {
	f := wrap(nc)
	if tcp, ok := nc.(*net.TCPConn); ok {
		return overSocket{tcp, f}, f
	}
	return overConn{nc, f}, f
}

func counting(nc net.Conn) *filter { return &filter{read: nc.Read, write: nc.Write} }

// encrypting changes every byte.
func encrypting(nc net.Conn) *filter {
	flip := func(p []byte) {
		for i := range p {
			p[i] ^= 0xa5
		}
	}
	return &filter{
		read: func(p []byte) (int, error) {
			n, err := nc.Read(p)
			flip(p[:n])
			return n, err
		},
		write: func(p []byte) (int, error) {
			p = bytes.Clone(p)
			flip(p)
			return nc.Write(p)
		},
	}
}

// peeking has read the beginning to see what protocol it is, as cmux does, and hands it over a byte at a time.
func peeking(nc net.Conn) *filter {
	var peeked []byte
	looked := false
	return &filter{
		read: func(p []byte) (int, error) {
			if !looked {
				looked = true
				buf := make([]byte, 24)
				n, err := nc.Read(buf)
				if err != nil {
					return 0, err
				}
				peeked = buf[:n]
			}
			if len(peeked) > 0 && len(p) > 0 {
				p[0], peeked = peeked[0], peeked[1:]
				return 1, nil
			}
			return nc.Read(p)
		},
		write: nc.Write,
	}
}

// throttling lets little pass at once.
func throttling(nc net.Conn) *filter {
	const most = 700
	return &filter{
		read: func(p []byte) (int, error) { return nc.Read(p[:min(len(p), most)]) },
		write: func(p []byte) (n int, err error) {
			for err == nil && n < len(p) {
				var k int
				k, err = nc.Write(p[n:min(n+most, len(p))])
				n += k
			}
			return n, err
		},
	}
}

var wrappers = []struct {
	name string
	near wrapper
	far  wrapper // what the other end does to understand it
}{
	{"counting", counting, counting},
	{"encrypting", encrypting, encrypting},
	{"peeking", peeking, counting},
	{"throttling", throttling, counting},
}

// wrapping is a listener whose connections are wrapped.
type wrapping struct {
	net.Listener
	wrap func(net.Conn) net.Conn
}

func (l wrapping) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err == nil {
		nc = l.wrap(nc)
	}
	return nc, err
}

// entrance is a way in which a wrapped connection comes to a server.
type entrance struct {
	name string
	tls  bool
	// start serves an echo on ln; wrap wraps a connection of its, or of one above.
	start func(t *testing.T, ln net.Listener, wrap func(net.Conn) net.Conn)
}

func entrances() (all []entrance) {
	sc, _ := testtls.Configs(tls.VersionTLS13)
	underHTTP := func(secure bool, order func(ln net.Listener, wrap func(net.Conn) net.Conn) net.Listener) func(*testing.T, net.Listener, func(net.Conn) net.Conn) {
		return func(t *testing.T, ln net.Listener, wrap func(net.Conn) net.Conn) {
			srv := &http.Server{Handler: echoHandler(nil), TLSConfig: sc.Clone(), ErrorLog: log.New(io.Discard, "", 0)}
			t.Cleanup(func() { _ = srv.Close() })
			if secure {
				go srv.ServeTLS(order(ln, wrap), "", "")
			} else {
				go srv.Serve(order(ln, wrap))
			}
		}
	}
	upgrading := func(order func(ln net.Listener, wrap func(net.Conn) net.Conn) net.Listener) func(*testing.T, net.Listener, func(net.Conn) net.Conn) {
		return func(t *testing.T, ln net.Listener, wrap func(net.Conn) net.Conn) {
			go func() {
				nc, err := order(ln, wrap).Accept()
				if err != nil {
					return
				}
				if c, err := Upgrade(bg, nc, nil); err == nil {
					c.ServeInBackground(echoBack, nil)
				}
			}()
		}
	}
	type order = func(ln net.Listener, wrap func(net.Conn) net.Conn) net.Listener
	alone := func(ln net.Listener, wrap func(net.Conn) net.Conn) net.Listener { return wrapping{ln, wrap} }
	below := func(ln net.Listener, wrap func(net.Conn) net.Conn) net.Listener {
		return NewListener(wrapping{ln, wrap})
	}
	above := func(ln net.Listener, wrap func(net.Conn) net.Conn) net.Listener {
		return wrapping{NewListener(ln), wrap}
	}
	for _, o := range []struct {
		name string
		order
	}{{"alone", alone}, {"below NewListener", below}, {"above NewListener", above}} {
		all = append(all,
			entrance{"net/http, " + o.name, false, underHTTP(false, o.order)},
			entrance{"net/http with TLS, " + o.name, true, underHTTP(true, o.order)},
			entrance{"Upgrade, " + o.name, false, upgrading(o.order)},
			entrance{"Upgrade with TLS, " + o.name, true, upgrading(func(ln net.Listener, wrap func(net.Conn) net.Conn) net.Listener {
				return tls.NewListener(o.order(ln, wrap), sc)
			})},
		)
	}
	return all
}

// conversed echoes messages of many sizes, and one in fragments.
func conversed(t *testing.T, c *Conn) {
	t.Helper()
	for _, size := range []int{0, 5, 126, 20_000, 150_000} {
		p := incompressible(size)
		written := make(chan error, 1)
		go func() { written <- c.Write(bg, Binary, p) }()
		_, got, err := c.Read(bg)
		if err := errors.Join(err, <-written); err != nil || !bytes.Equal(got, p) {
			t.Fatalf("%d of %d bytes, %v", len(got), size, err)
		}
	}
	if err := fragments(c, Text, []byte("in fragments")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := c.Read(bg); string(got) != "in fragments" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
}

// sawAll compares what a wrapper counted with what the other end did, after the last echo. What NewListener hands to
// a wrapper above it has a ClientHello in smaller records, with a header each.
func sawAll(t *testing.T, near, far *filter, cut bool) {
	t.Helper()
	more := near.in.Load() - far.out.Load()
	if more != 0 && !(cut && more > 0 && more%5 == 0 && more < 50) || near.out.Load() != far.in.Load() {
		t.Errorf("the wrapper saw %d bytes in and %d out, its peer sent %d and received %d",
			near.in.Load(), near.out.Load(), far.out.Load(), far.in.Load())
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln
}

func scheme(secure bool) string {
	if secure {
		return "wss://"
	}
	return "ws://"
}

// TestAWrapperAtTheServerSeesEveryByte, whichever it is, and wherever it stands.
func TestAWrapperAtTheServerSeesEveryByte(t *testing.T) {
	t.Parallel()
	_, cc := testtls.Configs(tls.VersionTLS13)
	var all waiting
	defer all.Wait()
	for _, w := range wrappers {
		for _, e := range entrances() {
			all.run(t, w.name+", "+e.name, func(t *testing.T) {
				ln := listen(t)
				near := make(chan *filter, 1)
				e.start(t, ln, func(nc net.Conn) net.Conn {
					nc, f := w.near.over(nc)
					near <- f
					return nc
				})
				var far *filter
				c, _, err := Dial(bg, scheme(e.tls)+ln.Addr().String(), &DialOptions{
					TLS: cc,
					NetDial: func(ctx context.Context, network, addr string) (nc net.Conn, err error) {
						if nc, err = net.Dial(network, addr); err == nil {
							nc = struct{ net.Conn }{nc} // no socket: the far end is not what is tested
							far = w.far(nc)
							nc = overConn{nc, far}
						}
						return nc, err
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				defer c.CloseNow()
				conversed(t, c)
				sawAll(t, <-near, far, e.tls && strings.HasSuffix(e.name, "above NewListener"))
			})
		}
	}
}

// TestAWrapperAtTheClientSeesEveryByte, in NetDial and under Client.
func TestAWrapperAtTheClientSeesEveryByte(t *testing.T) {
	t.Parallel()
	sc, cc := testtls.Configs(tls.VersionTLS13)
	type dialer func(nc net.Conn, url string) (*Conn, *http.Response, error)
	options := &DialOptions{TLS: cc}
	netDial := func(nc net.Conn, url string) (*Conn, *http.Response, error) {
		return Dial(bg, url, &DialOptions{TLS: cc, NetDial: func(context.Context, string, string) (net.Conn, error) { return nc, nil }})
	}
	over := func(nc net.Conn, url string) (*Conn, *http.Response, error) { return Client(bg, nc, url, options) }
	for _, w := range wrappers {
		for _, way := range []struct {
			name string
			tls  bool
			dial dialer
		}{
			{"NetDial", false, netDial},
			{"NetDial with TLS", true, netDial},
			{"Client", false, over},
			{"Client with TLS", true, over},
			{"Client over a TLS connection", true, func(nc net.Conn, url string) (*Conn, *http.Response, error) {
				cfg := cc.Clone()
				cfg.ServerName = "localhost"
				return Client(bg, tls.Client(nc, cfg), url, options)
			}},
		} {
			t.Run(w.name+", "+way.name, func(t *testing.T) {
				ln := listen(t)
				far := make(chan *filter, 1)
				var l net.Listener = wrapping{ln, func(nc net.Conn) net.Conn {
					nc = struct{ net.Conn }{nc}
					f := w.far(nc)
					far <- f
					return overConn{nc, f}
				}}
				if way.tls {
					l = tls.NewListener(l, sc)
				}
				srv := &http.Server{Handler: echoHandler(nil)}
				defer srv.Close()
				go srv.Serve(l)
				nc, err := net.Dial("tcp", ln.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				nc, near := w.near.over(nc)
				c, _, err := way.dial(nc, scheme(way.tls)+ln.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer c.CloseNow()
				conversed(t, c)
				sawAll(t, near, <-far, false)
			})
		}
	}
}

// filePair is a net.Conn of two files that are pipes, and no sockets. It has the SyscallConn of the one that it reads.
type filePair struct {
	*os.File
	w *os.File
}

func (p filePair) Write(b []byte) (int, error)        { return p.w.Write(b) }
func (p filePair) SetWriteDeadline(t time.Time) error { return p.w.SetWriteDeadline(t) }
func (p filePair) SetDeadline(t time.Time) error {
	return errors.Join(p.File.SetReadDeadline(t), p.w.SetWriteDeadline(t))
}
func (p filePair) Close() error         { return errors.Join(p.File.Close(), p.w.Close()) }
func (p filePair) LocalAddr() net.Addr  { return &net.UnixAddr{Name: "pipe", Net: "unix"} }
func (p filePair) RemoteAddr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func filePairs(t *testing.T) (a, b net.Conn) {
	t.Helper()
	ar, bw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	br, aw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return filePair{ar, aw}, filePair{br, bw}
}

// TestConnectionsOverFiles: pipes, which are no sockets.
func TestConnectionsOverFiles(t *testing.T) {
	overFiles(t, filePairs)
}

// overFiles has a client and a server talk over what open returns, without TLS and with it.
func overFiles(t *testing.T, open func(t *testing.T) (client, server net.Conn)) {
	sc, cc := testtls.Configs(tls.VersionTLS13)
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", secure), func(t *testing.T) {
			near, far := open(t)
			served := make(chan error, 1)
			go func() {
				if secure {
					far = tls.Server(far, sc)
				}
				c, err := Upgrade(bg, far, nil)
				if err == nil {
					err = c.Serve(bg, echoBack)
				}
				served <- err
			}()
			c, _, err := Client(bg, near, strings.TrimSuffix(scheme(secure), "//")+"//localhost/", &DialOptions{TLS: cc, CloseTimeout: patience})
			if err != nil {
				t.Fatal(err)
			}
			conversed(t, c)
			if err := errors.Join(c.Close(StatusNormalClosure, ""), <-served); err != nil {
				t.Error(err)
			}
		})
	}
}
