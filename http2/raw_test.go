package http2_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// raw is one end of an HTTP/2 connection, frame by frame.
type raw struct {
	*xhttp2.Framer
	t     *testing.T
	nc    net.Conn
	block bytes.Buffer
	enc   *hpack.Encoder
}

func newRaw(t *testing.T, nc net.Conn) *raw {
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	r := &raw{Framer: xhttp2.NewFramer(nc, nc), t: t, nc: nc}
	r.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	r.AllowIllegalWrites = true
	r.enc = hpack.NewEncoder(&r.block)
	t.Cleanup(func() { _ = nc.Close() })
	return r
}

// rawClient connects to a server, and returns when its SETTINGS have come.
func rawClient(t *testing.T, s *server, settings ...xhttp2.Setting) (*raw, map[xhttp2.SettingID]uint32) {
	t.Helper()
	cfg := s.client.Clone()
	cfg.NextProtos = []string{"h2"}
	nc, err := tls.Dial("tcp", s.addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := newRaw(t, nc)
	r.must(io.WriteString(nc, xhttp2.ClientPreface))
	r.check(r.WriteSettings(settings...))
	theirs := make(map[xhttp2.SettingID]uint32)
	f := r.next(func(f xhttp2.Frame) bool { s, ok := f.(*xhttp2.SettingsFrame); return ok && !s.IsAck() })
	_ = f.(*xhttp2.SettingsFrame).ForeachSetting(func(s xhttp2.Setting) error {
		theirs[s.ID] = s.Val
		return nil
	})
	r.check(r.WriteSettingsAck())
	return r, theirs
}

func (r *raw) check(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *raw) must(_ int, err error) { r.t.Helper(); r.check(err) }

// encode returns a header block of pairs of names and values.
func (r *raw) encode(pairs ...string) []byte {
	r.block.Reset()
	for i := 0; i < len(pairs); i += 2 {
		r.check(r.enc.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]}))
	}
	return bytes.Clone(r.block.Bytes())
}

// connect is the header of an extended CONNECT, with further fields; a pseudo-header among them replaces the usual one.
func connect(more ...string) []string {
	pairs := []string{":method", "CONNECT", ":protocol", "websocket", ":scheme", "https", ":path", "/", ":authority", "localhost", "sec-websocket-version", "13"}
	for i := 0; i < len(more); i += 2 {
		replaced := false
		for j := 0; j < len(pairs); j += 2 {
			if pairs[j] == more[i] {
				pairs[j+1], replaced = more[i+1], true
				if more[i+1] == "" {
					pairs = append(pairs[:j:j], pairs[j+2:]...)
				}
				break
			}
		}
		if !replaced && more[i][0] == ':' {
			pairs = append([]string{more[i], more[i+1]}, pairs...)
		} else if !replaced {
			pairs = append(pairs, more[i], more[i+1])
		}
	}
	return pairs
}

// request opens a stream.
func (r *raw) request(id uint32, end bool, pairs ...string) {
	r.t.Helper()
	r.check(r.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: id, BlockFragment: r.encode(pairs...), EndHeaders: true, EndStream: end}))
}

// next returns the next frame that is wanted. WINDOW_UPDATE, PING and SETTINGS are dealt with on the way.
func (r *raw) next(wanted func(xhttp2.Frame) bool) xhttp2.Frame {
	r.t.Helper()
	for {
		f, err := r.ReadFrame()
		if err != nil {
			r.t.Fatalf("no such frame came: %v", err)
		}
		if wanted(f) {
			return f
		}
		switch f := f.(type) {
		case *xhttp2.GoAwayFrame:
			r.t.Fatalf("GOAWAY: %v %s", f.ErrCode, f.DebugData())
		case *xhttp2.PingFrame:
			if !f.IsAck() {
				r.check(r.WritePing(true, f.Data))
			}
		}
	}
}

// status returns the status of a stream's response.
func (r *raw) status(id uint32) string {
	r.t.Helper()
	f := r.next(func(f xhttp2.Frame) bool {
		return f.Header().StreamID == id && f.Header().Type != xhttp2.FrameWindowUpdate
	})
	if h, ok := f.(*xhttp2.MetaHeadersFrame); ok {
		return h.PseudoValue("status")
	}
	r.t.Fatalf("%v in place of the response", f)
	return ""
}

