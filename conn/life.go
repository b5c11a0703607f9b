package conn

import (
	"context"
	"sync"
	"sync/atomic"
)

// life tells those who ask that the connection has ended. Most never ask, so what it
// takes is made when somebody does. The zero value is alive.
type life struct {
	ctx atomic.Pointer[context.Context]

	mu     sync.Mutex
	why    *CloseError // nil: it lives
	over   chan struct{}
	cancel context.CancelCauseFunc
}

// done is closed when the connection has ended.
func (l *life) done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over == nil {
		l.over = make(chan struct{})
		if l.why != nil {
			close(l.over)
		}
	}
	return l.over
}

// context makes the context that ends with the connection.
func (l *life) context() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if x := l.ctx.Load(); x != nil {
		return *x
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	if l.why != nil {
		cancel(l.why)
	}
	l.cancel = cancel
	l.ctx.Store(&ctx)
	return ctx
}

func (l *life) end(why *CloseError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.why = why
	if l.over != nil {
		close(l.over)
	}
	if l.cancel != nil {
		l.cancel(why)
	}
}
