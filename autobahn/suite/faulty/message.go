package faulty

import (
	"strings"
	"unicode/utf8"

	"github.com/seed-c4549abd/wss/frame"
)

func (s *session) endMessage(fin bool) error {
	s.inMessage = !fin
	if s.deflated {
		var err error
		if s.message, err = s.deflate.inflate(s.message); err != nil {
			return s.fail(frame.InvalidPayload)
		}
	}
	if s.opcode == frame.Text {
		if s.fault == LateUTF8 && !utf8.Valid(s.message) {
			return s.fail(frame.InvalidPayload)
		}
		if s.fault != NoUTF8 && s.fault != LateUTF8 && s.fault != HalfCharacters && fin && !s.text.Complete() {
			return s.fail(frame.InvalidPayload)
		}
	}
	opcode, message := s.opcode, s.message
	s.message = nil
	if s.fault == EchoesTextAsBinary {
		opcode = frame.Binary
	}
	if opcode == frame.Text && message != nil {
		message = []byte(s.altered(string(message)))
	}
	if s.fault == PongsFirst {
		if err := s.pongsFirst(); err != nil {
			return err
		}
	}
	if s.fault == ShortensLongMessages {
		message = message[:min(len(message), 65535)]
	}
	if s.fault == ShortensCompressed && s.deflate != nil {
		message = message[:len(message)/2]
	}
	if err := s.send(opcode, message); err != nil {
		return err
	}
	for _, p := range s.pongs {
		if err := s.send(frame.Pong, []byte(p)); err != nil {
			return err
		}
	}
	s.pongs = nil
	return nil
}

// altered is text as the faults about it have it.
func (s *session) altered(text string) string {
	switch s.fault {
	case StripsBOM:
		return strings.TrimPrefix(text, "\ufeff")
	case TurnsLines:
		return strings.ReplaceAll(text, "\n", "\r\n")
	case TrimsBlanks:
		return strings.TrimSpace(text)
	case CutsAtNUL:
		text, _, _ = strings.Cut(text, "\x00")
	case Composes:
		return strings.ReplaceAll(text, "e\u0301", "\u00e9")
	}
	return text
}
