package faulty

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
)

// Serve serves connections until the listener is closed, and then waits for those that there are.
func Serve(ln net.Listener, f Fault) error {
	var sessions sync.WaitGroup
	defer sessions.Wait()
	for {
		conn, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		sessions.Go(func() {
			defer conn.Close()
			s := &session{fault: f, conn: conn, in: bufio.NewReader(conn)}
			if s.open() == nil {
				s.serve()
			}
		})
	}
}

// session is one connection.
type session struct {
	fault Fault
	conn  net.Conn
	in    *bufio.Reader
	// client is the role: the other side is the server, and masks nothing.
	client bool

	deflate   *compression // nil: not agreed on
	inMessage bool
	deflated  bool         // the message is compressed
	opcode    frame.Opcode // of the message
	message   []byte
	text      frame.UTF8
	pongs     []string // that wait, with LatePongs
	closing   bool     // a close frame was sent
}

// open answers the opening handshake.
func (s *session) open() error {
	r, err := http.ReadRequest(s.in)
	if err != nil {
		return err
	}
	agreement, err := handshake.Accept(r, &handshake.ServerOptions{
		Header: http.Header{"Server": {"faulty"}}, Extensions: s.negotiate,
	})
	if err != nil {
		return err
	}
	_, err = s.conn.Write(agreement.AppendResponse(nil))
	return err
}

// errEnd says that the connection has been closed as it should.
var errEnd = errors.New("closed")

// serve handles frames until the connection ends, and ends it after our close frame.
func (s *session) serve() {
	if s.unaskedPong() != nil {
		return
	}
	for {
		if err := s.frame(); err != nil {
			s.streamEnds(err)
			break
		}
	}
	if s.fault == Aborts {
		s.abort()
		return
	}
	if !s.closing || s.client && s.fault == EndsFirst {
		return
	}
	if s.client {
		s.awaitEnd()
		return
	}
	if s.fault == StaysConnected {
		_, _ = io.Copy(io.Discard, s.in)
		return
	}
	// A socket with unread bytes would be reset, and our close frame lost.
	if half, ok := s.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_ = s.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	_, _ = io.Copy(io.Discard, s.in)
}

// streamEnds is for the faults of those who read no more, but not because they have closed the connection.
func (s *session) streamEnds(why error) {
	switch {
	case errors.Is(why, errEnd):
	case s.fault == EndsMessages && s.inMessage:
		_ = s.endMessage(true)
	case s.fault == IgnoresEnd:
		time.Sleep(5 * time.Second)
	}
}

// abort ends the connection as one should not.
func (s *session) abort() {
	if secured, ok := s.conn.(*tls.Conn); ok {
		_ = secured.NetConn().Close()
		return
	}
	if socket, ok := s.conn.(*net.TCPConn); ok {
		_ = socket.SetLinger(0)
	}
}
