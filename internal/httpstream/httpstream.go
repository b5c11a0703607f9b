// Package httpstream makes a transport of the stream that an HTTP/2 or HTTP/3 server gives a handler: input from the request's body,
// output to the ResponseWriter (RFC 8441 §5, RFC 9220 §3).
//
// A handler must not return while its ResponseWriter is in use, and its return ends the stream. [Guard] is a handler that
// takes care of both; without it the caller has to.
package httpstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// ErrTaken is returned for a request whose stream has been taken before.
var ErrTaken = errors.New("websocket: the stream of this request was taken before")

// ErrBegun is returned for a request that has been answered.
var ErrBegun = errors.New("websocket: the response to this request has begun")

// ErrNoFlush is returned if the ResponseWriter cannot send what it buffers.
var ErrNoFlush = errors.New("websocket: the ResponseWriter cannot flush: http.TimeoutHandler and some middleware buffer responses whole")

// Server is a stream on the side of the server.
type Server struct {
	stream  *transport.Stream
	w       http.ResponseWriter
	control *http.ResponseController
	body    io.ReadCloser
	header  http.Header
	request *http.Request
	guarded bool

	over     chan struct{} // closed when the handler may return
	overOnce sync.Once

	receiving struct {
		sync.Mutex
		begun    bool          // receive runs, or is about to
		returned bool          // the guarded handler has returned, and its goroutine can receive
		wanted   chan struct{} // closed when it shall
	}

	using sync.Mutex // held while w is used
	begun bool       // the header was sent
	gone  bool       // w must not be used any more
}

// Taker is found in the context of a request whose server hands its streams over by itself: see [WithTaker].
type Taker func(w http.ResponseWriter, header http.Header) (nc net.Conn, respond func() error, err error)

type takerKey struct{}

// WithTaker returns a context with which Take calls t.
func WithTaker(ctx context.Context, t Taker) context.Context {
	return context.WithValue(ctx, takerKey{}, t)
}

// Taken is a stream that was taken from its handler.
type Taken struct {
	Conn    net.Conn     // for transport.New
	Respond func() error // sends the response's header; to be called once
}

// Take takes the stream of an extended CONNECT, to be answered by 200 and header.
func Take(w http.ResponseWriter, r *http.Request, header http.Header, timeout time.Duration) (Taken, error) {
	if take, ok := r.Context().Value(takerKey{}).(Taker); ok {
		nc, respond, err := take(w, header)
		return Taken{Conn: nc, Respond: respond}, err
	}
	s := &Server{w: innermost(w), body: r.Body, header: header, request: r, over: make(chan struct{})}
	s.receiving.wanted = make(chan struct{})
	if g, ok := r.Context().Value(guardKey{}).(*guard); ok {
		if err := g.Take(); err != nil {
			return Taken{}, err
		}
		s.w, s.body, s.guarded = g.w, g.body, true
		defer func() {
			if s.stream != nil {
				g.server.Store(s)
			}
		}()
	}
	s.control = http.NewResponseController(s.w)
	if _, marked := s.w.Header()[takenMark]; marked {
		return Taken{}, ErrTaken
	}
	if !canFlush(s.w) {
		return Taken{}, ErrNoFlush
	}
	s.stream = transport.NewStream(s)
	if !s.guarded {
		context.AfterFunc(r.Context(), s.handlerReturned)
	}
	respond := func() error { return s.respond(timeout) }
	return Taken{transport.StreamConn{Stream: s.stream}, respond}, nil
}

// innermost unwraps a ResponseWriter, so that middleware that changes bodies does not change frames.
func innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = u.Unwrap()
	}
}

func canFlush(w http.ResponseWriter) bool {
	switch w.(type) {
	case http.Flusher, interface{ FlushError() error }:
		return true
	}
	return false
}

// respond sends the header.
func (s *Server) respond(timeout time.Duration) error {
	// The server's own timeouts are for requests that end.
	_ = s.control.SetReadDeadline(time.Time{})
	_ = s.control.SetWriteDeadline(time.Now().Add(timeout))
	s.using.Lock()
	err := s.begin()
	s.using.Unlock()
	if err != nil {
		_ = s.stream.Close()
		return err
	}
	_ = s.control.SetWriteDeadline(time.Time{})
	return nil
}

// begin sends the header once. s.using is held.
func (s *Server) begin() error {
	switch {
	case s.gone:
		return net.ErrClosed
	case s.begun:
		return nil
	}
	s.begun = true
	h := s.w.Header()
	SetHeader(h, s.header)
	s.w.WriteHeader(http.StatusOK)
	h[takenMark] = nil
	return s.control.Flush()
}

// SetHeader adds the fields of a response to those that middleware has set, without those that describe a body or the connection.
func SetHeader(h, header http.Header) {
	for name := range h {
		if strings.HasPrefix(name, "Content-") || name == "Trailer" || name == "Connection" {
			delete(h, name)
		}
	}
	maps.Copy(h, header)
}

// takenMark is set in a ResponseWriter's header when that was sent, so that its stream is not taken twice.
const takenMark = "Websocket-Stream-Was-Taken"

// Receive has input moved to the stream: by the handler's goroutine if the handler has returned, else by a goroutine of its own.
func (s *Server) Receive() {
	s.receiving.Lock()
	defer s.receiving.Unlock()
	if s.receiving.begun {
		return
	}
	s.receiving.begun = true
	if s.receiving.returned {
		close(s.receiving.wanted)
	} else {
		go s.receive(true)
	}
}

