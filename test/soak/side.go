package main

import (
	"errors"
	"fmt"
	"sync"

	"github.com/seed-c4549abd/wss/conn"
)

// side is the account of one end of a connection: what its application has sent and
// received, beside what the library says about it. It observes the connection.
type side struct {
	conn.NopObserver

	corpus *corpus
	id     uint32 // what messages that arrive must carry

	mu       sync.Mutex
	sent     int64 // messages whose call said that they are on their way
	unsure   int64 // 1 if the connection ended under a call, which cannot say
	dropped  int64 // messages that Send refused because the queue was full
	received int64
	next     int64 // the number that has to come; -1: any
	first    int64 // the first number that came; -1: none
	gaps     int64 // numbers that were left out
	lossy    bool  // gaps are accounted for by drops
	reading  bool  // what arrives is read to the end, whoever closes
	closing  bool  // this side's application, or its group, began to close
	faults   []string

	forgotten int64 // writes that were given up before they began
	cut       int64 // and after

	seenIn, seenOut int64 // what the Observer was told
	ends            int
	why             *conn.CloseError
	stats           conn.Stats

	news chan struct{} // something was received
	over chan struct{} // the connection has ended
	done chan struct{} // its application, too
}

func newSide(k *corpus, id uint32) *side {
	return &side{
		corpus: k, id: id, first: -1,
		news: make(chan struct{}, 1), over: make(chan struct{}), done: make(chan struct{}),
	}
}

// MessageIn counts.
func (s *side) MessageIn(*conn.Conn, conn.MessageType, int) {
	s.mu.Lock()
	s.seenIn++
	s.mu.Unlock()
}

// MessageOut counts.
func (s *side) MessageOut(*conn.Conn, conn.MessageType, int) {
	s.mu.Lock()
	s.seenOut++
	s.mu.Unlock()
}

// Closed notes how the connection has ended.
func (s *side) Closed(_ *conn.Conn, why *conn.CloseError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends++
	if s.ends == 1 {
		s.why = why
		close(s.over)
	}
}

// fault notes something that must not be. A few say enough.
func (s *side) fault(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) < 5 {
		s.faults = append(s.faults, fmt.Sprintf(format, args...))
	}
}

// wrote accounts for a message by what the call that sent it returned, and returns that.
func (s *side) wrote(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	later, interrupted := errors.AsType[*conn.InterruptedError](err)
	if interrupted {
		s.cut++
	}
	switch {
	case err == nil, interrupted && !later.Closed:
		s.sent++
	case conn.CloseStatus(err) != 0, interrupted:
		s.unsure = 1
	case errors.Is(err, conn.ErrQueueFull):
		s.dropped++
	default:
		s.forgotten++
	}
	return err
}

// number is that of the message to be sent next.
func (s *side) number() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return uint32(s.sent + s.dropped)
}

// take accounts for a whole message.
func (s *side) take(typ conn.MessageType, data []byte) {
	c := s.corpus.newChecker(s.id, typ)
	_, _ = c.Write(data)
	s.took(c)
}

// took accounts for a message that c has seen the whole of.
func (s *side) took(c *checker) {
	seq, err := c.end()
	if err != nil {
		s.fault("%v", err)
	}
	s.mu.Lock()
	s.received++
	n := int64(seq)
	switch {
	case s.next < 0 || n == s.next:
	case n < s.next:
		s.faults = append(s.faults, fmt.Sprintf("message %d came again, or late: %d was due", n, s.next))
	case s.lossy:
		s.gaps += n - s.next
	default:
		s.faults = append(s.faults, fmt.Sprintf("message %d came when %d was due", n, s.next))
	}
	if s.first < 0 {
		s.first = n
	}
	s.next = n + 1
	s.mu.Unlock()
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// counts returns what was sent and received until now.
func (s *side) counts() (sent, received int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent, s.received
}

// set changes a note under the lock.
func (s *side) set(note *bool) {
	s.mu.Lock()
	*note = true
	s.mu.Unlock()
}

// finish is called when the application is through with c.
func (s *side) finish(c *conn.Conn) {
	_ = c.CloseNow() // mostly it has ended: then this does nothing
	<-s.over
	stats := c.Stats()
	s.mu.Lock()
	s.stats = stats
	s.mu.Unlock()
	close(s.done)
}

// overflowed reports whether the queue was full, or the connection is over.
func (s *side) overflowed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unsure > 0 || s.ends > 0
}
