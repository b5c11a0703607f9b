package conn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/httpstream"
	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/internal/wire"
)

// Accept makes a WebSocket connection of an HTTP request (RFC 6455 §4.2). If the
// request is not acceptable, Accept answers it, has the server close the
// connection, and returns a *HandshakeError; the handler has only to return. It
// works behind any middleware whose ResponseWriter offers Unwrap.
//
// An extended CONNECT of HTTP/2 or HTTP/3 (RFC 8441, RFC 9220) is accepted in the same
// way, as a stream of a connection that carries others too; a refusal ends that stream
// only. The package http2 sets a server up for it. Without that, a handler of HTTP/2 must
// not return before the connection has ended, which its return would end.
//
// After Accept the ResponseWriter must not be used. The connection outlives the
// handler: when it returns is up to you, but somebody has to read until the connection
// ends (Serve, ServeInBackground, CloseRead, or calls of Read). When the handler has returned, or
// panicked, and nobody has read for PingInterval, the connection is closed with 1011
// (ErrUnread).
func Accept(w http.ResponseWriter, r *http.Request, o *AcceptOptions) (*Conn, error) {
	if o == nil {
		o = &AcceptOptions{}
	}
	var a accepted
	var err error
	if a.slot, err = o.Group.admit(r); err != nil {
		return nil, refuse(w, r, o, nil, err)
	}
	defer a.slot.abandon() // unless it is taken; a callback may panic
	c, err := hijack(w, r, o, &a)
	if err == nil {
		c.watchHandler(r.Context())
	}
	return c, err
}

func hijack(w http.ResponseWriter, r *http.Request, o *AcceptOptions, a *accepted) (*Conn, error) {
	ho, err := o.handshake(&a.params)
	if err != nil {
		return nil, refuse(w, r, o, a.slot, err)
	}
	ho.Header = merged(o.Header, w.Header())
	if a.agreed, err = handshake.Accept(r, ho); err != nil {
		return nil, refuse(w, r, o, a.slot, err)
	}
	a.parent = o.connContext(r)
	if a.agreed.IsStream() {
		return a.openStream(w, r, o)
	}
	nc, brw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, refuse(w, r, o, a.slot, &HandshakeError{
			Status: http.StatusInternalServerError, Token: "no_hijack",
			Reason: "the connection cannot be taken over: serve HTTP/1.1, through ResponseWriters that offer Unwrap",
			Err:    err,
		})
	}
	a.rest, _ = brw.Reader.Peek(brw.Reader.Buffered())
	return a.open(nc, o)
}

// refuse answers a request that was not accepted. Its slot is given back before: the client may come
// again as soon as it has the answer.
func refuse(w http.ResponseWriter, r *http.Request, o *AcceptOptions, slot *member, err error) error {
	slot.abandon()
	e, ok := err.(*HandshakeError)
	if !ok {
		e = &HandshakeError{Status: http.StatusInternalServerError, Token: "internal", Err: err}
	}
	reported.report(r.Context(), e)
	observeRefused(o.Observer, r, e)
	e.ServeHTTP(w, r)
	return e
}

// merged adds the header that middleware has set, cookies for example, to own,
// which comes first. What describes a body, or is the handshake's, stays away.
func merged(own, set http.Header) http.Header {
	if len(set) == 0 {
		return own
	}
	all := own.Clone()
	if all == nil {
		all = http.Header{}
	}
	for name, values := range set {
		switch name = http.CanonicalHeaderKey(name); {
		case strings.HasPrefix(name, "Content-"), strings.HasPrefix(name, "Sec-Websocket-"),
			name == "Connection", name == "Upgrade", name == "Transfer-Encoding", name == "Trailer":
		case all[name] == nil:
			all[name] = values
		case name == "Set-Cookie":
			all[name] = append(all[name], values...)
		}
	}
	return all
}

// accepted is a request that was accepted.
type accepted struct {
	agreed *handshake.Agreement
	params handshake.DeflateParams
	slot   *member         // kept in the group
	parent context.Context // of Conn.Context; may be nil
	rest   []byte          // what came behind the request
}

// open makes the connection and sends the response. The connection is in its group, and can be sent to, before the client
// learns that it is open.
func (a *accepted) open(nc net.Conn, o *AcceptOptions) (*Conn, error) {
	t := transport.New(nc)
	_ = nc.SetDeadline(time.Time{})
	result := a.opened(t, o)
	result.received, result.response = a.rest, a.agreed.AppendResponse(nil)
	c := result.start()
	ctx, cancel := within(o.timeout())
	defer cancel()
	if err := c.send.flush(ctx); err != nil {
		return nil, c.notAnswered(err)
	}
	return c, nil
}