// handOver leaves receiving to the handler's goroutine, if the handler has returned.
func (s *Server) handOver() bool {
	s.receiving.Lock()
	defer s.receiving.Unlock()
	if s.receiving.returned {
		close(s.receiving.wanted)
	}
	return s.receiving.returned
}

// receiveInHandler waits until the stream is over, and receives meanwhile if that is wanted. Where nobody receives, the end of the
// request's own context tells that the stream is over.
func (s *Server) receiveInHandler(over <-chan struct{}) {
	s.receiving.Lock()
	s.receiving.returned = true
	if s.receiving.begun {
		over = nil // whoever receives sees it
	}
	s.receiving.Unlock()
	select {
	case <-s.receiving.wanted:
		s.receive(false)
	case <-s.over:
	case <-over:
		s.stream.End(fmt.Errorf("websocket: the stream broke off: %w", io.ErrUnexpectedEOF))
		s.reset()
	}
	<-s.over
}

// receive moves input to the stream, until it ends. While nothing comes, it holds the smallest buffer.
func (s *Server) receive(onItsOwn bool) {
	size := bufpool.Small
	for s.stream.AwaitRoom() {
		if onItsOwn && s.guarded && s.handOver() {
			return
		}
		b := bufpool.Get(size)
		n, err := s.body.Read(b)
		if n == len(b) {
			size = bufpool.Record
		} else if n <= bufpool.Small {
			size = bufpool.Small
		}
		s.stream.Deliver(b, n)
		if err != nil && err != io.EOF {
			err = fmt.Errorf("websocket: the stream broke off: %w", err)
		}
		if err != nil {
			s.stream.End(err)
			return
		}
	}
}

// Send starts a goroutine that sends what there is.
func (s *Server) Send() { go s.send() }

// sendSize is the most that is handed to the ResponseWriter at once, in bytes: the largest frame that every peer takes.
const sendSize = 16 << 10

func (s *Server) send() {
	s.using.Lock()
	defer s.using.Unlock()
	buf := bufpool.Get(sendSize)
	defer bufpool.Put(buf)
	err := s.begin()
	for err == nil {
		n, end := s.stream.Collect(buf[:sendSize])
		if n > 0 {
			err = s.write(buf[:n])
			s.stream.Carried(n)
		}
		if end {
			s.gone = true
			_ = s.body.Close() // ends receive
			s.release()
		}
		if n == 0 || end {
			break
		}
	}
	if err != nil {
		s.stream.End(fmt.Errorf("websocket: the stream broke off: %w", err))
	}
}

// write writes p, and has it sent if nothing follows. s.using is held.
func (s *Server) write(p []byte) (err error) {
	if !s.guarded {
		defer func() { // net/http panics if the handler has returned
			if v := recover(); v != nil {
				err = fmt.Errorf("the handler has returned: %v", v)
			}
		}()
	}
	if _, err = s.w.Write(p); err == nil && !s.stream.More() {
		err = s.control.Flush()
	}
	return err
}

// Consumed does nothing: the server learns of it when the body is read.
func (s *Server) Consumed(int) {}

// HalfCloses reports false: a handler ends both directions by returning.
func (s *Server) HalfCloses() bool { return false }

// Closed resets the stream, or lets the rest be sent. Where the handler returns by itself, it waits for that.
func (s *Server) Closed(orderly bool) {
	if !orderly {
		s.reset()
	} else if !s.guarded {
		<-s.over
	}
}

// reset breaks the stream off, and returns when w is not used any more.
func (s *Server) reset() {
	_ = s.body.Close()
	select {
	case <-s.over: // the handler may have returned
	default:
		// Writing after its deadline is answered by RST_STREAM.
		_ = s.control.SetWriteDeadline(time.Unix(1, 0))
	}
	s.using.Lock()
	s.gone = true
	s.using.Unlock()
	s.release()
}

func (s *Server) release() { s.overOnce.Do(func() { close(s.over) }) }

// handlerReturned notes that w must not be used any more.
func (s *Server) handlerReturned() {
	s.release()
	s.using.Lock()
	s.gone = true
	s.using.Unlock()
}

// NetConn returns what has the addresses.
func (s *Server) NetConn() net.Conn { return served{transport.StreamConn{Stream: s.stream}, s} }

// served is a stream with the addresses and the TLS of its request.
type served struct {
	transport.StreamConn
	server *Server
}

// EndsWithHandler reports whether the handler's return ends the stream.
func (c served) EndsWithHandler() bool { return !c.server.guarded }

// LocalAddr returns the server's address.
func (c served) LocalAddr() net.Addr {
	if addr, ok := c.server.request.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		return addr
	}
	return name("")
}

// RemoteAddr returns the client's address.
func (c served) RemoteAddr() net.Addr {
	if addr, err := netip.ParseAddrPort(c.server.request.RemoteAddr); err == nil {
		return net.TCPAddrFromAddrPort(addr)
	}
	return name(c.server.request.RemoteAddr)
}

// TLSState returns the state of the TLS connection, if there is one.
func (c served) TLSState() (tls.ConnectionState, bool) {
	if c.server.request.TLS == nil {
		return tls.ConnectionState{}, false
	}
	return *c.server.request.TLS, true
}

// HTTPVersion returns "HTTP/2" or "HTTP/3".
func (c served) HTTPVersion() string { return fmt.Sprintf("HTTP/%d", c.server.request.ProtoMajor) }

// name is an address that is only known as text.
type name string

func (name) Network() string  { return "tcp" }
func (n name) String() string { return string(n) }
