package conn

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/seed-c4549abd/wss/internal/stack"
)

// Serve reads messages and hands each to fn, in order, until the connection ends.
// It is the cheapest way to receive: the message's data is a view that is valid
// until fn returns, and while nothing comes the connection holds no buffer.
//
// While fn runs, Write of a message of up to 16 KiB does not wait for the peer until 68 KiB are buffered;
// longer messages are sent before Write returns. While more input is available replies are buffered, so
// that many small ones share one TLS record and one system call: they are sent when that input has been
// handled, when 68 KiB are buffered, or when fn has been running for ten to twenty milliseconds. Flush
// sends them at once. An error in sending ends Serve.
//
// A stream that ends in the same moment in which its last bytes come is noticed within three seconds.
//
// Serve returns nil when the connection was closed with 1000 or 1001, by either
// side; ctx's error when ctx ended, the connection being usable; and the
// *CloseError otherwise. An error of fn's ends it as well: the connection is closed,
// with the code and reason of the *CloseError that fn returned or with 1011, and
// the error is returned; a reason that is too long for a close frame is cut at a character, and
// one that is not UTF-8 is left out. fn may call any method of the connection: reads return
// ErrServing, and Ping, whose answer could not be read meanwhile, ErrInCallback. If fn
// panics or ends its goroutine (runtime.Goexit), the connection is closed without a closing
// handshake.
//
// [Conn.ServeInBackground] does the same without holding on to the goroutine that calls it.
func (c *Conn) Serve(ctx context.Context, fn func(*Conn, Message) error) error {
	if err := c.lockRead(ctx); err != nil {
		return orderly(err)
	}
	c.in.serving.Store(true)
	return c.serveAndEnd(ctx, fn)
}

// serveAndEnd is Serve with the reader's token.
func (c *Conn) serveAndEnd(ctx context.Context, fn func(*Conn, Message) error) (err error) {
	s := server{c: c, ctx: ctx, fn: fn}
	func() {
		defer s.stop()
		for s.serve() {
		}
		s.over = true
	}()
	return c.served(s.err, s.failed)
}

// stop gives the reader's token back. If fn has panicked or ended its goroutine, the connection
// is closed.
func (s *server) stop() {
	c := s.c
	c.in.looping = false
	c.keepalive.cancelPark()
	if !s.over {
		_ = c.CloseNow()
	}
	c.endServe(s.ctx, &s.err)
}

// server is Serve's loop.
type server struct {
	c      *Conn
	ctx    context.Context
	fn     func(*Conn, Message) error
	err    error // why it is over
	failed bool  // err is fn's
	over   bool  // the loop has ended by itself

	interruptions int // in a row: see maxInterruptions
}

// errNoInput says that all available input has been handled.
var errNoInput = errors.New("websocket: no more input")

// serve handles messages until it is over, or returns true when nothing has come for a
// while: then it wants to be called again, to see whether the stream has ended (see
// wire.Conn.Loop).
func (s *server) serve() (again bool) {
	c := s.c
	c.in.looping = true
	var err error
	if s.handle() {
		err = c.transport.Loop(s.handle)
	}
	c.in.looping = false
	if l, ok := s.err.(lost); ok {
		s.err = c.readFailed(l.error)
	}
	c.keepalive.waitEnds()
	switch {
	case err == nil:
	case !errors.Is(err, os.ErrDeadlineExceeded):
		s.err = c.readFailed(err)
	case s.ctx.Err() != nil:
		s.err = c.life.because(s.ctx.Err())
	default:
		if c.clearDeadline() {
			s.interruptions = 0
		} else {
			s.interruptions++
		}
		if s.interruptions <= maxInterruptions {
			return true
		}
		s.err = c.readFailed(err)
	}
	if why := c.in.finishLater; why != nil {
		s.err = c.linger(why)
	}
	return false
}

// handle passes the available messages to fn. It returns false when Serve is to return.
func (s *server) handle() bool {
	c := s.c
	c.keepalive.waitEnds()
	if !c.keepalive.mayPark.Load() {
		c.keepalive.schedulePark((*keepaliveTask)(c))
		if c.life.hasEnded() {
			c.keepalive.stop()
		}
	}
	if s.err, s.failed = s.messages(); s.err != errNoInput {
		return false
	}
	if s.err = c.flushBeforeWait(s.ctx); s.err != nil {
		return false
	}
	if err := c.watchRead(s.ctx); err != nil {
		s.err = c.life.because(err)
		return false
	}
	c.keepalive.waitBegins(c.in.partial())
	return true
}

func (s *server) messages() (err error, failed bool) {
	c := s.c
	for {
		op, data, err := c.nextMessage(s.ctx, nil, true)
		if err != nil {
			return err, false
		}
		if c.life.sendErr() == nil {
			c.send.cork.setServing(c.inputState())
		}
		if c.in.answer { // pongs do not wait for a callback that stays
			c.send.flushSoon()
		}
		c.observeIn(MessageType(op), len(data))
		if err := s.call(Message{Type: MessageType(op), Data: data}); err != nil {
			return err, true
		}
	}
}

