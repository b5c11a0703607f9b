package conn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/testtls"
	"github.com/seed-c4549abd/wss/internal/wire"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// answer serves one connection: it reads a request and replies with what f makes of
// its accept key.
func answer(t testing.TB, f func(accept string) string) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		nc, err := ln.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		r, _, err := readRequest(nc, handshake.Limits{})
		if err != nil {
			return
		}
		_, _ = io.WriteString(nc, f(handshake.AcceptKey(r.Header.Get("Sec-WebSocket-Key"))))
		closeWrite(nc)
		_, _ = io.Copy(io.Discard, nc)
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return ln.Addr().String()
}

// TestTheServersAnswerIsChecked: each fault is refused, with the response.
func TestTheServersAnswerIsChecked(t *testing.T) {
	ok := func(accept string) string {
		return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + "\r\n\r\n"
	}
	add := func(line string) func(string) string {
		return func(a string) string { return strings.Replace(ok(a), "\r\n\r\n", "\r\n"+line+"\r\n\r\n", 1) }
	}
	for _, tt := range []struct {
		name   string
		reply  func(accept string) string
		status int
	}{
		{"wrong accept key", func(string) string { return ok("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") }, 101},
		{"no accept key", func(a string) string {
			return strings.Replace(ok(a), "Sec-WebSocket-Accept: "+a+"\r\n", "", 1)
		}, 101},
		{"no upgrade", func(a string) string { return strings.Replace(ok(a), "Upgrade: websocket\r\n", "", 1) }, 101},
		{"no connection", func(a string) string { return strings.Replace(ok(a), "Connection: Upgrade\r\n", "", 1) }, 101},
		{"unrequested subprotocol", add("Sec-WebSocket-Protocol: chat"), 101},
		{"unrequested extension", add("Sec-WebSocket-Extensions: permessage-deflate"), 101},
		{"200", func(string) string { return "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" }, 200},
		{"redirect", func(string) string {
			return "HTTP/1.1 302 Found\r\nLocation: ws://other.example/\r\nContent-Length: 0\r\n\r\n"
		}, 302},
		{"unavailable", func(string) string { return "HTTP/1.1 503 Service Unavailable\r\n\r\ncome back" }, 503},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, resp, err := Dial(bg, "ws://"+answer(t, tt.reply), nil)
			e, ok := errors.AsType[*HandshakeError](err)
			if c != nil || !ok || e.Status != tt.status || resp == nil || resp.StatusCode != tt.status || e.Response != resp {
				t.Fatalf("%v, %v", resp, err)
			}
			body, _ := io.ReadAll(resp.Body)
			if tt.status == 200 && string(body) != "hello" || tt.status == 503 && string(body) != "come back" {
				t.Errorf("body %q", body)
			}
		})
	}
	t.Run("correct", func(t *testing.T) {
		c, _, err := Dial(bg, "ws://"+answer(t, ok), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.CloseNow()
	})
	for name, reply := range map[string]string{
		"nothing": "", "half a head": "HTTP/1.1 101 Swit", "not HTTP": "SSH-2.0-OpenSSH\r\n\r\n",
		"endless head": "HTTP/1.1 101 x\r\n" + strings.Repeat("A: b\r\n", 10_000),
	} {
		t.Run(name, func(t *testing.T) {
			if c, _, err := Dial(bg, "ws://"+answer(t, func(string) string { return reply }), nil); err == nil {
				_ = c.CloseNow()
				t.Error("accepted")
			}
		})
	}
}

// TestNothingIsSentForARequestThatCannotBe: faults of the caller are found before.
func TestNothingIsSentForARequestThatCannotBe(t *testing.T) {
	never := func(context.Context, string, string) (net.Conn, error) {
		t.Error("dialed")
		return nil, errors.New("dialed")
	}
	for _, tt := range []struct {
		url string
		o   DialOptions
	}{
		{url: "ftp://localhost/"}, {url: "ws://"}, {url: "ws://localhost/#fragment"}, {url: "ws://local host/"},
		{url: "ws://localhost/\r\nX: y"},
		{url: "ws://localhost/", o: DialOptions{Header: http.Header{"X": {"a\r\nY: b"}}}},
		{url: "ws://localhost/", o: DialOptions{Header: http.Header{"X\n": {"a"}}}},
		{url: "ws://localhost/", o: DialOptions{Header: http.Header{"Sec-WebSocket-Key": {"a"}}}},
		{url: "ws://localhost/", o: DialOptions{Subprotocols: []string{"a b"}}},
		{url: "ws://localhost/", o: DialOptions{Subprotocols: []string{"a", "a"}}},
		{url: "ws://localhost/", o: DialOptions{Host: "a\x00b"}},
	} {
		tt.o.NetDial = never
		if _, _, err := Dial(bg, tt.url, &tt.o); err == nil {
			t.Errorf("%q %+v was accepted", tt.url, tt.o)
		}
	}
}

