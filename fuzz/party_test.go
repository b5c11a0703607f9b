package fuzz

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// party is one side of a conversation.
type party struct {
	t      *testing.T
	side   int
	c      *conn.Conn
	plan   plan
	out    *ledger // what it sends
	in     *ledger // what it receives
	pauses *budget

	torn atomic.Bool // a write was cut off on a transport that does not outlive that

	mu      sync.Mutex
	codes   []conn.StatusCode // that it was asked to close with
	quit    bool              // by CloseNow
	replies int               // of the callback of Serve; used by its goroutine only
}

func (p *party) name() string { return [2]string{"client", "server"}[p.side] }

func (p *party) errorf(format string, args ...any) {
	p.t.Helper()
	p.t.Errorf(p.name()+": "+format, args...)
}

// context returns a context for one call.
func (p *party) context(how patience, wait time.Duration) (context.Context, context.CancelFunc) {
	switch how {
	case alike:
		return p.c.Context(), func() {}
	case impatient:
		return context.WithTimeout(context.Background(), wait+time.Millisecond)
	case ended:
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		return ctx, cancel
	}
	return context.Background(), func() {}
}

// run does what a writer has to.
func (p *party) run(writer int) {
	for seq, ops := 0, p.plan.writers[writer]; len(ops) > 0; { // an uncork too many ends nothing
		seq, ops = p.runAll(writer, seq, ops)
	}
}

// runAll does some operations, of which a cork holds those up to its uncork, or to the end. It returns the next message's
// number, and what is left behind an uncork of the caller's.
func (p *party) runAll(writer, seq int, ops []op) (next int, rest []op) {
	for len(ops) > 0 {
		o := ops[0]
		ops = ops[1:]
		switch o.kind {
		case cork:
			p.expect(p.c.Cork(func() error {
				seq, ops = p.runAll(writer, seq, ops)
				return nil
			}))
		case uncork:
			return seq, ops
		case flush:
			ctx, cancel := p.context(o.ctx, o.wait)
			p.expect(p.c.Flush(ctx))
			cancel()
		case ping:
			ctx, cancel := p.context(o.ctx, o.wait)
			_, err := p.c.Ping(ctx)
			p.expect(err)
			cancel()
		case pause:
			p.pauses.sleep(o.wait)
		default:
			seq = p.message(writer, seq, o)
		}
	}
	return seq, nil
}

// message sends a message, or two, and notes what has become of it. It returns the next
// number.
func (p *party) message(writer, seq int, o op) int {
	data := content(p.side, writer, seq, o.typ, o.size)
	e := entryOf(o.typ, data)
	ctx, cancel := p.context(o.ctx, o.wait)
	defer cancel()
	switch o.kind {
	case write:
		p.out.send(writer, e, p.fate(p.c.Write(ctx, o.typ, data)))
	case writeUncompressed:
		p.out.send(writer, e, p.fate(p.c.Write(ctx, o.typ, data, conn.Uncompressed)))
	case stream, streamFlushed:
		p.out.send(writer, e, p.stream(ctx, o, data))
	case send, sendUncompressed:
		var options []conn.WriteOption
		if o.kind == sendUncompressed {
			options = append(options, conn.Uncompressed)
		}
		p.out.send(writer, e, p.sendAll(conn.Prepare(o.typ, data, options...)))
	case sendTwo:
		first, err := conn.Prepare(o.typ, data)
		if err != nil {
			p.errorf("%v", err)
			return seq
		}
		if p.plan.full == conn.DropWhenFull { // which one was dropped is not said
			p.out.send(writer, e, p.sendAll(first, nil))
			break
		}
		seq++
		data = content(p.side, writer, seq, o.typ, o.size)
		second, err := conn.Prepare(o.typ, data)
		f := p.sendAll(first, err, second)
		p.out.send(writer, e, f)
		p.out.send(writer, entryOf(o.typ, data), f)
	}
	return seq + 1
}

func (p *party) sendAll(first *conn.Prepared, err error, more ...*conn.Prepared) fate {
	if err != nil {
		p.errorf("%v", err)
		return forgotten
	}
	f := p.fate(p.c.Send(context.Background(), append(more[:0:0], append([]*conn.Prepared{first}, more...)...)...))
	if f == certain {
		f = queued
	}
	return f
}

// fate returns what a call that sends has said of its message.
func (p *party) fate(err error) fate {
	if err == nil {
		return certain
	}
	if e, ok := errors.AsType[*conn.InterruptedError](err); ok {
		if !e.Closed {
			return certain
		}
		if p.plan.limit != 0 && e.Err == nil {
			p.errorf("interrupted without a reason")
		}
		p.torn.Store(true)
		return unknown
	}
	p.expect(err)
	if _, ok := errors.AsType[*conn.CloseError](err); ok {
		return unknown
	}
	return forgotten
}

// expect complains about errors other than those that calls may return here.
func (p *party) expect(err error) {
	p.t.Helper()
	var e *conn.CloseError
	switch {
	case err == nil, errors.As(err, &e), err == context.DeadlineExceeded, err == context.Canceled:
	case err == conn.ErrQueueFull && p.plan.full == conn.DropWhenFull:
	default:
		p.errorf("unexpected error: %v", err)
	}
}

// stream sends a message in pieces. A call whose context ends is repeated with one
// that does not, as its documentation allows.
func (p *party) stream(ctx context.Context, o op, data []byte) fate {
	w, err := p.c.Writer(ctx, o.typ)
	if err != nil {
		return p.fate(err)
	}
	again := func(call func() error) fate {
		for {
			err := call()
			if f := p.fate(err); f != forgotten || err == conn.ErrWriterClosed {
				return f
			}
			w.SetContext(context.Background())
		}
	}
	for i := range o.pieces {
		piece := data[i*len(data)/o.pieces : (i+1)*len(data)/o.pieces]
		f := again(func() error { _, err := w.Write(piece); return err })
		if f == certain && o.kind == streamFlushed {
			f = again(w.Flush)
		}
		if f == unknown {
			_ = w.Close()
			return unknown
		}
	}
	for tries := 0; ; tries++ {
		err := w.Close()
		switch {
		case err == conn.ErrWriterClosed && tries > 0:
			return forgotten // nothing of it had been sent
		case err == context.DeadlineExceeded, err == context.Canceled:
			w.SetContext(context.Background())
		default:
			return p.fate(err)
		}
	}
}

// end ends the connection as planned, when the writers are done or before.
func (p *party) end(written <-chan struct{}) {
	switch p.plan.ending {
	case waits:
		return
	case closes:
		<-written
	default:
		select {
		case <-time.After(p.plan.after):
		case <-written:
		}
	}
	if p.plan.ending == abandons {
		p.abandon()
		return
	}
	p.close(p.plan.code)
}

func (p *party) abandon() {
	p.mu.Lock()
	p.quit = true
	p.mu.Unlock()
	if err := p.c.CloseNow(); err != nil && err != net.ErrClosed {
		p.errorf("CloseNow: %v", err)
	}
}

func (p *party) close(code conn.StatusCode) {
	reason := "enough"
	if code == conn.StatusNoStatus {
		reason = ""
	}
	p.mu.Lock()
	p.codes = append(p.codes, code)
	p.mu.Unlock()
	err := p.c.Close(code, reason)
	if e := new(conn.CloseError); err != nil && !errors.As(err, &e) {
		p.errorf("Close: %v", err)
	}
}
