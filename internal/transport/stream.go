package transport

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/internal/bufpool"
)

// Carrier carries the bytes of a Stream: a stream of HTTP/2 or HTTP/3. Its methods do not wait for the peer. They are called without
// the Stream's lock, and may call its methods.
type Carrier interface {
	// Send: there is something to collect. It is not called again before Collect has returned nothing.
	Send()
	// Receive: somebody waits for input, for the first time.
	Receive()
	// Consumed: n more bytes of what was delivered have been read.
	Consumed(n int)
	// Closed: the Stream was closed. If orderly, what is left is to be collected and sent, with the end of the stream; else the
	// stream is to be reset. It is called once, or twice if what was left in order is not collected in time.
	Closed(orderly bool)
	// NetConn returns what has the addresses and, if there is TLS, its ConnectionState.
	NetConn() net.Conn
	// HalfCloses reports whether the end of our direction can be shown while the other one goes on.
	HalfCloses() bool
}

// Stream is a transport over a stream of HTTP/2 or HTTP/3: two buffers between a connection and what carries its bytes. The send
// buffer plays the part of a socket's: what fits in it counts as sent, and is sent after Close too if Shut was called before.
type Stream struct {
	carrier Carrier

	mu       sync.Mutex
	readable sync.Cond // input or its end, room for more of it, the read deadline, Close
	sendable sync.Cond // room in the send buffer, the end of sending, the write deadline

	in     []chunk
	inErr  error // after in
	asked  bool  // the carrier was asked to receive
	closed bool
	shut   bool  // our direction ends behind out
	ended  bool  // and that was collected
	outErr error // nothing can be sent any more

	out       []byte // written and not collected; a buffer of the pool
	collected int    // of out
	sending   bool   // the carrier has been told, and has not found nothing
	limit     int    // of the send buffer, in bytes

	received, written, flushed, carried int64 // positions in the two directions

	readDeadline, writeDeadline expiry
	linger                      *time.Timer // after an orderly Close
}

// chunk is input: buf[r:w] of a buffer of the pool.
type chunk struct {
	buf  []byte
	r, w int
}

const (
	// sendBuffer is the size of a Stream's send buffer, in bytes.
	sendBuffer = 64 << 10
	// lingerTime is how long what is left may take to be sent after an orderly Close.
	lingerTime = 2 * time.Second
)

// NewStream returns a Stream that c carries.
func NewStream(c Carrier) *Stream {
	s := &Stream{carrier: c, limit: sendBuffer}
	s.readable.L, s.sendable.L = &s.mu, &s.mu
	return s
}

// Ready reports whether Read has something.
func (s *Stream) Ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ready()
}

func (s *Stream) ready() bool { return len(s.in) > 0 || s.inErr != nil }

// Read returns what was delivered.
func (s *Stream) Read(p []byte) (n int, err error) {
	s.mu.Lock()
	for len(s.in) > 0 && n < len(p) {
		first := &s.in[0]
		k := copy(p[n:], first.buf[first.r:first.w])
		n += k
		if first.r += k; first.r == first.w {
			s.dropFirst()
		}
	}
	if n == 0 {
		if err = s.inErr; err == nil && len(p) > 0 {
			err = ErrWouldBlock
		}
	}
	s.mu.Unlock()
	if n > 0 {
		s.carrier.Consumed(n)
	}
	return n, err
}

func (s *Stream) dropFirst() {
	bufpool.Put(s.in[0].buf)
	s.in[0] = chunk{}
	if s.in = s.in[1:]; len(s.in) == 0 {
		s.in = nil
		s.readable.Broadcast() // for AwaitRoom
	}
}

// Wait waits until Ready.
func (s *Stream) Wait() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.ready() {
		if s.readDeadline.expired {
			return os.ErrDeadlineExceeded
		}
		if !s.asked {
			s.asked = true
			s.mu.Unlock()
			s.carrier.Receive()
			s.mu.Lock()
			continue
		}
		s.readable.Wait()
	}
	return nil
}

// Loop waits as Wait does.
func (s *Stream) Loop(handle func() bool) error {
	for {
		if err := s.Wait(); err != nil {
			return err
		}
		if !handle() {
			return nil
		}
	}
}

// Drop returns the buffers of the read side, and drops what is delivered from now on.
func (s *Stream) Drop() {
	s.mu.Lock()
	n := s.drop()
	s.mu.Unlock()
	if n > 0 {
		s.carrier.Consumed(n)
	}
}

// drop empties the input. The lock is held.
func (s *Stream) drop() (n int) {
	for _, c := range s.in {
		bufpool.Put(c.buf)
		n += c.w - c.r
	}
	s.in = nil
	if s.inErr == nil {
		s.inErr = net.ErrClosed
	}
	s.readable.Broadcast()
	return n
}

// Write buffers p. With through, and more than a send buffer's worth, it is offered to the carrier at once.
func (s *Stream) Write(p []byte, through bool) error {
	s.mu.Lock()
	if err := s.writeErr(); err != nil {
		s.mu.Unlock()
		return err
	}
	s.reserve(len(p))
	s.out = append(s.out, p...)
	s.written += int64(len(p))
	if through {
		s.flushed = s.written
	}
	wake := through && s.wake()
	s.mu.Unlock()
	if wake {
		s.carrier.Send()
	}
	return nil
}