// TestCertificatesThatMustNotPass: each is refused with an error that says why.
func TestCertificatesThatMustNotPass(t *testing.T) {
	h := echoHandler(nil)
	url, o := serve(t, h, true, true)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(url, "wss://"))

	_, _, err := Dial(bg, "wss://127.0.0.1:"+port, nil)
	var unknown x509.UnknownAuthorityError
	if v, ok := errors.AsType[*tlsconf.VerifyError](err); !ok || !errors.As(err, &unknown) {
		t.Errorf("an untrusted certificate: %v (%v)", err, v)
	}
	o.TLS.ServerName = "elsewhere.example"
	_, _, err = Dial(bg, url, o)
	var host x509.HostnameError
	if v, ok := errors.AsType[*tlsconf.VerifyError](err); !ok || !errors.As(err, &host) {
		t.Errorf("another host's certificate: %v (%v)", err, v)
	}
	if _, _, err := Dial(bg, "wss"+strings.TrimPrefix(plainURL(t), "ws"), nil); err == nil {
		t.Error("no TLS at all was accepted")
	}
	cfg, err := tlsconf.Client(tlsconf.ClientOptions{RootCAs: o.TLS.RootCAs, Pins: []string{"sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Dial(bg, "wss://localhost:"+port, &DialOptions{TLS: cfg}); err == nil {
		t.Error("a certificate that is not pinned was accepted")
	}
}

// TestAMissingClientCertificateIsExplained, although TLS 1.3 tells the client only
// after the handshake.
func TestAMissingClientCertificateIsExplained(t *testing.T) {
	sc, cc := testtls.Configs(tls.VersionTLS13)
	sc.ClientAuth, sc.ClientCAs = tls.RequireAndVerifyClientCert, cc.RootCAs
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tl := tls.NewListener(NewListener(ln), sc)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 2 {
			nc, err := tl.Accept()
			if err != nil {
				return
			}
			if c, err := Upgrade(bg, nc, nil); err == nil {
				_ = c.Close(StatusNormalClosure, "")
			}
		}
	}()
	_, _, err = Dial(bg, "wss://"+ln.Addr().String(), &DialOptions{TLS: cc})
	if v, ok := errors.AsType[*tlsconf.VerifyError](err); !ok {
		t.Errorf("got %v (%v)", err, v)
	}
	cc.Certificates = sc.Certificates
	if c, _, err := Dial(bg, "wss://"+ln.Addr().String(), &DialOptions{TLS: cc}); err != nil {
		t.Error(err)
	} else if _, _, err := c.Read(bg); CloseStatus(err) != StatusNormalClosure {
		t.Error(err)
	}
	_ = tl.Close()
	<-done
}

func plainURL(t *testing.T) string {
	url, _ := serve(t, echoHandler(nil), false, true)
	return url
}

