package faulty

import (
	"bytes"
	stdflate "compress/flate"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/flate"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
)

// compression is permessage-deflate on one connection (RFC 7692).
type compression struct {
	fault  Fault
	agreed handshake.DeflateParams
	writer *flate.Writer
	out    bytes.Buffer
	window []byte // of what was inflated
}

// tail is what is left out at the end of a message (RFC 7692 §7.2.1).
const tail = "\x00\x00\xff\xff"

// negotiate answers offers.
func (s *session) negotiate(offers []handshake.Extension) []handshake.Extension {
	answer, agreed, ok := handshake.DeflatePolicy{}.Accept(offers)
	if !ok || s.fault == Declines {
		return nil
	}
	// The client would do without a context of its own; this server has it use one all the same (RFC 7692 §7.1.1.2).
	agreed.ClientNoContextTakeover = false
	answer.Params = slices.DeleteFunc(answer.Params, func(p handshake.Param) bool { return p.Name == "client_no_context_takeover" })
	switch s.fault {
	case UnknownParameter:
		answer.Params = append(answer.Params, handshake.Param{Name: "mystery"})
	case WidensWindow:
		for i := range answer.Params {
			if answer.Params[i].Name == "server_max_window_bits" {
				answer.Params[i].Value = "15"
			}
		}
	case ForgetsPromise:
		answer.Params = nil
	}
	s.deflate = &compression{fault: s.fault, agreed: agreed}
	return []handshake.Extension{answer}
}

// compress returns a message's compressed octets, valid until the next call.
func (c *compression) compress(payload []byte) ([]byte, error) {
	if c.fault == Pretends {
		return payload, nil
	}
	if c.writer == nil {
		var err error
		if bits := c.agreed.ServerMaxWindowBits; bits == 15 || c.fault == WideWindow {
			c.writer, err = flate.NewWriter(&c.out, 7)
		} else {
			c.writer, err = flate.NewWriterWindow(&c.out, 1<<bits)
		}
		if err != nil {
			return nil, err
		}
	}
	if c.agreed.ServerNoContextTakeover && c.fault != KeepsContext {
		c.writer.Reset(&c.out)
	}
	c.out.Reset()
	_, _ = c.writer.Write(payload)
	_ = c.writer.Flush()
	octets := bytes.TrimSuffix(c.out.Bytes(), []byte(tail))
	if c.fault == CutsOff {
		octets = octets[:max(0, len(octets)-len(tail))]
	}
	return octets, nil
}

// inflate returns the message that octets are.
func (c *compression) inflate(octets []byte) ([]byte, error) {
	// An empty final block lets the library see the end.
	all := io.MultiReader(bytes.NewReader(octets), strings.NewReader(tail+"\x01\x00\x00\xff\xff"))
	message, err := io.ReadAll(stdflate.NewReaderDict(all, c.window))
	if err == nil && !c.agreed.ClientNoContextTakeover && c.fault != ForgetsContext {
		c.window = append(c.window, message...)
		c.window = bytes.Clone(c.window[max(0, len(c.window)-32<<10):])
	}
	return message, err
}

// sendCompressed sends a message with RSV1 (RFC 7692 §6), with MarksFragments in two fragments.
func (s *session) sendCompressed(o frame.Opcode, payload []byte) error {
	octets, err := s.deflate.compress(payload)
	if err != nil {
		return err
	}
	h := frame.Header{Fin: true, RSV: frame.RSV1, Opcode: o}
	switch s.fault {
	case Unmarked:
		h.RSV = 0
	case MarksFragments:
		half := len(octets) / 2
		if err := s.write(frame.Header{RSV: frame.RSV1, Opcode: o}, octets[:half]); err != nil {
			return err
		}
		h.Opcode, octets = frame.Continuation, octets[half:]
	}
	return s.write(h, octets)
}