// opened returns the results of the opening handshake.
func (a *accepted) opened(t transport.Conn, o *AcceptOptions) opened {
	set := o.settings()
	return opened{
		transport: t, role: frame.Server, subprotocol: a.agreed.Subprotocol, settings: set,
		compression: newCompression(frame.Server, &o.Compression, a.params, set.messageLimit),
		observer:    o.Observer, member: a.slot, parent: a.parent,
	}
}

// notAnswered ends a connection whose client has not received the response.
func (c *Conn) notAnswered(err error) error {
	c.abort(err)
	return fmt.Errorf("websocket: sending the handshake's response: %w", err)
}

// openStream makes the connection of an extended CONNECT (RFC 8441), and sends the response as open does.
func (a *accepted) openStream(w http.ResponseWriter, r *http.Request, o *AcceptOptions) (*Conn, error) {
	taken, err := httpstream.Take(w, r, a.agreed.StreamHeader(), o.timeout())
	if err != nil {
		e := &HandshakeError{
			Status: http.StatusInternalServerError, Token: "no_stream", Reason: "the stream cannot be taken over", Err: err,
		}
		if err == httpstream.ErrNoFlush {
			return nil, refuse(w, r, o, a.slot, e)
		}
		return nil, e // it was answered before, and what is written now would be frames
	}
	result := a.opened(transport.New(taken.Conn), o)
	result.respond = sync.OnceValue(taken.Respond)
	c := result.start()
	if err := result.respond(); err != nil {
		return nil, c.notAnswered(err)
	}
	return c, nil
}

// Upgrade performs the server's opening handshake on a connection without net/http: it
// reads the request, within MaxHeaderBytes and HandshakeTimeout, and answers it. nc is a
// socket or a tls.Conn, best one over a connection of [NewListener]; the TLS handshake is
// part of it. nc should have deadlines that work; where it has none, a call that is
// cancelled closes the connection.
//
// When a request is refused, the error is a *HandshakeError and the response has been
// sent, except for Compression or Group options that cannot be used: then nc is closed without
// a response. nc is closed after every error. ctx bounds the handshake only. Unlike after
// Accept, nobody looks whether the connection is read from.
func Upgrade(ctx context.Context, nc net.Conn, o *AcceptOptions) (*Conn, error) {
	if o == nil {
		o = &AcceptOptions{}
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout())
	defer cancel()
	var a accepted
	opening := true
	defer func() { // after an error, and when a callback panics
		a.slot.abandon()
		if opening {
			closeAbruptly(nc)
		}
	}()
	if err := a.upgrade(ctx, nc, o); err != nil {
		reported.report(ctx, err)
		return nil, upgradeError(ctx, err)
	}
	opening = false
	return a.open(nc, o)
}

