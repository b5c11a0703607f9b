package conn

import (
	"context"
	"time"

	"github.com/seed-c4549abd/wss/internal/stack"
)

// Go is Serve without waiting for it: it returns at once, and the connection lives on
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
//	http.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
//		if c, err := conn.Accept(w, r, nil); err == nil {
//			c.Go(echo, nil)
//		}
//	})
func (c *Conn) Go(fn func(*Conn, Message) error, ended func(error)) {
	s := &service{server: server{c: c, ctx: context.Background(), fn: fn}, ended: ended}
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
		s.leave()
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
	s.c.liv.listening(true)
	_ = s.c.t.Wait()
	s.c.liv.listening(false)
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