// reserve makes room for n bytes in out.
func (s *Stream) reserve(n int) {
	if cap(s.out)-len(s.out) >= n {
		return
	}
	rest := s.out[s.collected:]
	if s.out != nil && cap(s.out)-len(rest) >= n && s.collected >= len(rest) {
		s.out, s.collected = s.out[:copy(s.out[:cap(s.out)], rest)], 0
		return
	}
	b := bufpool.Get(max(len(rest)+n, min(2*len(rest), 4*sendBuffer)))
	k := copy(b, rest)
	bufpool.Put(s.out)
	s.out, s.collected = b[:k], 0
}

func (s *Stream) writeErr() error {
	switch {
	case s.outErr != nil:
		return s.outErr
	case s.closed || s.shut:
		return net.ErrClosed
	}
	return nil
}

// wake reports whether the carrier has to be told. The lock is held.
func (s *Stream) wake() bool {
	if s.sending || s.outErr != nil || s.collected == len(s.out) && !s.endsNow() {
		return false
	}
	s.sending = true
	return true
}

// endsNow reports whether the end of our direction is to be collected when out is.
func (s *Stream) endsNow() bool {
	return s.shut && !s.ended && (s.closed || s.carrier.HalfCloses())
}

// TryFlush offers what was written to the carrier, and reports whether it fits in the send buffer.
func (s *Stream) TryFlush() (done bool, err error) {
	s.mu.Lock()
	s.flushed = s.written
	wake, done, err := s.wake(), s.pending() == 0, s.outErr
	s.mu.Unlock()
	if wake {
		s.carrier.Send()
	}
	return done, err
}

// Flush waits until what was written fits in the send buffer.
func (s *Stream) Flush() error {
	if done, err := s.TryFlush(); done || err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.pending() > 0 && s.outErr == nil {
		if s.writeDeadline.expired {
			return os.ErrDeadlineExceeded
		}
		s.sendable.Wait()
	}
	return s.outErr
}

// Pending returns the bytes that are not in the send buffer.
func (s *Stream) Pending() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pending()
}

func (s *Stream) pending() int64 { return s.written - min(s.flushed, s.carried+int64(s.limit)) }

// Notify does nothing: Shut ends the stream.
func (s *Stream) Notify() {}

// Shut ends our direction behind what was written. If the carrier cannot show that, the end is sent by Close.
func (s *Stream) Shut() error {
	s.mu.Lock()
	s.shut = true
	wake := s.wake()
	s.mu.Unlock()
	if wake {
		s.carrier.Send()
	}
	if !s.carrier.HalfCloses() {
		return errors.ErrUnsupported
	}
	return nil
}

// Close ends both directions: what is left is sent if Shut was called before, else the stream is reset.
func (s *Stream) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return net.ErrClosed
	}
	s.closed = true
	n := s.drop()
	s.inErr = net.ErrClosed
	s.readDeadline.stop()
	s.writeDeadline.stop()
	orderly := s.shut && s.outErr == nil
	if !orderly {
		s.failSend(net.ErrClosed)
	} else if !s.ended {
		s.linger = time.AfterFunc(lingerTime, s.lingered)
	}
	wake := s.wake()
	s.mu.Unlock()
	if n > 0 {
		s.carrier.Consumed(n)
	}
	if wake {
		s.carrier.Send()
	}
	s.carrier.Closed(orderly)
	return nil
}

// lingered resets the stream if what was left has not been sent.
func (s *Stream) lingered() {
	s.mu.Lock()
	late := !s.ended && s.outErr == nil
	if late {
		s.failSend(os.ErrDeadlineExceeded)
	}
	s.mu.Unlock()
	if late {
		s.carrier.Closed(false)
	}
}

// failSend notes that nothing can be sent any more. The lock is held.
func (s *Stream) failSend(err error) {
	if s.outErr == nil {
		s.outErr = err
	}
	bufpool.Put(s.out)
	s.out, s.collected = nil, 0
	if s.linger != nil {
		s.linger.Stop()
	}
	s.sendable.Broadcast()
}

// SetReadDeadline bounds Wait.
func (s *Stream) SetReadDeadline(t time.Time) error {
	s.readDeadline.set(s, &s.readable, t)
	return nil
}

// SetWriteDeadline bounds Flush.
func (s *Stream) SetWriteDeadline(t time.Time) error {
	s.writeDeadline.set(s, &s.sendable, t)
	return nil
}

// Resumable: what a Flush that was cut off has left is sent by the next one.
func (s *Stream) Resumable() bool { return true }

// Truncated: the end of a stream is distinct from its reset.
func (s *Stream) Truncated() bool { return false }

// Counts returns the bytes of the stream, without its frames and TLS.
func (s *Stream) Counts() (in, out int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.received, s.written - s.pending()
}

// NetConn returns the carrier's.
func (s *Stream) NetConn() net.Conn { return s.carrier.NetConn() }

// sent returns the bytes that the carrier has sent.
func (s *Stream) sent() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.carried
}

// refused reports whether nothing can be sent any more.
func (s *Stream) refused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.outErr != nil
}

// bound sets the size of the send buffer.
func (s *Stream) bound(n int) {
	s.mu.Lock()
	s.limit = n
	s.mu.Unlock()
}
