package main

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

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/seed-c4549abd/wss/handshake"
)

// errNoConnect means that a server does not take WebSockets over HTTP/2.
var errNoConnect = errors.New("the server does not announce SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 §3)")

// stream is one WebSocket over an HTTP/2 connection of its own, as browsers open it: an extended CONNECT (RFC 8441 §5). It is
// the net.Conn of a client that speaks HTTP/1.1: its request becomes the CONNECT, and the answer a 101.
type stream struct {
	nc     *tls.Conn
	framer *http2.Framer
	client *bufio.Reader // what our client sends
	pipe   net.Conn      // the other side of what our client has

	mu       sync.Mutex // guards the framer's writes and all below
	changed  *sync.Cond
	request  *http.Request // that waits for its answer
	window   int64         // of the connection: bytes that may be sent
	streamed int64         // of the stream
	initial  int64         // of a new stream
	frame    int           // the most bytes of one
	err      error         // the first
}

const streamID = 1

// dialH2 opens a connection over TLS, and returns what our client is to use as its socket.
func dialH2(ctx context.Context, nc *tls.Conn) (net.Conn, error) {
	if err := nc.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	if got := nc.ConnectionState().NegotiatedProtocol; got != "h2" {
		return nil, fmt.Errorf("ALPN chose %q, want h2", got)
	}
	ours, theirs := net.Pipe()
	s := &stream{
		nc: nc, framer: http2.NewFramer(nc, nc), client: bufio.NewReader(theirs), pipe: theirs,
		window: 65535, streamed: 65535, initial: 65535, frame: 16384,
	}
	s.changed = sync.NewCond(&s.mu)
	s.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if _, err := io.WriteString(nc, http2.ClientPreface); err != nil {
		return nil, err
	}
	if err := s.framer.WriteSettings(http2.Setting{ID: http2.SettingEnablePush, Val: 0}); err != nil {
		return nil, err
	}
	if err := s.firstSettings(); err != nil {
		_ = nc.Close()
		return nil, err
	}
	go func() { s.end(s.receive()) }()
	go func() { s.end(s.send()) }()
	return ours, nil
}

// firstSettings reads the server's SETTINGS, which come first (RFC 9113 §3.4).
func (s *stream) firstSettings() error {
	f, err := s.framer.ReadFrame()
	if err != nil {
		return err
	}
	settings, ok := f.(*http2.SettingsFrame)
	if !ok {
		return fmt.Errorf("the first frame is %v", f)
	}
	if v, ok := settings.Value(http2.SettingEnableConnectProtocol); !ok || v != 1 {
		return errNoConnect
	}
	return s.settings(settings)
}

func (s *stream) settings(f *http2.SettingsFrame) error {
	if f.IsAck() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := f.Value(http2.SettingInitialWindowSize); ok {
		s.streamed += int64(v) - s.initial
		s.initial = int64(v)
	}
	if v, ok := f.Value(http2.SettingMaxFrameSize); ok {
		s.frame = int(v)
	}
	s.changed.Broadcast()
	return s.framer.WriteSettingsAck()
}

// end ends both directions, after the first error of one.
func (s *stream) end(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.changed.Broadcast()
	s.mu.Unlock()
	_ = s.pipe.Close()
	_ = s.nc.Close()
}

// receive takes frames until the stream ends.
func (s *stream) receive() error {
	for {
		f, err := s.framer.ReadFrame()
		if err != nil {
			return err
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			err = s.settings(f)
		case *http2.PingFrame:
			err = s.pong(f)
		case *http2.WindowUpdateFrame:
			s.credit(f)
		case *http2.MetaHeadersFrame:
			if err = s.answer(f); err == nil && f.StreamEnded() {
				return io.EOF
			}
		case *http2.DataFrame:
			err = s.data(f)
		case *http2.RSTStreamFrame:
			return fmt.Errorf("the stream was reset: %v", f.ErrCode)
		case *http2.GoAwayFrame:
			if f.LastStreamID < streamID {
				return fmt.Errorf("GOAWAY: %v", f.ErrCode)
			}
		}
		if err != nil {
			return err
		}
	}
}

func (s *stream) pong(f *http2.PingFrame) error {
	if f.IsAck() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.framer.WritePing(true, f.Data)
}

func (s *stream) credit(f *http2.WindowUpdateFrame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.StreamID == 0 {
		s.window += int64(f.Increment)
	} else {
		s.streamed += int64(f.Increment)
	}
	s.changed.Broadcast()
}

// data hands bytes over, and gives the window back.
func (s *stream) data(f *http2.DataFrame) error {
	if _, err := s.pipe.Write(f.Data()); err != nil {
		return err
	}
	if f.StreamEnded() {
		return io.EOF
	}
	if f.Length == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.framer.WriteWindowUpdate(0, f.Length), s.framer.WriteWindowUpdate(streamID, f.Length))
}

// send translates the handshake, and then passes on what our client sends.
func (s *stream) send() error {
	r, err := http.ReadRequest(s.client)
	if err != nil {
		return err
	}
	if err := s.connect(r); err != nil {
		return err
	}
	buf := make([]byte, 16384)
	for {
		n, err := s.client.Read(buf)
		if err := s.writeData(buf[:n]); err != nil {
			return err
		}
		if err != nil {
			return err
		}
	}
}

// connect sends the extended CONNECT for a request (RFC 8441 §5).
func (s *stream) connect(r *http.Request) error {
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	field := func(name, value string) { _ = enc.WriteField(hpack.HeaderField{Name: name, Value: value}) }
	field(":method", "CONNECT")
	field(":protocol", "websocket")
	field(":scheme", "https")
	field(":path", r.URL.RequestURI())
	field(":authority", r.Host)
	for name, values := range r.Header {
		switch name {
		case "Connection", "Upgrade", "Sec-Websocket-Key":
			continue
		}
		for _, value := range values {
			field(strings.ToLower(name), value)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.request = r
	return s.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: streamID, BlockFragment: block.Bytes(), EndHeaders: true})
}

// answer writes the answer of HTTP/1.1 that our client expects. Trailers are none.
func (s *stream) answer(f *http2.MetaHeadersFrame) error {
	s.mu.Lock()
	r := s.request
	s.request = nil
	s.mu.Unlock()
	if r == nil {
		return nil
	}
	var b strings.Builder
	if status := f.PseudoValue("status"); status == "200" {
		fmt.Fprintf(&b, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n",
			handshake.AcceptKey(r.Header.Get("Sec-WebSocket-Key")))
	} else {
		fmt.Fprintf(&b, "HTTP/1.1 %s \r\nConnection: close\r\n", status)
	}
	for _, h := range f.RegularFields() {
		if !strings.EqualFold(h.Name, "sec-websocket-accept") {
			fmt.Fprintf(&b, "%s: %s\r\n", h.Name, h.Value)
		}
	}
	b.WriteString("\r\n")
	_, err := io.WriteString(s.pipe, b.String())
	return err
}

// writeData sends bytes as far as both windows let it.
func (s *stream) writeData(p []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(p) > 0 {
		for s.err == nil && min(s.window, s.streamed) <= 0 {
			s.changed.Wait()
		}
		if s.err != nil {
			return s.err
		}
		n := min(len(p), s.frame, int(min(s.window, s.streamed)))
		if err := s.framer.WriteData(streamID, false, p[:n]); err != nil {
			return err
		}
		s.window -= int64(n)
		s.streamed -= int64(n)
		p = p[n:]
	}
	return nil
}