func upgradeError(ctx context.Context, err error) error {
	if _, ok := errors.AsType[*HandshakeError](err); ok {
		return err
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return fmt.Errorf("websocket: opening handshake: %w", err)
}

// upgrade reads the request and decides about it. The slot that the group keeps is stored before a callback can panic.
func (a *accepted) upgrade(ctx context.Context, nc net.Conn, o *AcceptOptions) error {
	ho, err := o.handshake(&a.params)
	if err != nil {
		return err
	}
	defer interruptBy(ctx, nc)()
	if tc, ok := nc.(*tls.Conn); ok {
		if err := tc.HandshakeContext(ctx); err != nil {
			return err
		}
	}
	r, rest, err := readRequest(nc, headLimits(o.MaxHeaderBytes, false))
	a.rest = rest
	if r == nil { // it could not be parsed; an observer is told as much as is known
		r = &http.Request{Method: http.MethodGet, URL: &url.URL{}, Header: http.Header{}, Body: http.NoBody}
	}
	r = r.WithContext(ctx)
	r.RemoteAddr = nc.RemoteAddr().String()
	if tc, ok := nc.(*tls.Conn); ok {
		state := tc.ConnectionState()
		r.TLS = &state
	}
	if err == nil {
		a.slot, err = o.Group.admit(r)
	}
	if err == nil {
		if a.agreed, err = handshake.Accept(r, ho); err == nil {
			a.parent = o.connContext(r)
			return nil
		}
	}
	if e, ok := errors.AsType[*HandshakeError](err); ok {
		a.slot.abandon() // the client may come again as soon as it has the answer
		observeRefused(o.Observer, r, e)
		answerRefusal(nc, e)
	}
	return err
}

// interruptBy has the end of ctx end calls on nc, until the function is called. Where nc has no deadlines, it
// is closed.
func interruptBy(ctx context.Context, nc net.Conn) (stop func()) {
	done := make(chan struct{})
	halt := context.AfterFunc(ctx, func() {
		if nc.SetDeadline(past) != nil {
			_ = nc.Close() // there are no deadlines
		}
		close(done)
	})
	return func() {
		if !halt() {
			<-done
		}
	}
}

// tlsHandshake is the first byte of a TLS connection.
const tlsHandshake = 0x16

// readRequest reads a request's head and what came behind it.
func readRequest(nc net.Conn, limits handshake.Limits) (*http.Request, []byte, error) {
	p := handshake.NewRequestReader(limits)
	first := true
	rest, err := feed(nc, func(b []byte) (int, bool, error) {
		if first && len(b) > 0 {
			if first = false; b[0] == tlsHandshake {
				return 0, false, &HandshakeError{
					Status: http.StatusBadRequest, Token: "tls_to_plain",
					Reason: "the client speaks TLS to a server that does not: put tls.NewListener over the listener",
				}
			}
		}
		return p.Feed(b)
	})
	if err != nil {
		return nil, nil, err
	}
	return p.Request(), rest, nil
}

// feed reads a head in pieces and returns what came behind it.
func feed(nc net.Conn, take func([]byte) (int, bool, error)) ([]byte, error) {
	buf := bufpool.Get(bufpool.Medium)
	defer bufpool.Put(buf)
	for {
		n, readErr := nc.Read(buf)
		k, done, err := take(buf[:n])
		switch {
		case err != nil:
			return nil, err
		case done:
			return append([]byte(nil), buf[k:n]...), nil
		case readErr != nil:
			return nil, readErr
		}
	}
}

// answerRefusal tells the peer, and reads a little of what it is still sending, so
// that the answer is not lost to a reset.
func answerRefusal(nc net.Conn, e *HandshakeError) {
	_ = nc.SetDeadline(time.Now().Add(lingerTimeout))
	if _, err := nc.Write(e.AppendResponse(nil)); err != nil {
		return
	}
	closeWrite(nc)
	buf := make([]byte, 4096)
	for range 64 {
		if _, err := nc.Read(buf); err != nil {
			return
		}
	}
}

// closeWrite ends our stream, down to the socket.
func closeWrite(nc net.Conn) {
	if hc, ok := nc.(interface{ CloseWrite() error }); ok {
		_ = hc.CloseWrite()
	}
	if tc, ok := nc.(*tls.Conn); ok {
		if w, ok := tc.NetConn().(*wire.Conn); ok {
			_ = w.CloseWrite()
		}
	}
}

// ErrListenerAboveTLS is what Accept of [NewListener] returns when the listener it was given
// does TLS. An http.Server stops serving with it.
var ErrListenerAboveTLS = errors.New("websocket: NewListener was given a listener of TLS connections, and belongs below TLS: " +
	"wrap the listener of sockets, tls.NewListener(conn.NewListener(ln), cfg)")

// NewListener wraps a listener of sockets so that connections accepted from it own
// the layer between crypto/tls and the socket. Put it below TLS:
//
//	ln, err := net.Listen("tcp", ":443")
//	…
//	err = srv.ServeTLS(conn.NewListener(ln), certFile, keyFile)
//
// Above TLS it is of no use, so its Accept returns [ErrListenerAboveTLS]: at once if it is
// given what tls.NewListener returns, and else with the first *tls.Conn. Given a listener
// of its own it returns that.
//
// It serves plain HTTP and other protocols over TLS alike, HTTP/2 included: until a
// connection becomes a WebSocket its bytes pass as they come.
//
// [Accept] works without it, with these limits over TLS: an idle connection keeps a
// read buffer of 20 KiB and crypto/tls its own; each message is a record and a
// system call at least; a write that is cancelled while the peer does not read
// closes the connection; and a TLS stream that is cut off between two records
// cannot be told from one that was ended. Without TLS nothing is lost.
func NewListener(l net.Listener) net.Listener {
	if own, ok := l.(*listener); ok {
		return own
	}
	return &listener{Listener: l, aboveTLS: reflect.TypeOf(l) == tlsListener}
}

// tlsListener is a type that crypto/tls does not export.
var tlsListener = reflect.TypeOf(tls.NewListener(nil, nil))

type listener struct {
	net.Listener
	aboveTLS bool
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	if l.aboveTLS {
		return nil, ErrListenerAboveTLS
	}
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if _, ok := nc.(*tls.Conn); ok {
		_ = nc.Close()
		return nil, ErrListenerAboveTLS
	}
	return wire.New(nc), nil
}