// endServe gives the reader's token back.
func (c *Conn) endServe(ctx context.Context, err *error) {
	c.in.serving.Store(false)
	if flushErr := c.inputHandled(ctx); *err == nil {
		*err = flushErr
	}
	if !c.in.assembly.open {
		c.in.assembly.drop()
	}
	c.unlockRead()
}

// served is what Serve returns.
func (c *Conn) served(err error, failed bool) error {
	if failed {
		return c.closeFor(err)
	}
	return orderly(err)
}

// closeFor closes the connection because fn failed with err.
func (c *Conn) closeFor(err error) error {
	code, reason := StatusInternalError, ""
	if e, ok := errors.AsType[*CloseError](err); ok && e.Code.Sendable() {
		code, reason = e.Code, sendableReason(e.Reason)
	}
	own := c.life.sendEnd.Load() // fn may return the error of a Write
	if c.life.err() == nil && c.Close(code, reason) != nil {
		_ = c.CloseNow()
	}
	if own != nil && errors.Is(err, own) {
		return orderly(c.life.err())
	}
	return err
}

// orderly turns a normal end into nil.
func orderly(err error) error {
	if code := CloseStatus(err); code == StatusNormalClosure || code == StatusGoingAway {
		return nil
	}
	return err
}

// inputHandled sends what was buffered: the input that was available is handled. What the peer does
// not take follows later, and the reader goes on: if it waited, two ends that both have
// much to send would wait for each other. A peer that takes nothing at all is not read from
// any more.
func (c *Conn) inputHandled(ctx context.Context) error {
	c.send.cork.setServing(notServing)
	send := c.in.answer || c.send.flushWanted.Load() || c.transport.Pending() > 0
	c.in.answer = false
	if !c.in.assembly.open {
		c.in.assembly.drop()
	}
	if c.life.hasEnded() {
		return nil
	}
	if send {
		c.send.tryFlush()
	}
	return c.throttle(ctx)
}

// inputState tells whether there is more input than the message that is being handled.
func (c *Conn) inputState() int32 {
	if c.in.r < c.in.w || c.transport.Ready() {
		return moreInput
	}
	return lastInput
}

// ServeInBackground is Serve without waiting for it: it returns at once, and the connection lives on
// a goroutine of its own. So an HTTP handler can return, and net/http's buffers, the
// request and the handler's stack are free; and while a connection is idle for longer
// than two seconds its goroutine is exchanged for one with the smallest stack. For many
// connections this is the cheapest way to receive.
//
// fn is called as in [Conn.Serve], never by two goroutines at once. ended, if not nil,
// is called when it is over, with what Serve would return; reading is possible again
// then unless the connection has ended. A panic of fn's ends the program, as it does in
// every goroutine. If fn ends the goroutine (runtime.Goexit), the connection is closed without a
// closing handshake, and ended is called with its *CloseError.
//
// Over HTTP/2 without the handler of the package http2, ServeInBackground returns when the connection has ended, since the handler's
// return would end it.
//
//	http.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
//		if c, err := conn.Accept(w, r, nil); err == nil {
//			c.ServeInBackground(echo, nil)
//		}
//	})
func (c *Conn) ServeInBackground(fn func(*Conn, Message) error, ended func(error)) {
	s := &service{server: server{c: c, ctx: context.Background(), fn: fn}, ended: ended}
	if c.endsWithHandler() {
		over := make(chan struct{})
		s.ended = func(err error) {
			defer close(over)
			if ended != nil {
				ended(err)
			}
		}
		go s.begin()
		<-over
		return
	}
	go s.begin()
}

// service is a Serve that changes goroutines.
type service struct {
	server
	ended func(error)
}

func (s *service) begin() {
	if err := s.c.lockRead(context.Background()); err != nil {
		s.end(orderly(err))
		return
	}
	s.c.in.serving.Store(true)
	s.work()
}

// work serves until the connection ends, or has been idle for a while. Its stack grows by
// what TLS and fn need.
func (s *service) work() {
	stack.Grow4()
	goesOn := false
	defer func() {
		if goesOn {
			return
		}
		s.stop()
		if !s.over { // fn has panicked or ended this goroutine
			s.err, s.failed = s.c.life.err(), false
		}
		s.end(s.c.served(s.err, s.failed))
	}()
	if goesOn = s.serve(); goesOn {
		go s.wait()
		return
	}
	s.over = true
}

// wait waits on a fresh, small stack. What it waited for is found by whoever works.
func (s *service) wait() {
	c := s.c
	c.keepalive.waitBegins(c.in.partial())
	_ = c.transport.Wait()
	c.keepalive.waitEnds()
	go s.work()
}

func (s *service) end(err error) {
	if s.ended != nil {
		s.ended(err)
	}
}

// parkAfter is how long a goroutine that has worked waits for more work. A fresh one costs a
// microsecond or two, and its stack has to grow again: little for each message of a
// connection that says something every few seconds.
const parkAfter = 2 * time.Second
