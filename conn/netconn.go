package conn

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// NetConn returns a net.Conn over messages of the given type, for protocols that
// expect a byte stream. Each Write is a message; Read returns the bytes of messages
// one after the other, whatever their boundaries. A message of the other type
// closes the connection with 1003. A closure with 1000 or 1001 reads as io.EOF.
//
// Expired deadlines give os.ErrDeadlineExceeded and leave the connection usable. A
// Write that returns it with n = 0 sent nothing. With n = len(p) the message had begun
// to be sent: it was taken whole, and its rest is sent before anything else. So whoever
// goes on at p[n:] repeats nothing and omits nothing. Over TLS without NewListener a
// message cannot be resumed: a write that is cut off closes the connection, and n is 0.
// Setting a new deadline before the old one expires cancels the old one.
//
// Close performs the closing handshake with 1000.
func (c *Conn) NetConn(typ MessageType) net.Conn {
	n := &netConn{Conn: c, typ: typ}
	n.rd.set(time.Time{})
	n.wr.set(time.Time{})
	return n
}

type netConn struct {
	*Conn
	typ MessageType
	rd  expiry
	wr  expiry

	mu sync.Mutex // one Read at a time
	r  *MessageReader
}

// Read reads bytes of messages.
func (n *netConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		if n.r == nil {
			if err := n.next(); err != nil {
				return 0, err
			}
		}
		n.r.SetContext(n.rd.context())
		k, err := n.r.Read(p)
		if err == io.EOF {
			n.r = nil
			continue
		}
		return k, asNetError(err)
	}
}

func (n *netConn) next() error {
	typ, r, err := n.Reader(n.rd.context())
	if err != nil {
		if orderly(err) == nil {
			return io.EOF
		}
		return asNetError(err)
	}
	if typ != n.typ {
		n.in.giveUpMessage(n.Conn)
		_ = n.Conn.Close(StatusUnsupportedData, "unexpected "+typ.String()+" message")
		return n.life.err()
	}
	n.r = r
	return nil
}

// Write sends p as a message. The count is len(p) whenever the message was taken, also
// when the deadline passed before all of it was sent.
func (n *netConn) Write(p []byte) (int, error) {
	err := n.Conn.Write(n.wr.context(), n.typ, p)
	if _, later := resumable(err); err != nil && !later {
		return 0, asNetError(err)
	}
	return len(p), asNetError(err)
}

// Close performs the closing handshake.
func (n *netConn) Close() error { return n.Conn.Close(StatusNormalClosure, "") }

func (n *netConn) SetDeadline(t time.Time) error {
	n.rd.set(t)
	n.wr.set(t)
	return nil
}

func (n *netConn) SetReadDeadline(t time.Time) error  { n.rd.set(t); return nil }
func (n *netConn) SetWriteDeadline(t time.Time) error { n.wr.set(t); return nil }

// asNetError gives the end of an expiry's context the name that users of a
// net.Conn look for. How the connection ended is not one, whatever it ended for.
func asNetError(err error) error {
	if CloseStatus(err) == 0 && errors.Is(err, context.Canceled) {
		return os.ErrDeadlineExceeded
	}
	return err
}

// expiry is a deadline in the form of a context that is cancelled when it passes.
// Moving it reaches calls in progress.
type expiry struct {
	mu     sync.Mutex
	ctx    context.Context
	cancel context.CancelFunc
	timer  *time.Timer
	gen    int // counts the calls of set: a timer of an earlier one has no effect
}

func (e *expiry) context() context.Context {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ctx
}

func (e *expiry) set(t time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.gen++
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
	if e.ctx == nil || e.ctx.Err() != nil {
		e.ctx, e.cancel = context.WithCancel(context.Background())
	}
	switch d := time.Until(t); {
	case t.IsZero():
	case d <= 0:
		e.cancel()
	default:
		gen := e.gen
		e.timer = time.AfterFunc(d, func() { e.expire(gen) })
	}
}

// expire cancels the context unless the deadline has been moved since it was set.
func (e *expiry) expire(gen int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.gen == gen {
		e.cancel()
	}
}
