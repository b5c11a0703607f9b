package conn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/wire"
)

// Upgrade performs the server's opening handshake on a connection without net/http: it
// reads the request, within MaxHeaderBytes and HandshakeTimeout, and answers it. nc is a
// socket or a tls.Conn, best one over a connection of [NewListener]; the TLS handshake is
// part of it. nc should have deadlines that work; where it has none, a call that is
// cancelled closes the connection.
//
// When a request is refused, the error is a *HandshakeError and the response has been
// sent, except for Compression options that cannot be used: then nc is closed without a
// response. nc is closed after every error. ctx bounds the handshake only. Unlike after
// Accept, nobody looks whether the connection is read from.
func Upgrade(ctx context.Context, nc net.Conn, o *AcceptOptions) (*Conn, error) {
	if o == nil {
		o = &AcceptOptions{}
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout())
	defer cancel()
	var params handshake.DeflateParams
	var place *member
	opening := true
	defer func() { // after an error, and when a callback panics
		place.abandon()
		if opening {
			closeAbruptly(nc)
		}
	}()
	agreed, rest, err := upgrade(ctx, nc, o, &params, &place)
	if err != nil {
		reported.report(ctx, err)
		return nil, upgradeError(ctx, err)
	}
	opening = false
	return accepted(nc, agreed, o, params, rest, place)
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

// upgrade reads the request and decides about it. The place that the group keeps is stored in place
// before a callback can panic.
func upgrade(ctx context.Context, nc net.Conn, o *AcceptOptions, params *handshake.DeflateParams, place **member) (*handshake.Agreement, []byte, error) {
	ho, err := o.handshake(params)
	if err != nil {
		return nil, nil, err
	}
	defer interruptBy(ctx, nc)()
	if tc, ok := nc.(*tls.Conn); ok {
		if err := tc.HandshakeContext(ctx); err != nil {
			return nil, nil, err
		}
	}
	r, rest, err := readRequest(nc, headLimits(o.MaxHeaderBytes, false))
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
		*place, err = o.Group.admit(r)
	}
	if err == nil {
		var agreed *handshake.Agreement
		if agreed, err = handshake.Accept(r, ho); err == nil {
			return agreed, rest, nil
		}
	}
	if e, ok := errors.AsType[*HandshakeError](err); ok {
		(*place).abandon() // the client may come again as soon as it has the answer
		observeRefused(o.Observer, r, e)
		answerRefusal(nc, e)
	}
	return nil, nil, err
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
