package suite

import (
	"encoding/binary"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/mask"
)

// state of a connection, as RFC 6455 §7.1 has it.
type state int

const (
	stateOpen    state = iota
	stateClosing       // a close frame was sent
	stateClosed        // the connection has ended, or was ended by us
)

// Peer is the suite's end of the connection of one case: a client or a server that can do what neither may. Its methods are
// for the goroutine that runs the case. Frames are received only within Wait, and after the case's Drive has returned.
type Peer struct {
	link      *link
	log       *wireLog
	agreement *handshake.Agreement
	// compression is what was agreed on. nil: none.
	compression *compression
	// result is filled in as things happen.
	result *Result
	// test is the case that is run.
	test *Case
	// pace makes all waits longer.
	pace pace
	// server is the suite's role: it masks nothing, wants all masked, and is the one to end the TCP connection.
	server bool

	state  state
	in     inbound
	writes [][]byte // to be sent when the case waits
	joins  bool     // the next frame may join the last of them
	timers map[string]timer
	pings  []string // the payloads of those that were sent
	// unsent is how many octets of the payload of a frame that is sent in pieces have not been queued, and heldPongs are the
	// pongs that wait for the last of them.
	unsent    int
	heldPongs []Frame
	// onMessage takes messages in place of the list of events. nil: they are events.
	onMessage func(payload []byte, binary bool)
	// asked is when our close frame went out, with nothing else that was to be answered. Zero: it has not.
	asked time.Time
	// heard is when octets came last in an exchange, or were left to be sent.
	heard time.Time
	// closed says that the peer's close frame has come.
	closed bool
	// wake ends a turn when it is closed. nil: never.
	wake <-chan struct{}
	// lingers says that what is queued shall reach the peer before the connection ends.
	lingers bool
}

// newPeer takes over a connection whose opening handshake is done.
func newPeer(c *Case, at *opened, r *Result, w pace) *Peer {
	p := &Peer{
		link: newLink(at.conn, at.early), log: r.log, agreement: at.agreement, compression: at.compression, result: r, test: c,
		pace: w, server: at.server, in: inbound{wantsMask: at.server}, timers: map[string]timer{},
	}
	if p.compression != nil {
		p.in.inflater = p.compression.inflater(p.server)
	}
	return p
}

// Open reports whether no close frame was sent and the connection has not ended.
func (p *Peer) Open() bool { return p.state == stateOpen }

// Note adds an event of the case's own to those received: that a wait has passed.
func (p *Peer) Note(name string) { p.add(timeout(name)) }

// Send queues frames, those of a client masked with fresh keys (RFC 6455 §5.3), to be sent when the case waits. It checks nothing, and sends
// them also after a close frame.
func (p *Peer) Send(frames ...Frame) {
	for i := range frames {
		f := &frames[i]
		if p.state == stateClosed || f.Closes && p.state != stateOpen {
			continue
		}
		if f.Opcode == frame.Ping {
			p.pings = append(p.pings, f.octets())
		}
		p.queue(p.octets(f), f)
		if f.Closes {
			p.beginClosing(f.Payload, true)
		}
	}
}

// octets returns a frame as it is sent.
func (p *Peer) octets(f *Frame) []byte {
	payload := f.octets()
	h := frame.Header{Fin: !f.More, RSV: f.RSV << 4, Opcode: f.Opcode, Length: int64(len(payload))}
	p.mask(&h)
	switch {
	case f.WrongMask && h.Masked:
		h.Masked, h.Key = false, [4]byte{}
	case f.WrongMask:
		h.Masked, h.Key = true, mask.NewKey()
	case h.Masked && f.Key != [4]byte{}:
		h.Key = f.Key
	}
	p.log.sentFrame(&h, f)
	octets := f.appendHeader(make([]byte, 0, frame.MaxHeaderSize+len(payload)), &h)
	from := len(octets)
	octets = append(octets, payload...)
	mask.XOR(octets[from:], h.Key, 0)
	return octets
}

// appendHeader appends a header, its length in the form that the frame has it in.
func (f *Frame) appendHeader(dst []byte, h *frame.Header) []byte {
	shortest := h.Append(nil)
	head := []byte{shortest[0], shortest[1] & 0x80}
	switch f.LengthBits {
	case 16:
		head[1] |= 126
		head = binary.BigEndian.AppendUint16(head, uint16(h.Length))
	case 64:
		head[1] |= 127
		head = binary.BigEndian.AppendUint64(head, uint64(h.Length)|f.TopBits)
	default:
		return append(dst, shortest...)
	}
	if h.Masked {
		head = append(head, h.Key[:]...)
	}
	return append(dst, head...)
}

