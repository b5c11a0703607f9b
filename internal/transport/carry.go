package transport

import (
	"io"

	"github.com/seed-c4549abd/wss/internal/bufpool"
)

// What a Stream's carrier calls: input is delivered, and what is to be sent is collected.

// Deliver hands the first n bytes of b over, a buffer of the pool, which is the Stream's from now on.
func (s *Stream) Deliver(b []byte, n int) {
	s.mu.Lock()
	s.received += int64(n)
	if n == 0 || s.inErr != nil {
		bufpool.Put(b)
	} else {
		s.in = append(s.in, chunk{buf: b, w: n})
		s.readable.Broadcast()
	}
	s.mu.Unlock()
}

// DeliverCopy hands a copy of p over, and reports whether it will be read.
func (s *Stream) DeliverCopy(p []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received += int64(len(p))
	if s.inErr != nil {
		return false
	}
	if n := len(s.in); n > 0 { // so that many small frames take no more than their sum
		last := &s.in[n-1]
		k := copy(last.buf[last.w:], p)
		last.w += k
		p = p[k:]
	}
	if len(p) > 0 {
		b := bufpool.Get(len(p))
		s.in = append(s.in, chunk{buf: b, w: copy(b, p)})
	}
	s.readable.Broadcast()
	return true
}

// AwaitRoom waits until all that was delivered has been read, and reports false if no more will be.
func (s *Stream) AwaitRoom() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.in) > 0 && s.inErr == nil {
		s.readable.Wait()
	}
	return s.inErr == nil
}

// End ends the input behind what was delivered. With another error than io.EOF the stream is over in both directions.
func (s *Stream) End(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inErr == nil {
		s.inErr = err
	}
	if err != io.EOF {
		s.failSend(err)
	}
	s.readable.Broadcast()
}

// Collect moves bytes that are to be sent into p. With end the stream ends behind them. If there is nothing, Send is called as soon
// as there is.
func (s *Stream) Collect(p []byte) (n int, end bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = copy(p, s.out[s.collected:])
	if s.collected += n; s.collected == len(s.out) {
		bufpool.Put(s.out)
		s.out, s.collected = nil, 0
		end = s.outErr == nil && s.endsNow()
		if end {
			s.ended = true
			if s.linger != nil {
				s.linger.Stop()
			}
		}
	}
	if n == 0 {
		s.sending = false
	}
	return n, end
}

// More reports whether Collect has something.
func (s *Stream) More() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.outErr == nil && (s.collected < len(s.out) || s.endsNow())
}

// Carried notes that n collected bytes were sent.
func (s *Stream) Carried(n int) {
	s.mu.Lock()
	s.carried += int64(n)
	s.sendable.Broadcast()
	s.mu.Unlock()
}
