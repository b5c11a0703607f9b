package suite

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// link moves octets between a connection and the goroutine of a case, which never blocks on the network: a case may have
// sixteen megabytes to send while the peer wants to be read first.
type link struct {
	conn net.Conn
	in   chan []byte   // what was read; closed at the end of the stream
	end  error         // what reading ended with, once in is closed
	used chan []byte   // what was read, and may be read into again
	stop chan struct{} // closed by close

	mu      sync.Mutex
	queue   [][]byte // a write each
	queued  int      // octets in it
	writing bool     // and what was in it before is being written
	ready   *sync.Cond
	ending  bool // what is queued is the last
	tears   bool // without a close_notify of TLS
	closed  bool
	reset   error // that a write has found; nil: none has
	tasks   sync.WaitGroup
}

// newLink starts moving. early is what was read behind the opening handshake.
func newLink(conn net.Conn, early []byte) *link {
	l := &link{conn: conn, in: make(chan []byte, 16), used: make(chan []byte, 16), stop: make(chan struct{})}
	l.ready = sync.NewCond(&l.mu)
	if len(early) > 0 {
		l.in <- early
	}
	l.tasks.Go(l.read)
	l.tasks.Go(l.write)
	return l
}

func (l *link) read() {
	defer close(l.in)
	size := firstRead
	for {
		b := l.room(size)
		size = readSize
		n, err := l.conn.Read(b)
		if n > 0 {
			select {
			case l.in <- b[:n]:
			case <-l.stop:
				return
			}
		}
		if err != nil {
			l.end = l.streamEnd(err) // what it means, the frames before it tell, but for the cases about it
			return
		}
	}
}

// streamEnd returns what reading really ended with. A system tells of a reset once: if it has told whoever wrote, the reader sees the end
// of the stream.
func (l *link) streamEnd(err error) error {
	if err != io.EOF {
		return err
	}
	for range 20 { // a write may just be returning
		if !l.busy() {
			break
		}
		time.Sleep(time.Millisecond)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reset != nil {
		return l.reset
	}
	return err
}

// How much is read at a time: the first time, which is all for most cases, and later.
const (
	firstRead = 4 * kib
	readSize  = 64 * kib
)

// room returns what to read into, size octets at least.
func (l *link) room(size int) []byte {
	select {
	case b := <-l.used:
		if cap(b) >= size {
			return b[:cap(b)]
		}
	default:
	}
	return make([]byte, size)
}

// done says that octets that came from in are not needed any more.
func (l *link) done(b []byte) {
	select {
	case l.used <- b:
	default:
	}
}

// write sends what is queued. It goes on to discard it after an error: the reader sees the end of the connection.
func (l *link) write() {
	failed := false
	for {
		l.mu.Lock()
		l.writing = false
		for len(l.queue) == 0 && !l.ending && !l.closed {
			l.ready.Wait()
		}
		batch := l.queue
		l.writing = true
		l.queue = nil
		l.queued = 0
		ending, tears, closed := l.ending, l.tears, l.closed
		l.mu.Unlock()
		if closed {
			return
		}
		for _, b := range batch {
			if failed {
				break
			}
			_, err := l.conn.Write(b)
			failed = err != nil
			if errors.Is(err, syscall.ECONNRESET) {
				l.mu.Lock()
				l.reset = err
				l.mu.Unlock()
			}
			runtime.Gosched() // lets the peer see the pieces one by one where there are few processors
		}
		if ending {
			closeOutput(l.conn, tears)
			return
		}
	}
}

// maxQueued bounds what waits to be written: a peer may ask for pongs without end and not read them.
const maxQueued = 64 << 20

// send queues writes, unless our direction has ended: a pong would follow a frame that was to be cut off. The connection ends if the
// peer lets too much of that wait.
func (l *link) send(writes [][]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ending {
		return
	}
	for _, b := range writes {
		l.queued += len(b)
	}
	if l.queued > maxQueued {
		_ = l.conn.Close()
		return
	}
	l.queue = append(l.queue, writes...)
	l.ready.Signal()
}

// busy reports whether there is something left to be written.
func (l *link) busy() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queue) > 0 || l.writing
}

// lingerTime is for the peer to end the connection when we have nothing more to say: a socket that is closed with unread
// bytes is reset, and what was sent last is lost.
const lingerTime = time.Second

// closeOutput ends our direction of a connection: that of TLS with close_notify, unless it is to be torn, and that of TCP.
func closeOutput(conn net.Conn, tears bool) {
	if secured, ok := conn.(*tls.Conn); ok {
		if !tears {
			_ = secured.CloseWrite()
		}
		conn = secured.NetConn()
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// endOutput has our direction end behind what is queued.
func (l *link) endOutput(tears bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ending {
		l.ending, l.tears = true, tears
	}
	l.ready.Signal()
}

// linger writes what is queued, ends our direction and waits for the end of the other.
func (l *link) linger() {
	l.endOutput(false)
	alarm := time.NewTimer(lingerTime)
	defer alarm.Stop()
	for {
		select {
		case _, more := <-l.in:
			if !more {
				return
			}
		case <-alarm.C:
			return
		}
	}
}

// close drops the connection and waits until both goroutines have gone.
func (l *link) close() {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.stop)
		l.ready.Signal()
	}
	l.mu.Unlock()
	_ = l.conn.Close()
	l.tasks.Wait()
}
