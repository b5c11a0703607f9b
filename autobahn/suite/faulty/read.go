package faulty

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/mask"
)

// frame handles one.
func (s *session) frame() error {
	h, err := s.header()
	if err != nil {
		return err
	}
	if c := s.headerRule(&h); c != 0 {
		return s.fail(c)
	}
	if h.Opcode.IsControl() || h.Opcode.IsReserved() {
		payload, err := s.payload(&h)
		if err != nil {
			return err
		}
		return s.control(h.Opcode, payload)
	}
	if h.Opcode != frame.Continuation {
		s.inMessage, s.opcode, s.message = true, h.Opcode, nil
		s.deflated = s.deflate != nil && h.RSV == frame.RSV1
		s.text.Reset()
	}
	if err := s.data(&h); err != nil {
		return err
	}
	if s.inMessage && (h.Fin || s.fault == EchoesFragments) {
		return s.endMessage(h.Fin)
	}
	return nil
}

func (s *session) header() (h frame.Header, err error) {
	for size := 2; ; size++ {
		b, err := s.in.Peek(size)
		if err != nil {
			return h, err
		}
		n, err := h.Parse(b)
		if err != nil {
			if n, err = s.longForm(&h, b, err); err != nil {
				return h, err
			}
		}
		if n > 0 {
			_, err = s.in.Discard(n)
			return h, err
		}
	}
}

// longForm reads a header whose length is in a form that it must not have, where the fault is to do so.
func (s *session) longForm(h *frame.Header, b []byte, why error) (n int, err error) {
	if !(s.fault == LongForms && errors.Is(why, frame.ErrLengthNotMinimal)) &&
		!(s.fault == IgnoresTopBit && errors.Is(why, frame.ErrLengthOverflow)) {
		return 0, s.fail(frame.ProtocolError)
	}
	n = 4
	if b[1]&0x7f == 127 {
		n = 10
		h.Length = int64(binary.BigEndian.Uint64(b[2:]) & frame.MaxLength)
	} else {
		h.Length = int64(binary.BigEndian.Uint16(b[2:]))
	}
	if h.Masked {
		if len(b) < n+4 {
			return 0, nil
		}
		h.Key = [4]byte(b[n:])
		n += 4
	}
	return n, nil
}

func (s *session) payload(h *frame.Header) ([]byte, error) {
	b := make([]byte, h.Length)
	_, err := io.ReadFull(s.in, b)
	mask.XOR(b, h.Key, 0)
	return b, err
}

// data takes the payload of a data frame as it comes, since text is to fail at the octet that breaks it.
func (s *session) data(h *frame.Header) error {
	for pos := int64(0); pos < h.Length; {
		b := make([]byte, min(h.Length-pos, 16<<10))
		n, err := s.in.Read(b)
		if err != nil {
			return err
		}
		mask.XOR(b[:n], h.Key, int(pos%4))
		pos += int64(n)
		if s.opcode == frame.Text && !s.deflated && s.fault != NoUTF8 && s.fault != LateUTF8 {
			if _, ok := s.text.Write(b[:n]); !ok {
				return s.fail(frame.InvalidPayload)
			}
		}
		s.message = append(s.message, b[:n]...)
		if s.fault == PingsWithin && pos == int64(n) && pos < h.Length {
			if err := s.send(frame.Ping, []byte("are you there?")); err != nil {
				return err
			}
		}
	}
	return nil
}
