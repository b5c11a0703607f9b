package suite

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/mask"
)

// inbound is where the peer's stream stands. It goes on after a broken rule, since what the peer does then, how it answers
// our close frame above all, decides about the verdict.
type inbound struct {
	buf       []byte // received, and not yet understood
	head      frame.Header
	octets    []byte // of the header
	inFrame   bool
	pos       int64  // payload bytes of the frame that have come
	control   []byte // payload of a control frame
	message   []byte // payload of the message so far
	from      int    // where the frame's payload begins in it
	inMessage bool
	binary    bool
	text      frame.UTF8
	spoiled   bool // the text is not UTF-8
	deflated  bool // the message is compressed
	lengthy   bool // the header says the length in a longer form than it must
	wantsMask bool // the peer is a client
	held      int  // octets in the events so far
	carried   int  // octets that the last message was received as

	inflater *inflater // nil: compression was not agreed on
}

// The limits on what a peer can make the suite keep: more than any case sends, compressed or not.
const (
	maxMessage = 32 << 20 // octets of one, which may have a continuation
	maxHeld    = 64 << 20 // octets in events
	maxEvents  = 1 << 16
)

// receive handles octets as they have come. They are changed, and not kept.
func (p *Peer) receive(b []byte) {
	in := &p.in
	rest := b
	if len(in.buf) > 0 {
		in.buf = append(in.buf, b...)
		rest = in.buf
	}
	for p.state != stateClosed {
		n, more := p.step(rest)
		rest = rest[n:]
		if !more {
			break
		}
	}
	in.buf = append(in.buf[:0], rest...)
}

// step handles a header or what has come of a payload, and returns the bytes used. It says whether to go on.
func (p *Peer) step(b []byte) (n int, more bool) {
	in := &p.in
	if !in.inFrame {
		n = p.parse(b)
		if n == 0 {
			return 0, false
		}
		in.octets = append(in.octets[:0], b[:n]...)
		p.begin()
		if in.head.Length == 0 && p.state != stateClosed {
			p.endFrame()
		}
		return n, true
	}
	n = int(min(int64(len(b)), in.head.Length-in.pos))
	if n == 0 {
		return 0, false
	}
	piece := b[:n]
	if in.head.Masked {
		mask.XOR(piece, in.head.Key, int(in.pos%4))
	}
	in.pos += int64(n)
	p.payload(piece)
	if in.pos == in.head.Length {
		p.endFrame()
	}
	return n, true
}

// parse reads a header, also one that says its length in a form that it must not (RFC 6455 §5.2).
func (p *Peer) parse(b []byte) int {
	h := &p.in.head
	n, err := h.Parse(b)
	p.in.lengthy = err != nil
	if err == nil {
		return n
	}
	n = 4 // Parse has filled in all but the length and what is behind it
	if b[1]&0x7f == 127 {
		n = 10
		h.Length = int64(binary.BigEndian.Uint64(b[2:]) & frame.MaxLength)
	} else {
		h.Length = int64(binary.BigEndian.Uint16(b[2:]))
	}
	if h.Masked {
		if len(b) < n+4 {
			return 0
		}
		h.Key = [4]byte(b[n:])
		n += 4
	}
	return n
}

// begin judges a header (RFC 6455 §5.2, §5.4, §5.5). As in the original, the first broken rule fails the connection, and a
// second one of the same frame ends it, since our close frame was sent then.
func (p *Peer) begin() {
	in := &p.in
	p.result.behind = p.result.behind || p.closed
	for _, why := range in.broken() {
		p.breaks(frame.ProtocolError, why)
	}
	in.inFrame, in.pos = true, 0
	if in.head.Length > maxMessage-int64(len(in.message)) {
		p.drop("a frame or message is longer than any that was sent")
		return
	}
	if in.head.Opcode.IsControl() {
		in.control = in.control[:0]
		return
	}
	if !in.inMessage {
		in.inMessage, in.binary = true, in.head.Opcode == frame.Binary
		in.message = in.message[:0]
		in.deflated = in.inflater != nil && in.head.RSV == frame.RSV1
		in.text.Reset()
		in.spoiled = false
	}
	in.from = len(in.message)
}

// broken returns the rules that a header breaks.
func (in *inbound) broken() []string {
	h := &in.head
	control := h.Opcode.IsControl()
	data := !control && !h.Opcode.IsReserved()
	marked := in.inflater != nil && h.RSV == frame.RSV1
	var all []string
	for _, rule := range []struct {
		broken bool
		why    string
	}{
		{h.RSV != 0 && !marked, "reserved bits without an extension"},
		{h.Masked && !in.wantsMask, "masked frame of a server"},
		{!h.Masked && in.wantsMask, "frame of a client without a mask"},
		{control && !h.Fin, "control frame in fragments"},
		{control && (in.lengthy || h.Length > frame.MaxControlPayload), "control frame with more than 125 bytes"},
		{h.Opcode.IsReserved(), "reserved opcode"},
		{h.Opcode == frame.Close && h.Length == 1, "close frame with one byte"},
		{control && marked, "compressed control frame"},
		{h.Opcode == frame.Continuation && !in.inMessage, "continuation of nothing"},
		{data && h.Opcode != frame.Continuation && in.inMessage, "new message within a message"},
		{data && marked && in.inMessage, "fragment marked as compressed, and not the first"},
		{in.lengthy, "length not in its shortest form, or too long"},
	} {
		if rule.broken {
			all = append(all, rule.why)
		}
	}
	return all
}