// mask gives a header the masking key that its frame needs. A server's keeps that of zeros, which changes nothing.
func (p *Peer) mask(h *frame.Header) {
	if !p.server {
		h.Masked, h.Key = true, mask.NewKey()
	}
}

// SendHeader queues the header of a text frame whose payload follows in pieces, by SendPayload, and returns the masking key.
// Such a frame is logged as octets only.
func (p *Peer) SendHeader(length int) (key [4]byte) {
	h := frame.Header{Fin: true, Opcode: frame.Text, Length: int64(length)}
	p.mask(&h)
	p.queue(h.Append(nil), &Frame{})
	p.unsent = length
	return h.Key
}

// SendPayload queues a piece of a frame's payload that begins at pos, and behind the last piece the pongs that have waited for it.
func (p *Peer) SendPayload(key [4]byte, pos int, piece string) {
	octets := []byte(piece)
	mask.XOR(octets, key, pos)
	p.queue(octets, &Frame{})
	if p.unsent -= len(piece); p.unsent <= 0 {
		p.Send(p.heldPongs...)
		p.heldPongs = nil
	}
}

// answerPing queues the pong for a ping, behind the frame that is being sent in pieces if there is one: within it the pong would be
// payload.
func (p *Peer) answerPing(payload string) {
	pong := Frame{Opcode: frame.Pong, Payload: payload}
	switch {
	case p.state != stateOpen:
	case p.unsent <= 0:
		p.Send(pong)
	case len(p.heldPongs) < maxEvents:
		p.heldPongs = append(p.heldPongs, pong)
	}
}

// queue cuts octets into writes. Frames that are neither cut nor apart go together.
func (p *Peer) queue(octets []byte, f *Frame) {
	chop := len(octets)
	if f.Chop > 0 {
		chop = f.Chop
	}
	together := f.Chop == 0 && !f.Apart
	if n := len(p.writes); together && p.joins && n > 0 {
		p.log.sent(octets, false)
		p.writes[n-1] = append(p.writes[n-1], octets...)
		return
	}
	for len(octets) > 0 {
		n := min(chop, len(octets))
		p.log.sent(octets[:n], !together)
		p.writes = append(p.writes, octets[:n])
		octets = octets[n:]
	}
	p.joins = together
}

func (p *Peer) flush() {
	if len(p.writes) > 0 {
		p.link.send(p.writes)
		p.writes, p.joins = nil, false
	}
}

// EndStream sends what is queued and ends our direction of the stream: with close_notify, if it is over TLS and not to look
// truncated, and FIN. The peer can still be received from.
func (p *Peer) EndStream(truncated bool) {
	p.flush()
	p.link.endOutput(truncated)
}

// Close begins a closing handshake with a status code, unless a close frame was sent already.
func (p *Peer) Close(c frame.StatusCode) { p.Send(closeFrame(code(c))) }

// beginClosing keeps account of a close frame that was sent, as the first of ours.
func (p *Peer) beginClosing(body string, byUs bool) {
	r := p.result
	p.state = stateClosing
	r.ClosedByMe = byUs
	if len(body) >= 2 {
		c := int(binary.BigEndian.Uint16([]byte(body)))
		r.LocalCloseCode = &c
	}
	if len(body) > 2 {
		reason := printable(body[2:])
		r.LocalCloseReason = &reason
	}
	if !byUs {
		return
	}
	p.afterClosing("reply", replyTimeout, func() {
		r.WasCloseHandshakeTimeout = true
		p.timeOut(p.pace.of(replyTimeout, p.test.atEnd()), "ended the TCP connection, as there was no answer to its close frame")
		p.drop("the peer did not answer the close frame in time")
	})
}

// fail fails the connection (RFC 6455 §7.1.7): with a close frame, or by ending it if one was sent before.
func (p *Peer) fail(c frame.StatusCode, why string) {
	if p.state == stateClosed {
		return
	}
	p.result.FailedByMe = true
	if p.state == stateOpen {
		p.Send(closeFrame(code(c) + why))
		return
	}
	p.hangUp()
}

// hangUp ends the connection when there is no more to wait for. What a server has queued goes out first, so that the other
// side learns why.
func (p *Peer) hangUp() {
	p.result.DroppedByMe = true
	p.lingers = p.server
	p.end()
}

// drop ends the connection because a wait was in vain.
func (p *Peer) drop(why string) {
	if p.state == stateClosed {
		return
	}
	p.result.WasClean = false
	p.result.WasNotCleanReason = &why
	p.result.DroppedByMe = true
	p.end()
}

// end makes Wait return for good.
func (p *Peer) end() {
	p.state = stateClosed
	clear(p.timers)
}