// open opens a WebSocket.
func (r *raw) open(id uint32, more ...string) {
	r.t.Helper()
	r.request(id, false, connect(more...)...)
	if s := r.status(id); s != "200" {
		r.t.Fatalf("status %s", s)
	}
}

// message is a masked frame with a text.
func message(text string) []byte {
	h := frame.Header{Fin: true, Opcode: frame.Text, Masked: true, Length: int64(len(text))}
	return append(h.Append(nil), text...) // the key is zero
}

// payload reads DATA of a stream until n bytes have come.
func (r *raw) payload(id uint32, n int) (p []byte) {
	r.t.Helper()
	for len(p) < n {
		f := r.next(func(f xhttp2.Frame) bool {
			return f.Header().StreamID == id && f.Header().Type != xhttp2.FrameWindowUpdate
		})
		d, ok := f.(*xhttp2.DataFrame)
		if !ok {
			r.t.Fatalf("%v in place of DATA", f)
		}
		p = append(p, d.Data()...)
	}
	return p
}

// ending returns how a stream ends: "END_STREAM", or the code of RST_STREAM; and the DATA before.
func (r *raw) ending(id uint32) (how string, p []byte) {
	r.t.Helper()
	for {
		f := r.next(func(f xhttp2.Frame) bool { return f.Header().StreamID == id })
		switch f := f.(type) {
		case *xhttp2.DataFrame:
			p = append(p, f.Data()...)
			if f.StreamEnded() {
				return "END_STREAM", p
			}
		case *xhttp2.MetaHeadersFrame:
			if f.StreamEnded() {
				return "END_STREAM", p
			}
		case *xhttp2.RSTStreamFrame:
			return f.ErrCode.String(), p
		}
	}
}

// rawServer accepts one connection and hands it to script, in the server's part. It returns the address and the client's TLS.
func rawServer(t *testing.T, script func(r *raw)) (addr string, client *tls.Config) {
	t.Helper()
	sc, cc := testtls.Configs(tls.VersionTLS13)
	sc.NextProtos = []string{"h2"}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", sc)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			r := &raw{t: t, nc: nc}
			r.Framer = xhttp2.NewFramer(nc, nc)
			r.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
			r.AllowIllegalWrites = true
			r.enc = hpack.NewEncoder(&r.block)
			_ = nc.SetDeadline(time.Now().Add(time.Minute))
			preface := make([]byte, len(xhttp2.ClientPreface))
			if _, err := io.ReadFull(nc, preface); err == nil {
				script(r)
			}
			_ = nc.Close()
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return ln.Addr().String(), cc
}

// settle sends SETTINGS with WebSockets, and acknowledges the client's.
func (r *raw) settle(more ...xhttp2.Setting) error {
	all := append([]xhttp2.Setting{{ID: xhttp2.SettingEnableConnectProtocol, Val: 1}}, more...)
	return errors.Join(r.WriteSettings(all...), r.WriteSettingsAck())
}

// awaitRequest returns the number of the stream that the client opens.
func (r *raw) awaitRequest() (uint32, *xhttp2.MetaHeadersFrame, error) {
	for {
		f, err := r.ReadFrame()
		if err != nil {
			return 0, nil, err
		}
		if h, ok := f.(*xhttp2.MetaHeadersFrame); ok {
			return h.StreamID, h, nil
		}
	}
}

// accept answers a stream's request.
func (r *raw) accept(id uint32, pairs ...string) error {
	return r.WriteHeaders(xhttp2.HeadersFrameParam{
		StreamID: id, BlockFragment: r.encode(append([]string{":status", "200"}, pairs...)...), EndHeaders: true,
	})
}

// drain reads until the client has gone.
func (r *raw) drain() { r.drainUntil(xhttp2.FrameGoAway) }

// drainUntil reads until a frame of a type, or GOAWAY, has come, or the client has gone.
func (r *raw) drainUntil(typ xhttp2.FrameType) {
	for {
		f, err := r.ReadFrame()
		if err != nil || f.Header().Type == typ || f.Header().Type == xhttp2.FrameGoAway {
			return
		}
	}
}
