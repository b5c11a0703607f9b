package faulty

import (
	"encoding/binary"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/mask"
)

// fail fails the connection (RFC 6455 §7.1.7).
func (s *session) fail(c frame.StatusCode) error {
	if s.fault == WrongCode {
		c = frame.UnsupportedData
	}
	if s.fault != NoCloseFrame && s.fault != JustDrops {
		s.closing = true
		_ = s.send(frame.Close, binary.BigEndian.AppendUint16(nil, uint16(c)))
	}
	return errEnd
}

func (s *session) send(o frame.Opcode, payload []byte) error {
	h := frame.Header{Fin: true, Opcode: o}
	switch {
	case s.deflate != nil && !o.IsControl():
		return s.sendCompressed(o, payload)
	case s.deflate != nil && s.fault == MarksControl:
		h.RSV = frame.RSV1
	}
	return s.write(h, payload)
}

func (s *session) write(h frame.Header, payload []byte) error {
	h.Length, h.Masked = int64(len(payload)), s.fault == Masks
	if s.client && s.fault != NoMasks {
		h.Masked, h.Key = true, mask.NewKey()
	}
	b := h.Append(nil) // with a masking key of zeros, if a server has one
	if s.fault == LongHeaders {
		b = binary.BigEndian.AppendUint64([]byte{b[0], b[1] | 127}, uint64(len(payload)))
		if h.Masked {
			b = append(b, h.Key[:]...)
		}
	}
	from := len(b)
	b = append(b, payload...)
	if s.fault != MasksHeadersOnly {
		mask.XOR(b[from:], h.Key, 0)
	}
	if s.fault == WritesLate {
		time.Sleep(300 * time.Millisecond)
	}
	_, err := s.conn.Write(b)
	return err
}
