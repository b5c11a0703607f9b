package http2

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/frame"
	_ "github.com/seed-c4549abd/wss/http2/enable"
	"github.com/seed-c4549abd/wss/internal/pipe"
)

// frames writes frames into a buffer, for seeds.
func frames(write func(f *xhttp2.Framer)) []byte {
	var b bytes.Buffer
	f := xhttp2.NewFramer(&b, nil)
	f.AllowIllegalWrites = true
	write(f)
	return b.Bytes()
}

func block(pairs ...string) []byte {
	var b bytes.Buffer
	enc := hpack.NewEncoder(&b)
	for i := 0; i < len(pairs); i += 2 {
		_ = enc.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	return b.Bytes()
}

func settings(f *xhttp2.Framer) {
	_ = f.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingEnableConnectProtocol, Val: 1})
}

func accepted(f *xhttp2.Framer) {
	settings(f)
	_ = f.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: 1, BlockFragment: block(":status", "200"), EndHeaders: true})
}

// FuzzServerFrames: whatever a server sends, a dial and the connection that may come of it end, and nothing is left of them.
func FuzzServerFrames(f *testing.F) {
	f.Add(frames(settings))
	f.Add(frames(func(f *xhttp2.Framer) { accepted(f); _ = f.WriteData(1, false, []byte("\x81\x02hi")) }))
	f.Add(frames(func(f *xhttp2.Framer) { accepted(f); _ = f.WriteData(1, true, []byte("\x88\x02\x03\xe8")) }))
	f.Add(frames(func(f *xhttp2.Framer) { accepted(f); _ = f.WriteRSTStream(1, xhttp2.ErrCodeCancel) }))
	f.Add(frames(func(f *xhttp2.Framer) { accepted(f); _ = f.WriteGoAway(0, xhttp2.ErrCodeNo, nil) }))
	f.Add(frames(func(f *xhttp2.Framer) {
		accepted(f)
		_ = f.WriteWindowUpdate(0, 1<<31-1)
		_ = f.WritePing(false, [8]byte{})
	}))
	f.Add(frames(func(f *xhttp2.Framer) {
		settings(f)
		_ = f.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: 1, BlockFragment: block(":status", "403"), EndHeaders: true, EndStream: true})
	}))
	f.Fuzz(func(t *testing.T, sent []byte) {
		ours, theirs := pipe.New(1 << 20)
		c := newClientConn(ours, ours, 0, time.Minute, 16<<10)
		c.forget = func(*clientConn) {}
		c.Reserve()
		go c.read()
		go c.write()
		var tasks sync.WaitGroup
		tasks.Go(func() { _, _ = io.Copy(io.Discard, theirs) })
		tasks.Go(func() {
			_, _ = theirs.Write(sent)
			_ = theirs.CloseWrite()
		})
		nc, resp, err := c.Open(context.Background(), &conn.StreamRequest{URL: &url.URL{Scheme: "https", Path: "/"}, Host: "localhost"})
		if err == nil {
			if resp.StatusCode < 200 {
				t.Errorf("an interim response opens a stream: %s", resp.Status)
			}
			_, _ = nc.Write([]byte("from us"))
			if n, _ := io.Copy(io.Discard, nc); n > int64(len(sent)) {
				t.Errorf("%d bytes were read of %d that came", n, len(sent))
			}
			_ = nc.Close()
		}
		c.Shutdown(errIdle)
		c.Await()
		_ = theirs.Close()
		tasks.Wait()
	})
}

