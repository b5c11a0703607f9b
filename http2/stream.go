package http2

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/hostpool"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// clientStream is one WebSocket of a connection.
type clientStream struct {
	conn   *clientConn
	stream *transport.Stream
	fields []hpack.HeaderField

	answered chan struct{}  // closed when there is a response or an error
	response *http.Response // set before
	err      error          // set before

	// guarded by conn.mu
	id       uint32 // zero until its HEADERS are written
	window   int64  // what we may send, in bytes
	credit   int64  // what the server may send
	consumed int64  // bytes read and not returned to the server yet
	queued   bool   // in sendable
	blocked  bool   // waits for a window
	sentEnd  bool   // END_STREAM was sent
	gotEnd   bool   // END_STREAM was received
	closed   bool   // nobody uses the stream any more
	done     bool   // there is a response or an error
}

// Open sends an extended CONNECT on a stream that is reserved, and waits for the response.
func (c *clientConn) Open(ctx context.Context, r *conn.StreamRequest) (net.Conn, *http.Response, error) {
	s := &clientStream{conn: c, fields: requestFields(r), answered: make(chan struct{})}
	s.stream = transport.NewStream(s)
	var size uint32
	for _, f := range s.fields {
		size += f.Size()
	}
	c.mu.Lock()
	c.reserved--
	switch {
	case c.failed != nil || c.leaving:
		c.mu.Unlock()
		return nil, nil, hostpool.ErrNotProcessed
	case size > c.peer.headerList:
		c.checkIdle()
		c.mu.Unlock()
		return nil, nil, fmt.Errorf("http2: the request's header has %d bytes, the server takes %d", size, c.peer.headerList)
	}
	c.opening = append(c.opening, s)
	c.wakeWriter()
	c.mu.Unlock()
	select {
	case <-s.answered:
	case <-ctx.Done():
		c.doubt()
		_ = s.stream.Close()
		return nil, nil, ctx.Err()
	}
	if s.err != nil {
		_ = s.stream.Close()
		return nil, nil, s.err
	}
	return transport.StreamConn{Stream: s.stream}, s.response, nil
}

// requestFields returns the header of an extended CONNECT (RFC 8441 §4, §5).
func requestFields(r *conn.StreamRequest) []hpack.HeaderField {
	fields := []hpack.HeaderField{
		{Name: ":method", Value: http.MethodConnect},
		{Name: ":protocol", Value: "websocket"},
		{Name: ":scheme", Value: r.URL.Scheme},
		{Name: ":path", Value: r.URL.RequestURI()},
		{Name: ":authority", Value: r.Host},
	}
	for name, values := range r.Header {
		name = strings.ToLower(name)
		for _, value := range values {
			secret := name == "authorization" || name == "cookie" || name == "proxy-authorization"
			fields = append(fields, hpack.HeaderField{Name: name, Value: value, Sensitive: secret})
		}
	}
	return fields
}

// answer notes the response, or why there is none. The lock is held.
func (s *clientStream) answer(resp *http.Response, err error) {
	if !s.done {
		s.done, s.response, s.err = true, resp, err
		close(s.answered)
	}
}

// fail ends the stream because its connection has.
func (s *clientStream) fail(err error) {
	s.conn.mu.Lock()
	s.answer(nil, err)
	s.conn.mu.Unlock()
	s.stream.End(err)
}

// Send has the stream send in its turn.
func (s *clientStream) Send() {
	c := s.conn
	c.mu.Lock()
	if s.id != 0 {
		s.blocked = false
		c.queue(s)
	}
	c.mu.Unlock()
}

// Receive does nothing: the connection reads for all its streams.
func (s *clientStream) Receive() {}

// Consumed returns n bytes of the window to the server, some at a time.
func (s *clientStream) Consumed(n int) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	s.consumed += int64(n)
	if s.consumed < streamWindow/2 || s.gotEnd || c.streams[s.id] != s {
		return
	}
	k := uint32(s.consumed)
	s.credit += s.consumed
	s.consumed = 0
	id := s.id
	c.enqueue(func() error { return c.framer.WriteWindowUpdate(id, k) })
}

// HalfCloses reports true: END_STREAM ends our direction (RFC 8441 §5).
func (s *clientStream) HalfCloses() bool { return true }

// Closed resets the stream unless it ends in order.
func (s *clientStream) Closed(orderly bool) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	s.closed = true
	if s.id == 0 { // its HEADERS were not written
		for i, other := range c.opening {
			if other == s {
				c.opening = append(c.opening[:i:i], c.opening[i+1:]...)
				break
			}
		}
		c.checkIdle()
		return
	}
	if !orderly {
		c.reset(s, xhttp2.ErrCodeCancel)
		c.probeIfQuiet() // it may be the connection that is dead
		return
	}
	c.checkOver(s)
}

// NetConn returns what has the addresses.
func (s *clientStream) NetConn() net.Conn { return dialed{s.conn.nc} }

// dialed is the connection of a stream.
type dialed struct{ net.Conn }

// TLSState returns the state of the TLS connection.
func (d dialed) TLSState() (tls.ConnectionState, bool) {
	if tc, ok := d.Conn.(*tls.Conn); ok {
		return tc.ConnectionState(), true
	}
	return tls.ConnectionState{}, false
}

// HTTPVersion returns "HTTP/2".
func (d dialed) HTTPVersion() string { return "HTTP/2" }

// reset sends RST_STREAM and forgets the stream. The lock is held.
func (c *clientConn) reset(s *clientStream, code xhttp2.ErrCode) {
	if c.streams[s.id] != s {
		return
	}
	delete(c.streams, s.id)
	id := s.id
	if !s.gotEnd || !s.sentEnd {
		c.enqueue(func() error { return c.framer.WriteRSTStream(id, code) })
	}
	c.checkIdle()
}

// checkOver forgets a stream that has ended in both directions, or that nobody reads any more when our end was sent. The lock is held.
func (c *clientConn) checkOver(s *clientStream) {
	if s.sentEnd && (s.gotEnd || s.closed) {
		c.reset(s, xhttp2.ErrCodeNo)
	}
}

// responseOf makes a response of a header block.
func responseOf(f *xhttp2.MetaHeadersFrame) (*http.Response, *StreamError) {
	status, err := strconv.Atoi(f.PseudoValue("status"))
	if err != nil || status < 100 || status > 999 {
		return nil, &StreamError{Code: uint32(xhttp2.ErrCodeProtocol)}
	}
	h := make(http.Header)
	for _, field := range f.RegularFields() {
		h.Add(field.Name, field.Value)
	}
	resp := &http.Response{
		StatusCode: status, Status: strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status)),
		Proto: "HTTP/2.0", ProtoMajor: 2, Header: h, Body: http.NoBody, ContentLength: -1,
	}
	if n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
		resp.ContentLength = n
	}
	if f.StreamEnded() {
		resp.ContentLength = 0
	}
	return resp, nil
}

var _ transport.Carrier = (*clientStream)(nil)
var _ io.Writer = (*blockBuffer)(nil)
