package conn

import (
	"bufio"
	"bytes"
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
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/testtls"
	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/mask"
)

// These show what docs/conformance.md claims and no other test does.

// TestTheClientWaitsForTheAnswer: nothing follows the request until the server has
// answered (RFC 6455 §4.1).
func TestTheClientWaitsForTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe.New(1 << 12)
		dialed := make(chan error, 1)
		var c *Conn
		go func() {
			var err error
			c, _, err = Client(bg, a, "ws://localhost/", &DialOptions{PingInterval: -1}) // no clock but the bubble's
			dialed <- err
		}()
		r, rest, err := readRequest(b, handshake.Limits{})
		synctest.Wait()
		if err != nil || len(rest) > 0 || b.Buffered() > 0 || len(dialed) > 0 {
			t.Fatalf("%v, %q behind the request, %d bytes later", err, rest, b.Buffered())
		}
		_, _ = io.WriteString(b, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Accept: "+handshake.AcceptKey(r.Header.Get("Sec-WebSocket-Key"))+"\r\n\r\n")
		if err := <-dialed; err != nil {
			t.Fatal(err)
		}
		_ = c.CloseNow()
		_ = b.Close()
	})
}

// recorder keeps what a client writes to its socket.
type recorder struct {
	net.Conn
	mu  sync.Mutex
	out bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.out.Write(p)
	return r.Conn.Write(p)
}

// TestEverythingOfWSSIsInRecords, the request first, and the host is named in the
// ClientHello (RFC 6455 §4.1 item 5).
func TestEverythingOfWSSIsInRecords(t *testing.T) {
	sc, cc := testtls.Configs(tls.VersionTLS13)
	cc.ServerName = "" // the URL's
	named := make(chan string, 1)
	sc.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		named <- hello.ServerName
		return nil, nil
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	served := make(chan error, 1)
	go func() {
		nc, err := ln.Accept()
		if err == nil {
			var c *Conn
			if c, err = Upgrade(bg, tls.Server(nc, sc), nil); err == nil {
				err = <-echo(c)
			}
		}
		served <- err
	}()
	var socket *recorder
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	c, _, err := Dial(bg, "wss://localhost:"+port, &DialOptions{TLS: cc, CloseTimeout: patience, NetDial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, network, ln.Addr().String())
		socket = &recorder{Conn: nc}
		return socket, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Write(bg, Text, bytes.Repeat([]byte("plain text "), 5000))
	if _, _, err := c.Read(bg); err != nil {
		t.Error(err)
	}
	if err := errors.Join(c.Close(StatusNormalClosure, ""), <-served); err != nil {
		t.Error(err)
	}
	if name := <-named; name != "localhost" {
		t.Errorf("the ClientHello names %q", name)
	}
	for b := socket.out.Bytes(); len(b) > 0; {
		if len(b) < 5 || b[0] < 20 || b[0] > 23 || b[1] != 3 {
			t.Fatalf("no TLS record: %.40q", b)
		}
		b = b[min(len(b), 5+int(b[3])<<8+int(b[4])):]
	}
}

// TestDialThroughAProxy: NetDial asks it for the connection (RFC 6455 §4.1 item 3).
func TestDialThroughAProxy(t *testing.T) {
	url, o := serve(t, echoHandler(nil), true, true)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	asked := make(chan string, 1)
	var copies sync.WaitGroup
	defer copies.Wait()
	copies.Go(func() {
		from, err := ln.Accept()
		if err != nil {
			return
		}
		br := bufio.NewReader(from)
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		asked <- r.Method + " " + r.Host
		to, err := net.Dial("tcp", r.Host)
		if err != nil {
			return
		}
		defer to.Close()
		_, _ = io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
		copies.Go(func() { _, _ = io.Copy(to, br); _ = to.(*net.TCPConn).CloseWrite() })
		_, _ = io.Copy(from, to)
		_ = from.Close()
	})
	o.NetDial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, network, ln.Addr().String())
		if err != nil {
			return nil, err
		}
		_, _ = fmt.Fprintf(nc, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", addr, addr)
		answer := make([]byte, len("HTTP/1.1 200 OK\r\n\r\n"))
		_, err = io.ReadFull(nc, answer)
		return nc, err
	}
	c, _, err := Dial(bg, url, o)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Write(bg, Text, []byte("through"))
	if _, p, err := c.Read(bg); string(p) != "through" || err != nil {
		t.Errorf("%q, %v", p, err)
	}
	if got := <-asked; got != "CONNECT "+strings.TrimPrefix(url, "wss://") {
		t.Errorf("the proxy was asked for %q", got)
	}
	_ = c.Close(StatusNormalClosure, "")
}

