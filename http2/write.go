package http2

import (
	"errors"

	xhttp2 "golang.org/x/net/http2"
)

// write writes frames until the connection is over: those of the connection first, then HEADERS, then a frame of each stream in turn. What
// meets is written to the socket at once.
func (c *clientConn) write() {
	buf := make([]byte, maxFrame)
	var err error
	for err == nil {
		var more bool
		if more, err = c.writeSome(buf); err != nil || more {
			continue
		}
		if err = c.out.Flush(); err != nil {
			break
		}
		select {
		case <-c.wake:
		case <-c.done:
			c.sayGoodbye()
			err = c.err()
		}
	}
	c.Shutdown(err)
	_ = c.socket.Close() // not the TLS, which would wait for the server to take its end
	close(c.written)
}

// sayGoodbye writes a GOAWAY.
func (c *clientConn) sayGoodbye() {
	code := xhttp2.ErrCodeNo
	reason := ""
	if e, ok := errors.AsType[*ConnectionError](c.err()); ok && !e.Remote {
		code, reason = xhttp2.ErrCode(e.Code), e.Reason
	}
	if c.framer.WriteGoAway(0, code, []byte(reason)) == nil {
		_ = c.out.Flush()
		if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
	}
}

// writeSome writes what is most urgent, and reports whether there may be more.
func (c *clientConn) writeSome(buf []byte) (more bool, err error) {
	c.mu.Lock()
	control := c.control
	c.control = nil
	s, id := c.nextOpening(len(control) > 0)
	c.mu.Unlock()
	for _, write := range control {
		if err := write(); err != nil {
			return false, err
		}
	}
	if s != nil {
		return true, c.writeHeaders(s, id)
	}
	if len(control) > 0 {
		return true, nil
	}
	return c.writeData(buf)
}

// nextOpening takes the stream whose HEADERS are next, and gives it its number. The lock is held.
func (c *clientConn) nextOpening(busy bool) (*clientStream, uint32) {
	if busy || len(c.opening) == 0 || c.failed != nil {
		return nil, 0
	}
	s := c.opening[0]
	c.opening = c.opening[1:]
	if c.lastID == 0 {
		c.lastID = 1
	} else {
		c.lastID += 2
	}
	s.id, s.window, s.credit = c.lastID, c.peer.window, streamWindow
	c.streams[s.id] = s
	return s, s.id
}

// writeHeaders writes the extended CONNECT of a stream.
func (c *clientConn) writeHeaders(s *clientStream, id uint32) error {
	c.block = c.block[:0]
	for _, f := range s.fields {
		if err := c.encoder.WriteField(f); err != nil {
			return err
		}
	}
	rest := []byte(c.block)
	c.mu.Lock()
	size := c.peer.maxFrame
	c.mu.Unlock()
	n := min(len(rest), size)
	err := c.framer.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: id, BlockFragment: rest[:n], EndHeaders: n == len(rest)})
	for rest = rest[n:]; err == nil && len(rest) > 0; rest = rest[n:] {
		n = min(len(rest), size)
		err = c.framer.WriteContinuation(id, n == len(rest), rest[:n])
	}
	return err
}

// writeData writes a frame of the stream whose turn it is.
func (c *clientConn) writeData(buf []byte) (more bool, err error) {
	c.mu.Lock()
	if len(c.sendable) == 0 {
		c.mu.Unlock()
		return false, nil
	}
	s := c.sendable[0]
	c.sendable = c.sendable[1:]
	s.queued = false
	room := int(max(0, min(int64(len(buf)), int64(c.peer.maxFrame), s.window, c.window)))
	id := s.id
	known := c.streams[id] == s
	c.mu.Unlock()
	if !known {
		return true, nil
	}
	n, end := s.stream.Collect(buf[:room])
	c.mu.Lock()
	s.window -= int64(n)
	c.window -= int64(n)
	switch {
	case end:
		s.sentEnd = true
	case n > 0 || room == 0 && s.stream.More():
		if s.window > 0 && c.window > 0 {
			c.queue(s)
		} else {
			s.blocked = true // until a WINDOW_UPDATE
		}
	}
	c.mu.Unlock()
	if n == 0 && !end {
		return true, nil
	}
	err = c.framer.WriteData(id, end, buf[:n])
	s.stream.Carried(n)
	c.mu.Lock()
	c.budget.earn(n)
	c.checkOver(s) // behind END_STREAM, if a reset is to follow
	c.mu.Unlock()
	return true, err
}

// queue has a stream send in its turn. The lock is held.
func (c *clientConn) queue(s *clientStream) {
	if !s.queued && c.failed == nil {
		s.queued = true
		c.sendable = append(c.sendable, s)
		c.wakeWriter()
	}
}

// unblock queues the streams that wait for a window. The lock is held.
func (c *clientConn) unblock(s *clientStream) {
	if s.blocked && s.window > 0 && c.window > 0 {
		s.blocked = false
		c.queue(s)
	}
}
