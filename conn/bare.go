package conn

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/url"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bare"
	"github.com/seed-c4549abd/wss/internal/outbox"
	"github.com/seed-c4549abd/wss/internal/transport"
)

func init() {
	bare.New = newBare
	bare.Tunnel = func(ctx context.Context, proxy *url.URL, target string, dial bare.DialFunc, cfg *tls.Config) (net.Conn, error) {
		p, err := newProxyDialer(&DialOptions{NetDial: dial, ProxyTLS: cfg}, proxy)
		if err != nil {
			return nil, err
		}
		return p.dial(ctx, target)
	}
}

// bareConn is a Conn that decides nothing by itself: see package bare. It has no observer, no group and no pings, and is the
// owner of the Conn's send side. What Conn decides elsewhere asks first whether it is a part of one: control, fail, readFailed
// and await.
type bareConn struct {
	*Conn
	handler bare.Handler
	reader  *MessageReader // the last one of Reader, which is used again; nil: there was none
}

// bare returns what c is a part of, or nil.
func (c *Conn) bare() *bareConn {
	b, _ := c.send.owner.(*bareConn)
	return b
}

func newBare(o bare.Options) bare.Conn {
	b := &bareConn{handler: o.Handler}
	c := opened{
		transport: transport.New(o.NetConn), role: o.Role, settings: newSettings(-1, 0, -1, 0), received: o.Received,
		response: o.Response, bare: b,
	}
	c.compression = newCompression(o.Role, &Compression{Level: 1, Threshold: -1}, o.Deflate, 0)
	c.start()
	return b
}

// control is Conn.control: the handler decides.
func (b *bareConn) control(ev *frame.Event) error {
	switch ev.Opcode {
	case frame.Ping:
		answer, err := b.handler.Ping(ev.Payload)
		if err != nil || !answer {
			return err
		}
		send, err := b.send.enqueuePong(ev.Payload)
		b.in.answer = b.in.answer || err == nil
		if send {
			b.send.tryFlush()
		}
		return nil
	case frame.Pong:
		return b.handler.Pong(ev.Payload)
	}
	code, reason, err := frame.ParseClose(ev.Payload)
	if err != nil {
		return b.Conn.fail(err)
	}
	return b.handler.Close(code, string(reason))
}

// fail is Conn.fail: the peer is told which rule it broke, and the connection stays.
func (b *bareConn) fail(why *CloseError, cause error) error {
	ctx, cancel := within(lingerTimeout)
	defer cancel()
	b.sendClose(ctx, why)
	return cause
}

// readFailed is Conn.readFailed: the error is the user's.
func (b *bareConn) readFailed(err error) error {
	if err == io.EOF {
		err = bare.ErrEnded
	}
	return b.life.because(err)
}

// Read is Conn.Read.
func (b *bareConn) Read() (frame.Opcode, []byte, error) {
	typ, p, err := b.Conn.Read(context.Background())
	return frame.Opcode(typ), p, err
}

// Reader is Conn.Reader. It allocates once.
func (b *bareConn) Reader() (frame.Opcode, io.Reader, error) {
	if b.reader == nil {
		b.reader = new(MessageReader)
	}
	*b.reader = MessageReader{c: b.Conn, ctx: context.Background()}
	err := b.reader.begin()
	return b.reader.op, b.reader, err
}

// SetReadLimit is SetMessageLimit without a default.
func (b *bareConn) SetReadLimit(n int64) {
	if n <= 0 {
		n = -1
	}
	b.Conn.SetMessageLimit(n)
}

// Flush is Conn.Flush.
func (b *bareConn) Flush(ctx context.Context) error { return b.send.flush(ctx) }

// Write is Conn.Write.
func (b *bareConn) Write(ctx context.Context, op frame.Opcode, p []byte, compress bool) error {
	if compress {
		return b.Conn.Write(ctx, MessageType(op), p)
	}
	return b.Conn.Write(ctx, MessageType(op), p, Uncompressed)
}

// WritePrepared is Conn.WritePrepared.
func (b *bareConn) WritePrepared(ctx context.Context, m *outbox.Message) error {
	if err := ctx.Err(); err != nil {
		return b.life.because(err)
	}
	b.send.outbox.Encode(m)
	return b.send.writePrepared(ctx, m)
}

// Writer is Conn.Writer.
func (b *bareConn) Writer(ctx context.Context, op frame.Opcode, compress bool) (bare.Writer, error) {
	w, err := b.Conn.Writer(ctx, MessageType(op))
	if err != nil {
		return nil, err
	}
	w.uncompressed = !compress
	return bareWriter{w}, nil
}

// WriteControl sends a ping or a pong.
func (b *bareConn) WriteControl(ctx context.Context, op frame.Opcode, payload []byte) error {
	if err := b.awaitPeer(ctx); err != nil {
		return err
	}
	end := b.send.enqueueControl(op, payload)
	if end == 0 {
		return b.life.sendErr()
	}
	return b.send.flushTo(ctx, end)
}

// WriteClose sends a close frame.
func (b *bareConn) WriteClose(ctx context.Context, code frame.StatusCode, reason string) error {
	if err := b.awaitPeer(ctx); err != nil {
		return err
	}
	if !b.send.enqueueClose(&CloseError{Code: code, Reason: reason, Err: net.ErrClosed}) {
		return b.life.sendErr()
	}
	return b.send.flush(ctx)
}

// awaitPeer waits until the socket has taken what was sent before: frames that nobody waits for any more must not
// accumulate while it takes nothing.
func (b *bareConn) awaitPeer(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return b.life.because(err)
	}
	if b.transport.Pending() > 0 {
		return b.send.flush(ctx)
	}
	return nil
}

// SetLevel sets the effort of compression.
func (b *bareConn) SetLevel(level int) {
	if b.compression != nil {
		b.send.mu.Lock()
		b.compression.send.Level = level
		b.send.mu.Unlock()
	}
}

// Close closes the socket.
func (b *bareConn) Close() error {
	c := b.Conn
	if tc, ok := c.transport.NetConn().(*tls.Conn); ok && !c.transport.Resumable() && !c.life.hasEnded() {
		_ = tc.Close() // it sends close_notify, and does not wait for a write in progress
	} else {
		c.send.tryNotify(true)
	}
	return c.CloseNow()
}

// bareWriter is a message of a connection with a handler.
type bareWriter struct{ *MessageWriter }

// Abandon ends the message and the send side.
func (w bareWriter) Abandon() {
	if !w.done {
		w.c.send.breakOff(net.ErrClosed)
		w.end()
	}
}

// As the owner of the send side it does nothing: its user watches over it.

func (*bareConn) watchStall()            {}
func (*bareConn) sendFailed(error)       {}
func (*bareConn) overflowed(*CloseError) {}

// abort refuses further frames: a stream that was broken off within a frame cannot go on.
func (b *bareConn) abort(cause error) *CloseError {
	b.send.breakOff(cause)
	return b.life.sendEnd.Load()
}
