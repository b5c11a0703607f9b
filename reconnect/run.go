package reconnect

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/bubble"
)

// run is one call of Run.
type run struct {
	client  *Client
	o       *Options
	handle  func(ctx context.Context, c *conn.Conn) error
	backoff backoff

	attempt     Attempt // the current or last one
	failures    int     // in a row
	connections int
	refreshed   bool  // the last failure was Refresh
	last        error // the last failure
	lost        error
	lostAt      time.Time
}

// report changes the state.
func (r *run) report(s State) {
	s.Since, s.Attempt, s.Connections = time.Now(), r.attempt.Number, r.connections
	if s.Phase != Stopped {
		s.Err = r.last
	}
	c := r.client
	c.mu.Lock()
	c.state = s
	c.mu.Unlock()
	if r.o.OnState != nil {
		r.o.OnState(s)
	}
}

func (r *run) run(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		verdict, err := r.once(ctx)
		r.last = err
		if verdict == Refresh {
			verdict = Stop
			if r.o.Prepare != nil && !r.refreshed {
				verdict, r.refreshed = ComeBack, true
			}
		}
		switch {
		case verdict == Finished:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case verdict == Stop:
			return err
		}
		if r.failures++; r.o.MaxAttempts > 0 && r.failures >= r.o.MaxAttempts {
			return fmt.Errorf("%w after %d attempts: %w", ErrGaveUp, r.failures, err)
		}
		if err := r.wait(ctx, r.backoff.next(err)); err != nil {
			return err
		}
	}
}

func (r *run) wait(ctx context.Context, d time.Duration) error {
	until := time.Now().Add(d)
	r.report(State{Phase: Waiting, Until: until})
	return bubble.Sleep(ctx, time.Until(until))
}

// once makes one attempt and, if it succeeds, uses the connection until its end. It returns the verdict and the error.
func (r *run) once(ctx context.Context) (Verdict, error) {
	r.attempt = Attempt{
		URL: r.client.url, Dial: r.o.dial(), Number: r.attempt.Number + 1, Connections: r.connections,
		Err: r.last, Lost: r.lost, LostAt: r.lostAt,
	}
	r.report(State{Phase: Connecting})
	c, verdict, err := r.dial(ctx)
	if c == nil {
		return verdict, err
	}
	opened := time.Now()
	r.connections++
	verdict, err = r.use(ctx, c)
	r.lost, r.lostAt, r.attempt.Number = err, time.Now(), 0
	if time.Since(opened) >= r.o.ResetAfter {
		r.backoff.waits, r.failures, r.refreshed = 0, -1, false // the loss of a connection that lived long enough is no failure
	}
	return verdict, err
}

// dial returns a connection, or nil with the verdict and the error.
func (r *run) dial(ctx context.Context) (*conn.Conn, Verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, r.o.AttemptTimeout)
	defer cancel()
	if r.o.Prepare != nil {
		if err := r.o.Prepare(ctx, &r.attempt); err != nil {
			verdict := r.classify(err)
			if verdict == Undecided && ctx.Err() == nil {
				verdict = Stop
			}
			return nil, verdict, err
		}
	}
	c, _, err := conn.Dial(ctx, r.attempt.URL, r.attempt.Dial)
	if err == nil {
		return c, Undecided, nil
	}
	return nil, r.classify(err), err
}

// classify returns the verdict of Options.Classify, or that of Classify if it is Undecided.
func (r *run) classify(err error) Verdict {
	if r.o.Classify != nil {
		if v := r.o.Classify(err); v != Undecided {
			return v
		}
	}
	return Classify(err)
}

// use calls the application's functions with the connection, and closes it.
func (r *run) use(ctx context.Context, c *conn.Conn) (Verdict, error) {
	defer c.CloseNow()
	r.report(State{Phase: Connected})
	handlerCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(c.Context(), func() { cancel(context.Cause(c.Context())) })
	defer stop()
	var err error
	if r.connections > 1 && r.o.Resume != nil {
		err = r.o.Resume(handlerCtx, c, r.attempt)
	}
	if err == nil {
		err = r.handle(handlerCtx, c)
	}
	ended := endOf(c)
	out := r.settle(ctx, ended, err)
	if ended == nil {
		_ = c.Close(out.code, out.reason)
	}
	return out.verdict, out.err
}