func TestDialIsBoundedInTime(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, scheme := range []string{"ws", "wss"} { // nobody answers
		url := scheme + "://" + ln.Addr().String()
		if _, _, err := Dial(soon(t), url, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s, context: %v", scheme, err)
		}
		o := &DialOptions{HandshakeTimeout: 20 * time.Millisecond}
		if _, _, err := Dial(bg, url, o); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s, timeout: %v", scheme, err)
		}
	}
	ctx, cancel := context.WithCancel(bg)
	cancel()
	if _, _, err := Dial(ctx, "ws://"+ln.Addr().String(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestAHandshakeThatStopsWithinARecordGivesItsBufferBack, in both roles, when its time is over.
func TestAHandshakeThatStopsWithinARecordGivesItsBufferBack(t *testing.T) {
	begin := []byte{23, 3, 3, 2, 0, 'h', 'e'} // the header of a record of 512 bytes, and two of them
	accounted(t, "both roles", func(t *testing.T) {
		inner, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer inner.Close()
		server, client := testtls.Configs(tls.VersionTLS13)
		for role, end := range map[string]struct {
			handshake func(near net.Conn, timeout time.Duration) error
			peer      func(net.Conn, *tls.Config) *tls.Conn
			config    *tls.Config
		}{
			"client": {func(near net.Conn, timeout time.Duration) error {
				_, _, err := Client(bg, near, "wss://localhost", &DialOptions{TLS: client, HandshakeTimeout: timeout})
				return err
			}, tls.Server, server},
			"server": {func(near net.Conn, timeout time.Duration) error {
				_, err := Upgrade(bg, tls.Server(wire.New(near), server), &AcceptOptions{HandshakeTimeout: timeout})
				return err
			}, tls.Client, client},
		} {
			// A busy machine may need longer for the handshake of TLS.
			for timeout := 100 * time.Millisecond; ; timeout *= 2 {
				far, err := net.Dial("tcp", inner.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				near, err := inner.Accept()
				if err != nil {
					t.Fatal(err)
				}
				shaken := make(chan error, 1)
				go func() {
					err := end.peer(far, end.config).Handshake()
					_, _ = far.Write(begin)
					shaken <- err
				}()
				if err := end.handshake(near, timeout); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: %v", role, err)
				}
				err = <-shaken
				_ = far.Close()
				if err == nil {
					break
				}
				if timeout > patience {
					t.Fatalf("%s: the peer: %v", role, err)
				}
			}
		}
	})
}

// TestASharedTLSConfigKeepsItsProtocols: net/http puts h2 into its configurations,
// which a WebSocket must not offer.
func TestASharedTLSConfigKeepsItsProtocols(t *testing.T) {
	url, o := serve(t, echoHandler(nil), true, true)
	o.TLS.NextProtos = []string{"h2", "http/1.1"}
	c, _, err := Dial(bg, url, o)
	if err != nil {
		t.Fatal(err)
	}
	if state, _ := c.TLS(); state.NegotiatedProtocol != "http/1.1" || len(o.TLS.NextProtos) != 2 {
		t.Errorf("negotiated %q, the caller's list is %q", state.NegotiatedProtocol, o.TLS.NextProtos)
	}
	_ = c.Close(StatusNormalClosure, "")
}

func TestClientOverAConnectionThatExists(t *testing.T) {
	url, o := serve(t, echoHandler(nil), true, true)
	addr := strings.TrimPrefix(url, "wss://")
	for _, kind := range []string{"socket", "TLS over it"} {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if kind != "socket" {
			nc = tls.Client(nc, o.TLS)
		}
		c, _, err := Client(bg, nc, url, o)
		if err != nil {
			t.Fatal(kind, err)
		}
		_ = c.Write(bg, Text, []byte(kind))
		if _, p, err := c.Read(bg); string(p) != kind || err != nil {
			t.Errorf("%q, %v", p, err)
		}
		_ = c.Close(StatusNormalClosure, "")
	}
	a, b := net.Pipe()
	if _, _, err := Client(bg, a, "mailto:x", nil); err == nil {
		t.Error("a wrong URL was accepted")
	}
	if _, err := b.Write([]byte("x")); err == nil {
		t.Error("the connection was left open")
	}
}

func TestTLS12(t *testing.T) {
	srv := echoHandler(nil)
	url, o := serve(t, srv, true, true)
	_, o.TLS = testtls.Configs(tls.VersionTLS12)
	c, _, err := Dial(bg, url, o)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Repeat("x", 300_000)
	go func() { _ = c.Write(bg, Text, []byte(want)) }()
	if _, p, err := c.Read(bg); string(p) != want || err != nil {
		t.Errorf("%d bytes, %v", len(p), err)
	}
	if state, _ := c.TLS(); state.Version != tls.VersionTLS12 {
		t.Errorf("version %x", state.Version)
	}
	_ = c.Close(StatusNormalClosure, "")
}

// response reads a head as Dial does.
func response(t *testing.T, head string) *http.Response {
	t.Helper()
	var p handshake.ResponseReader
	if _, done, err := p.Feed([]byte("HTTP/1.1 " + head + "\r\n\r\n")); !done || err != nil {
		t.Fatal(done, err)
	}
	return p.Response()
}

// TestABodyIsReadToItsEnd: bodies whose end can be known take no time, although the
// connection stays open (RFC 9112 §6.3); those that go on are cut off at 4,096 bytes.
func TestABodyIsReadToItsEnd(t *testing.T) {
	const long = 5000
	chunk := func(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }
	for _, tt := range []struct{ name, head, here, coming, want string }{
		{"a length, all of it came with the head", "404 X\r\nContent-Length: 5", "hello, and more", "", "hello"},
		{"a length, some of it is to come", "404 X\r\nContent-Length: 10", "hello", "world...", "helloworld"},
		{"a length of nothing", "404 X\r\nContent-Length: 0", "more", "", ""},
		{"a length above the bound", "404 X\r\nContent-Length: 1000000", strings.Repeat("x", long), "", strings.Repeat("x", 4096)},
		{"a length above the bound, to come", "404 X\r\nContent-Length: 1000000", "", strings.Repeat("x", long), strings.Repeat("x", 4096)},
		{"no length, above the bound", "404 X", "", strings.Repeat("x", long), strings.Repeat("x", 4096)},
		{"204", "204 No Content", "", "", ""},
		{"204 that announces a body", "204 No Content\r\nContent-Length: 5", "", "", ""},
		{"304", "304 Not Modified\r\nContent-Length: 5", "", "", ""},
		{"chunks", "404 X\r\nTransfer-Encoding: chunked", chunk("hello"), chunk(" world") + "0\r\n\r\n", "hello world"},
		{"chunks with extensions and a trailer", "404 X\r\nTransfer-Encoding: chunked",
			"5;a=b\r\nhello\r\n0;c\r\nX-Trailer: d\r\n\r\n", "", "hello"},
		{"chunks beside a length that is wrong", "404 X\r\nTransfer-Encoding: chunked\r\nContent-Length: 2",
			chunk("hello") + "0\r\n\r\n", "", "hello"},
		{"chunks above the bound", "404 X\r\nTransfer-Encoding: chunked",
			chunk(strings.Repeat("x", 3000)), chunk(strings.Repeat("x", 3000)), strings.Repeat("x", 4096)},
		{"chunks of one byte, above 16 KiB with their framing", "404 X\r\nTransfer-Encoding: chunked",
			"", strings.Repeat(chunk("x"), 10_000), strings.Repeat("x", 2731)},
		{"chunks that are malformed", "404 X\r\nTransfer-Encoding: chunked", chunk("hello") + "zz\r\n", "", "hello"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := pipe.New(1 << 20)
				defer a.Close()
				_, _ = io.WriteString(a, tt.coming)
				resp, start := response(t, tt.head), time.Now()
				readBody(t.Context(), b, resp, []byte(tt.here))
				if got, err := io.ReadAll(resp.Body); string(got) != tt.want || err != nil {
					t.Errorf("%d bytes %.40q, %v, want %d", len(got), got, err, len(tt.want))
				}
				if waited := time.Since(start); waited != 0 {
					t.Errorf("waited %v", waited)
				}
			})
		})
	}
}

