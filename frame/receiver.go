package frame

import "github.com/seed-c4549abd/wss/mask"

// Receiver is the receive side of a connection as a state machine (§5, §6.2).
// It is fed the bytes that arrive, in pieces of any size, and reports what they
// mean or the first rule they break. It holds no payload: events are views of
// the bytes it was given, unmasked in place.
//
// The exported fields are settings, fixed before the first call. The zero value
// is a server without extensions and without a message limit. Not for
// concurrent use.
type Receiver struct {
	// Role is the receiving endpoint's own: a Server wants masked frames.
	Role Role
	// Compression says that permessage-deflate was negotiated, so RSV1 may be
	// set on the first fragment of a message (RFC 7692 §6).
	Compression bool
	// Limit is the most payload bytes of a message, all fragments together; 0
	// means none. A compressed message is not held to it: what counts there is
	// the inflated size, which only the inflater sees.
	Limit int64

	// the data frame whose payload is being received
	remaining int64
	key       [4]byte
	pos       int // payload offset modulo 4
	masked    bool
	fin       bool

	// the message in progress
	open       bool // between its first frame and the end of its last
	opcode     Opcode
	compressed bool
	size       int64
	text       UTF8
}

// Kind says what an Event is.
type Kind uint8

// Kinds of events.
const (
	None    Kind = iota // nothing yet: more bytes are needed
	Data                // a piece of a text or binary message
	Control             // a whole close, ping or pong frame
)

// Event is what Receiver.Next found. The zero value is "nothing yet".
type Event struct {
	Payload    []byte // unmasked view of the input; may be empty
	Kind       Kind
	Opcode     Opcode // of the message (Text, Binary) or of the control frame
	First      bool   // Data: the message begins here
	Final      bool   // Data: the message ends here
	Compressed bool   // Data: the message's payload is compressed
}

// Next takes the next event from the beginning of b and returns the bytes it
// consumed. Kind None comes with n = 0: call again with the same bytes and more
// behind them; a buffer of MaxHeaderSize + MaxControlPayload bytes always
// suffices. Data is reported as it arrives, without waiting for the whole frame.
// Every error is an *Error, and final.
func (r *Receiver) Next(b []byte) (ev Event, n int, err error) {
	n, err = r.NextInto(&ev, b)
	return ev, n, err
}

// NextInto is Next that overwrites an event of the caller's: handing the same one to
// every call is faster by a third than having it copied. After an error it means
// nothing.
func (r *Receiver) NextInto(ev *Event, b []byte) (n int, err error) {
	if r.remaining > 0 {
		n = int(min(int64(len(b)), r.remaining))
		if n == 0 {
			ev.set(None, 0, nil)
			return 0, nil
		}
		return n, r.payload(ev, b[:n], false)
	}
	var h Header
	n, err = h.Parse(b)
	if err != nil || n == 0 {
		ev.set(None, 0, nil)
		return 0, err
	}
	if err = r.check(&h); err != nil {
		return 0, err
	}
	have := int(min(int64(len(b)-n), h.Length))
	whole := int64(have) == h.Length
	p := b[n : n+have : n+have]
	switch {
	case h.Opcode.IsControl() && !whole:
		ev.set(None, 0, nil)
		return 0, nil
	case h.Opcode.IsControl():
		if h.Masked {
			mask.XOR(p, h.Key, 0)
		}
		ev.set(Control, h.Opcode, p)
		return n + have, nil
	case whole && h.Fin && h.RSV == 0 && h.Opcode != Continuation:
		return n + have, r.whole(ev, &h, p)
	}
	first := r.begin(&h)
	return n + have, r.payload(ev, p, first)
}

// set overwrites the event with one of which nothing more is known.
func (ev *Event) set(kind Kind, op Opcode, p []byte) {
	ev.Payload, ev.Kind, ev.Opcode = p, kind, op
	ev.First, ev.Final, ev.Compressed = false, false, false
}

// whole is the usual case: a message in one frame that was received in one piece.
func (r *Receiver) whole(ev *Event, h *Header, p []byte) error {
	if h.Masked {
		mask.XOR(p, h.Key, 0)
	}
	if r.opcode = h.Opcode; h.Opcode == Text {
		r.text.Reset()
		if _, ok := r.text.Write(p); !ok || !r.text.Complete() {
			return ErrInvalidUTF8
		}
	}
	ev.Payload, ev.Kind, ev.Opcode = p, Data, h.Opcode
	ev.First, ev.Final, ev.Compressed = true, true, false
	return nil
}

// Payload is Next for bytes known to belong to the current data frame: a caller
// that reads straight into its destination passes that. len(p) must not exceed
// Remaining. p is unmasked in place.
func (r *Receiver) Payload(p []byte) (ev Event, err error) {
	err = r.payload(&ev, p, false)
	return ev, err
}

func (r *Receiver) payload(ev *Event, p []byte, first bool) error {
	if r.masked {
		mask.XOR(p, r.key, r.pos)
		r.pos = (r.pos + len(p)) & 3
	}
	r.remaining -= int64(len(p))
	final := r.fin && r.remaining == 0
	if r.opcode == Text && !r.compressed {
		if _, ok := r.text.Write(p); !ok || final && !r.text.Complete() {
			return ErrInvalidUTF8
		}
	}
	if final {
		r.open = false
	}
	ev.Payload, ev.Kind, ev.Opcode = p, Data, r.opcode
	ev.First, ev.Final, ev.Compressed = first, final, r.compressed
	return nil
}

// Remaining returns the payload bytes of the current data frame that are still
// to come.
func (r *Receiver) Remaining() int64 { return r.remaining }

// Pending reports whether a message has begun and not yet ended.
func (r *Receiver) Pending() bool { return r.open }

// Message returns the opcode, Text or Binary, of the message in progress or, if none
// is, of the last one.
func (r *Receiver) Message() Opcode { return r.opcode }

// check holds a header against the connection's state, in the order of §5.2.
func (r *Receiver) check(h *Header) error {
	switch {
	case h.RSV&^RSV1 != 0, h.RSV != 0 && !r.Compression:
		return ErrReservedBits
	case h.Opcode.IsReserved():
		return ErrReservedOpcode
	case h.RSV != 0 && h.Opcode != Text && h.Opcode != Binary:
		return ErrCompressedFrame
	case !h.Masked && r.Role == Server:
		return ErrUnmasked
	case h.Masked && r.Role == Client:
		return ErrMasked
	}
	if h.Opcode.IsControl() {
		switch {
		case !h.Fin:
			return ErrControlFragment
		case h.Length > MaxControlPayload:
			return ErrControlTooLong
		}
		return nil
	}
	size, compressed := r.size, r.compressed
	switch {
	case h.Opcode == Continuation && !r.open:
		return ErrNoMessage
	case h.Opcode != Continuation && r.open:
		return ErrMessagePending
	case h.Opcode != Continuation:
		size, compressed = 0, h.RSV != 0
	}
	if r.Limit > 0 && !compressed && h.Length > r.Limit-size {
		return ErrMessageTooBig
	}
	return nil
}

// begin enters a data frame and reports whether it opens a message.
func (r *Receiver) begin(h *Header) (first bool) {
	r.remaining, r.key, r.pos = h.Length, h.Key, 0
	r.masked, r.fin = h.Masked, h.Fin
	if h.Opcode != Continuation {
		first = true
		r.open, r.opcode, r.compressed = true, h.Opcode, h.RSV != 0
		r.size = 0
		r.text.Reset()
	}
	if !r.compressed {
		r.size += h.Length
	}
	return first
}
