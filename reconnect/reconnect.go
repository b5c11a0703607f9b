package reconnect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

var (
	// ErrGaveUp is wrapped by the error that Run returns after MaxAttempts.
	ErrGaveUp = errors.New("reconnect: gave up")
	// ErrRunning is returned by Run while another Run of the same client is running.
	ErrRunning = errors.New("reconnect: the client is running; make another with New for a second connection")
	// errNoFunction is returned by Run for a nil function.
	errNoFunction = errors.New("reconnect: Run needs a function that uses the connection")
	// errHandlerLeft is State.Err after handle, or a function of Options, panicked or ended its goroutine.
	errHandlerLeft = errors.New("reconnect: a function panicked or ended its goroutine")
)

// Run is New(url, o).Run(ctx, handle).
func Run(ctx context.Context, url string, o *Options, handle func(ctx context.Context, c *conn.Conn) error) error {
	return New(url, o).Run(ctx, handle)
}

// Client keeps one connection at a time. It is made by New; Run of the zero value returns an error, since it has no URL. Its methods
// may be called by any number of goroutines.
type Client struct {
	url string
	o   *Options

	mu      sync.Mutex
	running bool
	state   State
}

// New returns a client that dials url, a ws or wss URL, when Run is called. A nil o is the defaults. If the URL cannot be used, Run
// returns an error.
func New(url string, o *Options) *Client { return &Client{url: url, o: o} }

// State returns what the client is doing.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Run dials, calls handle with the connection, and comes back when the connection is lost, until one of these happens:
//
//   - handle returns nil, and the connection is open or this side has closed it: the application is finished. An open
//     connection is closed with 1000. Run returns nil.
//   - The peer closes with 1000. Run returns nil.
//   - ctx ends. When handle has returned, an open connection is closed with 1001, and Run returns the error of ctx.
//   - handle returns an error of its own. An open connection is closed with 1011, or with the code and reason of the
//     *conn.CloseError that handle made. Run returns the error.
//   - An attempt or a connection ends in a way that Classify calls Stop, or MaxAttempts have failed. Run returns the error.
//
// After these Run comes back:
//
//   - An attempt fails in another way.
//   - The connection has ended in a way that Classify calls ComeBack, and handle returns nil, an error of the
//     connection (one that wraps a *conn.CloseError, net.ErrClosed, io.EOF or io.ErrUnexpectedEOF), or the error of its context.
//     So handle may return the result of Conn.Serve or of a loop over Conn.Messages, which is nil when the server goes away
//     (1001). If handle closes the connection and returns the connection's error, the code decides: after CloseNow the client
//     comes back, after Close with 1000 it is finished.
//   - handle returns an error marked by Again. An open connection is closed with 1000.
//
// handle's context ends with the connection and with ctx. As on any connection, a goroutine has to read. handle must return when
// its context ends, since Run waits for it. When it has returned, Run closes the connection, which may take
// conn.DialOptions.CloseTimeout. Goroutines that outlive handle must not use the connection.
//
// If handle, or a function of Options, panics or ends its goroutine, the connection is closed without a closing handshake, and the
// panic is not recovered. Run may be called again after it has returned, and starts over; while it runs, another call returns
// ErrRunning.
func (c *Client) Run(ctx context.Context, handle func(ctx context.Context, c *conn.Conn) error) error {
	if handle == nil {
		return errNoFunction
	}
	c.mu.Lock()
	if c.running {
		c.mu.Unlock()
		return ErrRunning
	}
	c.running = true
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.running = false
		c.mu.Unlock()
	}()

	err := errHandlerLeft
	o := c.o.filled()
	r := &run{client: c, o: &o, handle: handle, backoff: backoff{o: &o}}
	defer func() { r.report(State{Phase: Stopped, Err: err}) }()
	err = r.run(ctx)
	return err
}

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
	timer := time.NewTimer(d)
	defer timer.Stop()
	r.report(State{Phase: Waiting, Until: time.Now().Add(d)})
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
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

// endOf returns how the connection has ended; nil if it has not. Conn.Context cannot tell: it may end a moment later than a call
// returns the connection's error. Ping with an ended context sends nothing, and returns that error first.
func endOf(c *conn.Conn) *conn.CloseError {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := c.Ping(ctx)
	ended, _ := errors.AsType[*conn.CloseError](err)
	return ended
}

// outcome is the verdict after the application's function has returned.
type outcome struct {
	verdict Verdict
	err     error
	code    conn.StatusCode // close code for a connection that is open
	reason  string
}

// settle returns the outcome for the error that the application's function has returned, and for the connection's end, which is
// nil if it is open.
func (r *run) settle(ctx context.Context, ended *conn.CloseError, err error) outcome {
	switch {
	case err == nil && (ended == nil || ended.Err == net.ErrClosed):
		return outcome{verdict: Finished, code: conn.StatusNormalClosure}
	case ctx.Err() != nil:
		return outcome{verdict: Stop, err: ctx.Err(), code: conn.StatusGoingAway}
	case err == nil:
		return outcome{verdict: r.classify(ended), err: ended}
	case ended != nil && ofConnection(err):
		if !has[*againError](err) && !has[*conn.CloseError](err) {
			err = ended
		}
		return outcome{verdict: r.classify(err), err: err}
	}
	// An error of the application.
	out := outcome{err: err, code: conn.StatusInternalError}
	if r.o.Classify != nil {
		out.verdict = r.o.Classify(err)
	}
	if out.verdict == Undecided {
		out.verdict = Stop
		if has[*againError](err) {
			out.verdict = ComeBack
		}
	}
	if e, ok := errors.AsType[*conn.CloseError](err); ok && e.Code.Sendable() {
		out.code, out.reason = e.Code, e.Reason
	} else if out.verdict != Stop {
		out.code = conn.StatusNormalClosure
	}
	return out
}

// has reports whether an error of a type is in err's tree.
func has[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

// ofConnection reports whether an error of the application's function is that of its connection or of its context, which ended
// with the connection.
func ofConnection(err error) bool {
	if has[*conn.CloseError](err) {
		return true
	}
	for _, known := range []error{net.ErrClosed, io.EOF, io.ErrUnexpectedEOF, context.Canceled} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}