// TestABodyWithoutAnEndIsBoundedInTime: by a second, and by the context.
func TestABodyWithoutAnEndIsBoundedInTime(t *testing.T) {
	for _, tt := range []struct {
		name, head, here, want string
		within, takes          time.Duration
	}{
		{"no length", "404 X", "so far", "so far", time.Minute, time.Second},
		{"a length", "404 X\r\nContent-Length: 100", "so far", "so far", time.Minute, time.Second},
		{"chunks", "404 X\r\nTransfer-Encoding: chunked", "6\r\nso far\r\n", "so far", time.Minute, time.Second},
		{"an unfinished chunk", "404 X\r\nTransfer-Encoding: chunked", "60\r\nso far", "so far", time.Minute, time.Second},
		{"no length, and little time", "404 X", "so far", "so far", time.Millisecond, time.Millisecond},
		{"no length, and no time", "404 X", "so far", "so far", 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := pipe.New(1 << 16)
				defer a.Close()
				ctx, cancel := context.WithTimeout(t.Context(), tt.within)
				defer cancel()
				stop := interruptBy(ctx, b)
				defer stop()
				synctest.Wait()
				resp, start := response(t, tt.head), time.Now()
				readBody(ctx, b, resp, []byte(tt.here))
				if got, err := io.ReadAll(resp.Body); string(got) != tt.want || err != nil {
					t.Errorf("%q, %v", got, err)
				}
				if waited := time.Since(start); waited != tt.takes {
					t.Errorf("waited %v, want %v", waited, tt.takes)
				}
			})
		})
	}
	t.Run("the end of the stream", func(t *testing.T) {
		for head, want := range map[string]string{
			"404 X": "cut off", "404 X\r\nContent-Length: 100": "cut off",
			"404 X\r\nTransfer-Encoding: chunked": "",
		} {
			a, b := pipe.New(1 << 16)
			_, _ = io.WriteString(a, " off")
			_ = a.Close()
			resp := response(t, head)
			readBody(bg, b, resp, []byte("cut"))
			if got, err := io.ReadAll(resp.Body); string(got) != want || err != nil {
				t.Errorf("%q: %q, %v", head, got, err)
			}
		}
	})
}
