package faulty

import (
	"errors"
	"time"

	"github.com/seed-c4549abd/wss/frame"
)

// unaskedPong sends a pong that answers no ping, where that is the peculiarity.
func (s *session) unaskedPong() error {
	switch s.fault {
	case PongsUnasked:
		return s.send(frame.Pong, []byte("nobody asked"))
	case EmptyPongUnasked:
		return s.send(frame.Pong, nil)
	}
	return nil
}

// pingFollows reports whether the next frame has come, and is a ping.
func (s *session) pingFollows() bool {
	_, size := s.buffered()
	return size > 0
}

// buffered returns the header of the next frame if it is a ping that has come as a whole, and its size.
func (s *session) buffered() (h frame.Header, size int) {
	b, _ := s.in.Peek(s.in.Buffered())
	n, err := h.Parse(b)
	if n == 0 || err != nil || h.Opcode != frame.Ping || !h.Fin || h.Length > frame.MaxControlPayload || len(b) < n+int(h.Length) {
		return h, 0
	}
	return h, n
}

// pongsFirst answers the pings that have come behind a message.
func (s *session) pongsFirst() error {
	for {
		h, n := s.buffered()
		if n == 0 || h.RSV != 0 {
			return nil
		}
		_, _ = s.in.Discard(n)
		payload, err := s.payload(&h)
		if err == nil {
			err = s.send(frame.Pong, payload)
		}
		if err != nil {
			return err
		}
	}
}

func (s *session) control(o frame.Opcode, payload []byte) error {
	switch {
	case o == frame.Close:
		return s.closeFrame(payload)
	case o == frame.Pong && s.fault == AnswersPongs:
		return s.send(frame.Pong, payload)
	case o != frame.Ping || s.fault == NoPongs:
		return nil
	case s.fault == EmptyPongs:
		return s.send(frame.Pong, nil)
	case s.fault == LatestPong && s.pingFollows():
		return nil
	case s.fault == LatePongs && s.inMessage:
		s.pongs = append(s.pongs, string(payload))
		return nil
	}
	return s.send(frame.Pong, payload)
}

// closeFrame answers a close frame with its own code.
func (s *session) closeFrame(body []byte) error {
	if s.fault == NoCloseFrame {
		return errEnd
	}
	normal := []byte{0x03, 0xe8} // 1000
	_, _, err := frame.ParseClose(body)
	switch {
	case s.fault == ShortClose && errors.Is(err, frame.ErrCloseLength), s.fault == AnyReason && errors.Is(err, frame.ErrCloseReason):
		err, body = nil, normal
	case s.fault == AnyCode && errors.Is(err, frame.ErrCloseCode):
		err = nil
	}
	if broken, ok := errors.AsType[*frame.Error](err); ok {
		return s.fail(broken.Code)
	}
	if len(body) > 2 {
		body = body[:2]
	}
	if s.fault == TalksOn {
		return s.talkOn(body)
	}
	s.closing = true
	if err := s.send(frame.Close, body); err != nil {
		return err
	}
	if s.fault == AddsMessage {
		_ = s.send(frame.Text, []byte("more"))
	}
	return errEnd
}

// talkOn answers what comes within a twentieth of a second, and the close frame then.
func (s *session) talkOn(body []byte) error {
	_ = s.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	s.fault = None
	for s.frame() == nil {
	}
	if !s.closing {
		s.closing = true
		_ = s.send(frame.Close, body)
	}
	return errEnd
}
