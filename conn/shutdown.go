package conn

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

// ShutdownOptions say how a group ends. The zero value closes all at once with 1001.
type ShutdownOptions struct {
	// Code and Reason are what the clients are told. Zero, or a code that may not be sent:
	// 1001 (going away). A reason that is too long is cut at a character, one that is not
	// UTF-8 is left out.
	Code   StatusCode
	Reason string
	// Spread is the time over which the connections are closed, so that their clients
	// do not all return at once. Zero: at once.
	Spread time.Duration
}

// Shutdown refuses new connections with 503 and Retry-After, and closes those that
// there are. It returns nil when all have ended. When ctx ends before, those that are
// left are ended without a closing handshake, and the error is ctx's; then, too, all are
// gone when Shutdown returns, but for those whose callback has not returned a second
// later. The group stays closed.
//
// An http.Server should go on to listen meanwhile, so that new clients are told to come
// back: see [Group.ShutdownServer].
//
// Called in a callback, Shutdown returns ErrInCallback and continues in the background
// until ctx's deadline; without a deadline it does not give up.
func (g *Group) Shutdown(ctx context.Context, options ShutdownOptions) error {
	if !options.Code.Sendable() {
		options.Code = StatusGoingAway
	}
	options.Reason = sendableReason(options.Reason)
	empty := g.close()
	if !inCallback() {
		return g.shutdown(ctx, options, empty)
	}
	later, cancel := context.WithoutCancel(ctx), func() {}
	if deadline, ok := ctx.Deadline(); ok {
		later, cancel = context.WithDeadline(later, deadline)
	}
	go func() {
		defer cancel()
		_ = g.shutdown(later, options, empty)
	}()
	return ErrInCallback
}

func (g *Group) shutdown(ctx context.Context, options ShutdownOptions, empty <-chan struct{}) error {
	g.closeAll(ctx, options.Spread, options.Code, options.Reason)
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
	}
	for _, c := range g.snapshot() {
		_ = c.CloseNow()
	}
	leaving := time.NewTimer(lingerTimeout)
	defer leaving.Stop()
	select {
	case <-empty:
	case <-leaving.C:
	}
	return ctx.Err()
}

// ShutdownServer shuts down the group, then srv. Until the group is empty srv keeps
// listening, and answers new clients with 503 and Retry-After. If ctx ends first, both are
// closed at once; the error is ctx's, or srv's if srv failed for another reason. In a
// callback it returns ErrInCallback and does not shut down srv.
func (g *Group) ShutdownServer(ctx context.Context, srv *http.Server, options ShutdownOptions) error {
	err := g.Shutdown(ctx, options)
	if errors.Is(err, ErrInCallback) {
		return err
	}
	if srvErr := srv.Shutdown(ctx); srvErr != nil {
		_ = srv.Close()
		err = cmp.Or(err, srvErr)
	}
	return err
}

// close refuses new members, and returns a channel that is closed when the last member has left.
func (g *Group) close() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
	empty := g.emptied
	if empty == nil {
		empty = make(chan struct{})
		g.emptied = empty
	}
	g.signalEmpty()
	return empty
}

// closeAll begins to close the connections, in random order.
func (g *Group) closeAll(ctx context.Context, spread time.Duration, code StatusCode, reason string) {
	conns := g.snapshot()
	rand.Shuffle(len(conns), func(i, j int) { conns[i], conns[j] = conns[j], conns[i] })
	began := time.Now()
	for i, c := range conns {
		due := time.Duration(float64(spread) * float64(i) / float64(len(conns)))
		if wait := due - time.Since(began); wait > 0 {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return
			}
		}
		c.startClose(code, reason)
	}
}
