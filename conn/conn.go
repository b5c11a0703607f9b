package conn

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/deflate"
	"github.com/seed-c4549abd/wss/internal/outbox"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// Conn is a WebSocket connection. It is made by [Accept], [Dial], [Upgrade] or
// [Client], and must be ended by [Conn.Close] or [Conn.CloseNow], unless a call on
// it has returned a *CloseError: then it has ended itself. All methods may be
// called by any number of goroutines at once.
type Conn struct {
	// Fields used for each message are adjacent: with many connections they are seldom in a cache.
	transport   transport.Conn
	settings    *settings
	compression *compression // nil: no extension; see compress.go
	observer    Observer     // nil: no observer
	life        life         // see life.go

	send sender // see sender.go

	counters  counters  // see stats.go
	keepalive keepalive // see keepalive.go

	subprotocol  string
	lazyTimeouts atomic.Pointer[timeouts] // nil until something has to be bounded; see timeouts.go

	member *member // nil: in no group

	in inbox // see read.go

	pings pings // see ping.go
}

// opened holds the results of the opening handshake.
type opened struct {
	transport   transport.Conn
	role        frame.Role
	subprotocol string
	settings    settings
	compression *compression
	received    []byte       // what the peer sent behind its part of the handshake
	response    []byte       // what has to be sent before the first frame: the server's 101
	respond     func() error // sends the response of a stream; nil: response has it
	observer    Observer
	member      *member         // kept in a group
	parent      context.Context // of Conn.Context; nil: context.Background
	bare        *bareConn       // what c becomes a part of; nil: nothing
}

// start makes the connection, tells the observer and joins the group. What is written meanwhile, by
// the observer or by a broadcast, is sent behind the response. If the observer panics, the connection
// is closed.
func (o opened) start() *Conn {
	if o.compression != nil {
		o.settings.outbox.Threshold = o.compression.threshold
	}
	c := &Conn{
		transport: o.transport, settings: shared(o.settings), subprotocol: o.subprotocol, compression: o.compression,
		observer: o.observer, member: o.member,
	}
	if o.parent != nil {
		c.life.contextOf(o.parent)
	}
	c.in.init(o.role, c.settings.messageLimit, o.received)
	c.in.observed = wantsMessages(o.observer)
	c.in.receiver.Compression = c.compression != nil
	var compressor *deflate.Compressor
	if c.compression != nil {
		compressor = &c.compression.send
	}
	owner := sendOwner(c)
	if o.bare != nil {
		o.bare.Conn, owner = c, o.bare
	}
	c.send.init(c.transport, &c.life, owner, outbox.New(o.role, &c.settings.outbox, compressor, o.response), c.settings.corkTimer)
	if c.settings.maxUnsent > 0 {
		transport.BoundUnsent(c.transport, c.settings.maxUnsent)
	}
	c.keepalive.start(c.settings, (*keepaliveTask)(c))
	if c.observer == nil && c.member == nil {
		return c
	}
	done := false
	defer func() {
		if !done {
			_ = c.CloseNow()
		}
	}()
	c.send.cork.calls.Add(1)
	if c.observer != nil { // one that takes long does not hold up the response
		switch {
		case o.respond != nil:
			defer time.AfterFunc(corkLimit, func() { _ = o.respond() }).Stop()
		case len(o.response) > 0:
			c.send.tryFlushUncorked()
		}
	}
	c.observeOpened()
	if c.member != nil {
		c.member.join(c)
	}
	c.uncork()
	done = true
	return c
}

// Subprotocol returns the subprotocol that both sides agreed on, "" if none
// (RFC 6455 §1.9).
func (c *Conn) Subprotocol() string { return c.subprotocol }

// LocalAddr returns the socket's local address.
func (c *Conn) LocalAddr() net.Addr { return c.transport.NetConn().LocalAddr() }

// RemoteAddr returns the socket's remote address.
func (c *Conn) RemoteAddr() net.Addr { return c.transport.NetConn().RemoteAddr() }

// Compressed reports whether permessage-deflate was agreed on (RFC 7692).
func (c *Conn) Compressed() bool { return c.compression != nil }

// TLS returns the state of the TLS connection, and false if there is none.
func (c *Conn) TLS() (tls.ConnectionState, bool) {
	switch nc := c.transport.NetConn().(type) {
	case *tls.Conn:
		return nc.ConnectionState(), true
	case interface {
		TLSState() (tls.ConnectionState, bool)
	}:
		return nc.TLSState()
	}
	return tls.ConnectionState{}, false
}

// endsWithHandler reports whether the return of the HTTP handler ends the connection.
func (c *Conn) endsWithHandler() bool {
	nc, ok := c.transport.NetConn().(interface{ EndsWithHandler() bool })
	return ok && nc.EndsWithHandler()
}

// HTTPVersion returns what the connection was opened with: "HTTP/1.1", or "HTTP/2" or "HTTP/3" if it is a stream of a connection
// that carries others too (RFC 8441, RFC 9220).
func (c *Conn) HTTPVersion() string {
	if nc, ok := c.transport.NetConn().(interface{ HTTPVersion() string }); ok {
		return nc.HTTPVersion()
	}
	return "HTTP/1.1"
}

// Context returns a context that lives as long as the connection; its cause is the
// *CloseError. It has the values of [AcceptOptions.ConnContext]. (An http.Request's context
// ends when the handler returns, hijacked or not.)
func (c *Conn) Context() context.Context {
	return c.life.context()
}

// end records why the connection is over, closes the transport and gives back what
// the connection holds. Only the first reason counts; that one is returned.
func (c *Conn) end(why *CloseError) *CloseError {
	if !c.life.end(why) {
		return c.life.ended.Load()
	}
	c.keepalive.stop()
	c.cancelTimeouts()
	_ = c.transport.Close()
	c.life.announce()
	c.send.drop()
	c.pings.drop()
	c.dropInbox()
	c.observeClosed(why)
	return why
}

// sendFailed ends the connection after lingerTimeout, so that the reader can still receive the peer's close frame.
func (c *Conn) sendFailed(err error) { c.boundClosing(lingerTimeout, func() { c.abort(err) }) }

// overflowed bounds the closing handshake with a peer that does not take what is sent.
func (c *Conn) overflowed(why *CloseError) {
	c.boundClosing(c.settings.closeTimeout, func() { c.end(why) })
}

// abort ends the connection without a closing handshake.
func (c *Conn) abort(cause error) *CloseError {
	return c.end(&CloseError{Code: StatusAbnormal, Err: cause})
}

// within returns a context of the connection's own for a bounded step of closing.
func within(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}
