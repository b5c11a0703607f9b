package reconnect

import (
	"context"
	"errors"
	"sync"

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
