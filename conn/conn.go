package conn

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/frame"
)

// Conn is a WebSocket connection. It is made by [Accept], [Dial], [Upgrade] or
// [Client], and must be ended by [Conn.Close] or [Conn.CloseNow], unless a call on
// it has returned a *CloseError: then it has ended itself. All methods may be
// called by any number of goroutines at once.
type Conn struct {
	// With many connections what a message needs is seldom in a cache, and each line less
	// counts. So what it needs lies together, here and in the parts, from the beginning of a
	// line on: they begin 8 bytes before offsets that are multiples of 64, because the
	// allocator puts a word before an object of this size (see TestWhatAMessageNeedsLiesTogether).
	t     transport
	set   *settings
	zip   *compression // nil: no extension; see compress.go
	obs   Observer     // nil: nobody looks
	ended atomic.Pointer[CloseError]

	role frame.Role
	out  outbox // see write.go

	num counters  // see stats.go
	liv keepalive // see keepalive.go

	subprotocol string
	cls         atomic.Pointer[closing] // nil until closing has to be bounded; see close.go

	in inbox // see read.go

	lif    life    // see life.go
	png    pings   // see ping.go
	member *member // nil: in no group
}

// newConn makes a connection of a transport whose opening handshake is done. rest
// is what the peer sent behind it.
func newConn(t transport, role frame.Role, subprotocol string, set settings, zip *compression, rest []byte) *Conn {
	c := &Conn{t: t, set: shared(set), role: role, subprotocol: subprotocol, zip: zip}
	c.start(rest, nil, nil)
	return c
}

// start lets the connection live, watched by obs and in the place that a group has kept
// for it, if any.
func (c *Conn) start(rest []byte, obs Observer, place *member) {
	c.in.init(c.role, c.set.messageLimit, rest)
	c.in.rx.Compression = c.zip != nil
	c.obs, c.member = obs, place
	if obs != nil {
		obs.Opened(c)
	}
	c.liv.start(c)
	if place != nil {
		place.join(c)
	}
}

// Subprotocol returns the subprotocol that both sides agreed on, "" if none
// (RFC 6455 §1.9).
func (c *Conn) Subprotocol() string { return c.subprotocol }

// LocalAddr returns the socket's local address.
func (c *Conn) LocalAddr() net.Addr { return c.t.NetConn().LocalAddr() }

// RemoteAddr returns the socket's remote address.
func (c *Conn) RemoteAddr() net.Addr { return c.t.NetConn().RemoteAddr() }

// Compressed reports whether permessage-deflate was agreed on (RFC 7692).
func (c *Conn) Compressed() bool { return c.zip != nil }

// TLS returns the state of the TLS connection, and false if there is none.
func (c *Conn) TLS() (tls.ConnectionState, bool) {
	if nc, ok := c.t.NetConn().(*tls.Conn); ok {
		return nc.ConnectionState(), true
	}
	return tls.ConnectionState{}, false
}

// Context returns a context that lives as long as the connection; its cause is the
// *CloseError. (An http.Request's context ends when the handler returns, hijacked
// or not.)
func (c *Conn) Context() context.Context {
	if x := c.lif.ctx.Load(); x != nil {
		return *x
	}
	return c.lif.context()
}

// err returns why the connection has ended, or nil.
func (c *Conn) err() error {
	if e := c.ended.Load(); e != nil {
		return e
	}
	return nil
}

// because is the error of a call whose context ended: the connection's own end counts
// for more, and ends contexts too.
func (c *Conn) because(ctxErr error) error {
	if err := c.err(); err != nil {
		return err
	}
	return ctxErr
}

// done is closed when the connection has ended.
func (c *Conn) done() <-chan struct{} { return c.lif.done() }

// end records why the connection is over, closes the transport and gives back what
// the connection holds. Only the first reason counts; that one is returned.
func (c *Conn) end(why *CloseError) *CloseError {
	if !c.ended.CompareAndSwap(nil, why) {
		return c.ended.Load()
	}
	c.liv.stop()
	c.closingOver()
	_ = c.t.Close()
	c.lif.end(why)
	c.dropOutbox()
	c.png.drop()
	c.dropInbox()
	if c.obs != nil {
		c.obs.Closed(c, why)
	}
	return why
}

// abort ends the connection without a closing handshake.
func (c *Conn) abort(cause error) *CloseError {
	return c.end(&CloseError{Code: StatusAbnormal, Err: cause})
}

// within returns a context of the connection's own for a bounded step of closing.
func within(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}
