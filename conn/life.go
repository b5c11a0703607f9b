package conn

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
)

// life is the state of a connection with its reasons, and a channel and a context that end with it. Few callers need
// those two, so they are made on demand. The zero value is open.
type life struct {
	state     atomicState
	announced bool

	sendEnd atomic.Pointer[CloseError] // why nothing may be sent any more; nil: something may
	ended   atomic.Pointer[CloseError] // how the connection ended; nil: it has not

	ctx    atomic.Pointer[context.Context]
	mu     sync.Mutex // guards what follows, changes of ctx, and announced
	over   chan struct{}
	cancel context.CancelCauseFunc
}

// err returns how the connection ended, or nil.
func (l *life) err() error {
	if e := l.ended.Load(); e != nil {
		return e
	}
	return nil
}

// hasEnded reports whether the connection is over.
func (l *life) hasEnded() bool { return l.ended.Load() != nil }

// sendErr says why nothing may be sent: how the connection ended or, while it is closing, why it is. It returns nil if
// something may.
func (l *life) sendErr() error {
	if err := l.err(); err != nil {
		return err
	}
	if e := l.sendEnd.Load(); e != nil {
		return e
	}
	return nil
}

// because is the error of a call whose context ended: the connection's own end counts for more, and ends contexts too.
func (l *life) because(ctxErr error) error {
	if err := l.err(); err != nil {
		return err
	}
	return ctxErr
}

// beginClose notes that the close frame of why is to be sent. The caller holds the send side's lock, and sees to it that this
// happens once.
func (l *life) beginClose(why *CloseError) {
	l.sendEnd.Store(why)
	if why.Remote {
		l.state.change(stateClosingByPeer)
	} else {
		l.state.change(stateClosingByUs)
	}
}

// sendBroken notes that nothing can be sent any more because of err, and reports whether that is the first reason for it.
func (l *life) sendBroken(err error) (first bool) {
	first = l.sendEnd.CompareAndSwap(nil, &CloseError{Code: StatusAbnormal, Err: err})
	l.state.change(stateBroken)
	return first
}

// broken reports whether nothing can be sent any more although the connection has not ended.
func (l *life) broken() bool { return l.state.load() == stateBroken }

// gaveUp returns why this side has given its peer up; nil if it has not.
func (l *life) gaveUp() *CloseError {
	own := l.sendEnd.Load()
	if own == nil || own.Remote || own.Code == StatusAbnormal || own.Err == net.ErrClosed {
		return nil
	}
	return own
}

// end notes how the connection ended, and reports whether it had not before.
func (l *life) end(why *CloseError) bool {
	if !l.ended.CompareAndSwap(nil, why) {
		return false
	}
	l.state.change(stateEnded)
	return true
}

// announce ends the channel and the context.
func (l *life) announce() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.announced = true
	if l.over != nil {
		close(l.over)
	}
	if l.cancel != nil {
		l.cancel(l.ended.Load())
	}
}

// Done is closed when the connection has ended.
func (l *life) Done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over == nil {
		l.over = make(chan struct{})
		if l.announced {
			close(l.over)
		}
	}
	return l.over
}

// context makes the context that ends with the connection.
func (l *life) context() context.Context {
	if x := l.ctx.Load(); x != nil {
		return *x
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if x := l.ctx.Load(); x != nil {
		return *x
	}
	return l.makeContext(context.Background())
}

// contextOf makes the context with a parent, before anybody has asked for it.
func (l *life) contextOf(parent context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.makeContext(parent)
}

// makeContext makes the context. l.mu is held.
func (l *life) makeContext(parent context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(parent)
	if l.announced {
		cancel(l.ended.Load())
	}
	l.cancel = cancel
	l.ctx.Store(&ctx)
	return ctx
}