// script writes the frames of a client that opens WebSockets: each is chosen by a byte of steps, and takes the bytes that follow.
func script(f *xhttp2.Framer, steps []byte) {
	enc := func(more ...string) []byte {
		return block(append([]string{
			":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":path", "/", ":authority", "localhost", "sec-websocket-version", "13",
		}, more...)...)
	}
	_ = f.WriteSettings()
	id := uint32(1)
	_ = f.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: id, BlockFragment: enc(), EndHeaders: true})
	for len(steps) > 1 {
		step, n := steps[0], min(int(steps[1]), len(steps)-2)
		data := steps[2 : 2+n]
		steps = steps[2+n:]
		switch step % 8 {
		case 0, 1:
			_ = f.WriteData(id, step >= 250, data)
		case 2:
			h := frame.Header{Fin: true, Opcode: frame.Text, Masked: true, Length: int64(n)}
			_ = f.WriteData(id, false, append(h.Append(nil), data...))
		case 3:
			_ = f.WriteRSTStream(id, xhttp2.ErrCodeCancel)
		case 4:
			_ = f.WriteWindowUpdate(id, uint32(n)+1)
		case 5:
			_ = f.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: uint32(n)})
		case 6:
			_ = f.WriteDataPadded(id, false, data, make([]byte, n))
		case 7:
			id += 2
			more := []string{"sec-websocket-extensions", "permessage-deflate", "origin", "http://localhost", "content-length", "5"}
			_ = f.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: id, BlockFragment: enc(more[:2*(n%4)]...), EndHeaders: true, EndStream: n > 100})
		}
	}
}

// FuzzClientStreams: whatever a client does with its streams, handlers return, and the WebSockets that were accepted end.
func FuzzClientStreams(f *testing.F) {
	f.Add([]byte{2, 2, 'h', 'i'})
	f.Add([]byte{0, 8, 0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8})
	f.Add([]byte{0, 3, 0x81, 0x82, 0, 3, 0})
	f.Add([]byte{250, 1, 0x81})
	f.Add([]byte{5, 0, 2, 2, 'h', 'i', 4, 0, 4, 0, 4, 9})
	f.Add([]byte{7, 1, 'x', 2, 1, 'a', 7, 2, 'x', 'x', 6, 3, 0x81, 0x80, 0})
	f.Fuzz(func(t *testing.T, steps []byte) {
		ours, theirs := pipe.New(1 << 20)
		var handlers atomic.Int64
		srv := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Protocols: new(http.Protocols)}
		srv.Protocols.SetUnencryptedHTTP2(true)
		srv.Handler = Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			handlers.Add(1)
			defer handlers.Add(-1)
			c, err := conn.Accept(w, r, &conn.AcceptOptions{Compression: conn.Compression{Mode: conn.CompressionTakeover}, MessageLimit: 1 << 20})
			if err != nil {
				return
			}
			_ = c.Serve(context.Background(), func(c *conn.Conn, m conn.Message) error { return c.Write(context.Background(), m.Type, m.Data) })
		}))
		ln := &oneConn{nc: theirs, closed: make(chan struct{})}
		done := make(chan struct{})
		go func() { defer close(done); _ = srv.Serve(ln) }()
		go func() { _, _ = io.Copy(io.Discard, ours) }()
		_, _ = io.WriteString(ours, xhttp2.ClientPreface)
		_, _ = ours.Write(frames(func(f *xhttp2.Framer) { script(f, steps) }))
		_ = ours.CloseWrite()
		<-ln.closed // the server has closed the connection, which ends its streams
		_ = srv.Close()
		<-done
		for handlers.Load() != 0 {
			time.Sleep(time.Millisecond)
		}
		_ = ours.Close()
	})
}

// oneConn is a listener of one connection.
type oneConn struct {
	nc     *pipe.End
	given  bool
	once   sync.Once
	closed chan struct{}
}

// Accept returns the connection, and then waits until it is closed.
func (l *oneConn) Accept() (net.Conn, error) {
	if !l.given {
		l.given = true
		return &noticed{l.nc, l}, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return l.nc.LocalAddr() }

// noticed is a connection that tells when it is closed.
type noticed struct {
	*pipe.End
	l *oneConn
}

func (c *noticed) Close() error {
	c.l.once.Do(func() { close(c.l.closed) })
	return c.End.Close()
}