// TestDialTriesOnce: when and whether to try again is the application's (RFC 6455 §4.1
// item 4, §7.2.3).
func TestDialTriesOnce(t *testing.T) {
	unreachable, dialed := errors.New("unreachable"), 0
	_, _, err := Dial(bg, "ws://localhost/", &DialOptions{NetDial: func(context.Context, string, string) (net.Conn, error) {
		dialed++
		return nil, unreachable
	}})
	if !errors.Is(err, unreachable) || dialed != 1 {
		t.Errorf("%v after %d attempts", err, dialed)
	}
}

// TestDialsDoNotWaitForEachOther: the one requirement of RFC 6455 §4.1 that is for
// browsers and left to whoever runs strangers' code; docs/conformance.md says why.
func TestDialsDoNotWaitForEachOther(t *testing.T) {
	url, o := serve(t, echoHandler(nil), false, true)
	const dials = 5
	var all sync.WaitGroup
	all.Add(dials)
	o.NetDial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		all.Done()
		all.Wait() // every one is connecting
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	errs := make(chan error, dials)
	for range dials {
		go func() {
			c, _, err := Dial(bg, url, o)
			if err == nil {
				err = c.Close(StatusNormalClosure, "")
			}
			errs <- err
		}()
	}
	for range dials {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// TestAServiceThatIsNotThereIs404 (RFC 6455 §4.2.2), under a mux and without net/http.
func TestAServiceThatIsNotThereIs404(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/here", echoHandler(nil))
	url, o := serve(t, mux, false, true)
	addr, _ := native(t, false, &AcceptOptions{Check: func(r *http.Request) error {
		if r.URL.Path != "/here" {
			return &HandshakeError{Status: http.StatusNotFound, Token: "no_service"}
		}
		return nil
	}})
	for _, base := range []string{url, "ws://" + addr} {
		if _, resp, err := Dial(bg, base+"/elsewhere", o); err == nil || resp == nil || resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %v, %v", base, resp, err)
		}
		c, _, err := Dial(bg, base+"/here", o)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close(StatusNormalClosure, "")
	}
}

// TestWhatEachRoleSends: every kind of frame is masked by a client and never by a server,
// each with a key of its own, without reserved bits; control frames are whole.
func TestWhatEachRoleSends(t *testing.T) {
	for _, role := range []frame.Role{frame.Client, frame.Server} {
		ours, theirs := ends(t, "plain")
		c := newConn(transport.New(ours), role, "", newSettings(0, 0, -1, 0), nil, nil)
		go func() {
			_, _, _ = c.Read(bg) // answers the ping
		}()
		h := frame.Header{Fin: true, Opcode: frame.Ping, Masked: role == frame.Server, Length: 2}
		_, _ = theirs.Write(append(h.Append(nil), "hi"...))
		go func() {
			_ = c.Write(bg, Text, []byte("short"))
			_ = c.Write(bg, Binary, make([]byte, 200_000))
			if w, err := c.Writer(bg, Text); err == nil {
				_, _ = w.Write([]byte("first"))
				_ = w.Flush()
				_, _ = w.Write([]byte("last"))
				_ = w.Close()
			}
			p, _ := Prepare(Binary, []byte("prepared"))
			_ = c.Send(bg, p)
			_, _ = c.Ping(bg)
			_ = c.Close(4000, strings.Repeat("r", 123))
		}()
		seen, keys, n := "", map[[4]byte]bool{}, 0
		for !strings.Contains(seen, "close") {
			h, p := readFrame(t, theirs)
			n++
			if h.Opcode == frame.Ping {
				data := []byte(p) // readFrame leaves it masked
				mask.XOR(data, h.Key, 0)
				pong := frame.Header{Fin: true, Opcode: frame.Pong, Masked: role == frame.Server, Length: h.Length}
				_, _ = theirs.Write(append(pong.Append(nil), data...))
			}
			keys[h.Key] = true
			if h.Masked != (role == frame.Client) || h.RSV != 0 {
				t.Errorf("%v: %+v", role, h)
			}
			if h.Opcode.IsControl() && (!h.Fin || h.Length > frame.MaxControlPayload) {
				t.Errorf("%v: %+v", role, h)
			}
			if h.Opcode != frame.Pong { // its place depends on when the ping is read
				seen += fmt.Sprintf("%v %v;", h.Opcode, h.Fin)
			}
		}
		if want := "text true;binary true;text false;continuation true;binary true;ping true;close true;"; seen != want || n != 8 {
			t.Errorf("%v sent %q in %d frames", role, seen, n)
		}
		if role == frame.Client && len(keys) != n {
			t.Errorf("%d keys in %d frames", len(keys), n)
		}
		_ = theirs.Close()
		_ = c.CloseNow()
	}
}

// TestNothingIsLookedAtBehindABrokenRule: no message, no ping and no close frame
// (RFC 6455 §7.1.7).
func TestNothingIsLookedAtBehindABrokenRule(t *testing.T) {
	for _, kind := range kinds {
		peer, server := raw(t, kind)
		var wrong []byte
		for _, f := range [][]byte{
			masked(frame.Header{Fin: true, Opcode: frame.Text, RSV: frame.RSV3}, ""),
			masked(frame.Header{Fin: true, Opcode: frame.Ping}, "answer me"),
			masked(frame.Header{Fin: true, Opcode: frame.Text}, "read me"),
			masked(frame.Header{Fin: true, Opcode: frame.Close}, "\x0f\xa0"),
		} {
			wrong = append(wrong, f...)
		}
		ended := make(chan error, 1)
		go func() {
			ended <- server.Serve(bg, func(_ *Conn, m Message) error {
				t.Errorf("%s: got %q", kind, m.Data)
				return nil
			})
		}()
		_, _ = peer.Write(wrong)
		if h, p := readFrame(t, peer); h.Opcode != frame.Close || !strings.HasPrefix(p, "\x03\xea") {
			t.Errorf("%s: %v %q", kind, h.Opcode, p)
		}
		if n, err := peer.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%s: %d bytes behind the close frame, %v", kind, n, err)
		}
		_ = peer.Close()
		if err := <-ended; !errors.Is(err, frame.ErrReservedBits) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestTheClientLetsTheServerCloseFirst, so that the server has the TIME_WAIT, but not
// for ever (RFC 6455 §7.1.1).
func TestTheClientLetsTheServerCloseFirst(t *testing.T) {
	for _, closes := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			a, b := pipe.New(1 << 12)
			client := newConn(transport.New(a), frame.Client, "", newSettings(0, 0, -1, 0), nil, nil)
			closed := make(chan error, 1)
			go func() { closed <- client.Close(StatusNormalClosure, "") }()
			if h, _ := readFrame(t, b); h.Opcode != frame.Close {
				t.Fatal(h.Opcode)
			}
			_, _ = b.Write([]byte("\x88\x02\x03\xe8"))
			began := time.Now()
			if closes {
				_ = b.SetReadDeadline(began.Add(lingerTimeout / 2))
				if n, err := b.Read(make([]byte, 1)); n != 0 || err == nil || err == io.EOF {
					t.Errorf("the client closed first: %d bytes, %v", n, err)
				}
				_ = b.SetReadDeadline(time.Time{})
				_ = b.CloseWrite()
			}
			if n, err := b.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("%d bytes, %v", n, err)
			}
			if took := time.Since(began); took > lingerTimeout {
				t.Errorf("closed after %v", took)
			}
			if err := <-closed; err != nil {
				t.Error(err)
			}
			_ = b.Close()
		})
	}
}