// payload takes a piece of a frame's payload. Text is validated as it comes.
func (p *Peer) payload(piece []byte) {
	in := &p.in
	if in.head.Opcode.IsControl() {
		in.control = append(in.control, piece...)
		return
	}
	if !in.binary && !in.deflated {
		if !in.spoiled {
			_, ok := in.text.Write(piece)
			in.spoiled = !ok
		}
		if in.spoiled {
			p.breaks(frame.InvalidPayload, "text is not UTF-8")
		}
	}
	in.message = append(in.message, piece...)
}

func (p *Peer) endFrame() {
	in := &p.in
	in.inFrame = false
	if in.head.Opcode.IsControl() {
		p.log.receivedFrame(&in.head, in.control)
		p.control()
		return
	}
	p.log.receivedFrame(&in.head, in.message[in.from:])
	if !in.head.Fin {
		return
	}
	in.inMessage = false
	message := in.message
	in.carried = len(message)
	if in.deflated {
		var ok bool
		if message, ok = p.inflate(message); !ok {
			return
		}
	}
	switch {
	case in.binary:
	case in.spoiled:
		p.breaks(frame.InvalidPayload, "text is not UTF-8")
	case !in.text.Complete():
		p.breaks(frame.InvalidPayload, "text ends within a character")
	}
	switch {
	case p.result.FailedByMe:
	case p.onMessage != nil:
		p.onMessage(message, in.binary)
	default:
		p.event(Event{Kind: kindMessage, Payload: string(message), Binary: in.binary})
	}
}

// inflate returns the message that octets are. Where that cannot be done the connection is dropped, as the original does; the
// verdicts are then those of a case that has not come to its end.
func (p *Peer) inflate(octets []byte) (message []byte, ok bool) {
	in := &p.in
	message, err := in.inflater.inflate(octets)
	if err != nil {
		p.result.Result = "A message could not be inflated: " + err.Error() + "."
		p.drop(err.Error())
		return nil, false
	}
	if !in.binary {
		_, ok := in.text.Write(message)
		in.spoiled = !ok
	}
	return message, true
}

// control handles a whole control frame. Pings are answered, and are no events; reserved opcodes were judged already.
func (p *Peer) control() {
	payload := string(p.in.control)
	switch p.in.head.Opcode {
	case frame.Ping:
		p.answerPing(payload)
	case frame.Pong:
		p.event(pong(payload))
	case frame.Close:
		p.closeReceived(payload)
	}
}

// event adds an event, and begins the closing handshake when all that is wanted has come.
func (p *Peer) event(e Event) {
	p.add(e)
	if p.in.held += len(e.Payload); p.in.held > maxHeld || len(p.result.Received) > maxEvents {
		p.drop("more has come than any case sends")
		return
	}
	if p.test.ClosesItself || !p.test.Closing.ByUs {
		return
	}
	for i := range p.test.Outcomes {
		if !p.test.Outcomes[i].arrived(p.result, p.test) {
			return
		}
	}
	p.Close(p.test.Closing.Codes[0])
	p.asked = time.Now()
}

// closeReceived handles the peer's close frame (RFC 6455 §5.5.1).
func (p *Peer) closeReceived(body string) {
	r := p.result
	p.closed = true
	r.RemoteCloseCode, r.RemoteCloseReason = nil, nil
	if len(body) >= 2 {
		c := binary.BigEndian.Uint16([]byte(body))
		n := int(c)
		r.RemoteCloseCode = &n
		// Codes registered after the RFC count as unknown here, as they do in the original.
		registered := c > 1011 && c < 3000 // after the original was written
		if !frame.StatusCode(c).Sendable() || registered && !slices.Contains(p.test.Closing.Codes, frame.StatusCode(c)) {
			p.breaks(frame.ProtocolError, "invalid status code")
		}
	}
	if len(body) > 2 {
		if !utf8.ValidString(body[2:]) {
			p.breaks(frame.InvalidPayload, "reason is not UTF-8")
		}
		reason := printable(body[2:])
		r.RemoteCloseReason = &reason
	}
	switch p.state {
	case stateOpen:
		r.WasClean, r.bothClosed = true, true
		p.beginClosing(code(frame.NormalClosure), false)
		p.Send(Frame{Opcode: frame.Close, Payload: code(frame.NormalClosure)})
		if _, ok := p.timers["kill"]; !ok || p.server {
			p.dropLater() // the original's client would wait forever
		}
	case stateClosing:
		delete(p.timers, "reply")
		if !p.asked.IsZero() {
			r.latency = time.Since(p.asked)
		}
		r.WasClean, r.bothClosed = true, true
		p.dropLater()
	case stateClosed:
		r.WasClean = false
	}
}

// dropLater ends the connection if the server does not, whose part it is (RFC 6455 §7.1.1), and at once if that is us and
// the case has no patience.
func (p *Peer) dropLater() {
	if p.server && p.test.patience > 0 {
		// However slow the peer may be: it has a patience of its own.
		p.timers["drop"] = timer{time.Now().Add(p.test.patience), p.hangUp}
		return
	}
	if p.server {
		p.hangUp()
		return
	}
	p.afterClosing("drop", dropTimeout, func() {
		p.result.WasServerConnectionDropTimeout = true
		p.drop("the server did not end the connection in time")
	})
}

// printable is a close reason as a report can hold it.
func printable(reason string) string {
	if utf8.ValidString(reason) {
		return reason
	}
	return hex.EncodeToString([]byte(reason))
}
