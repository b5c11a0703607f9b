package suite

import (
	"encoding/hex"

	"github.com/seed-c4549abd/wss/frame"
)

// maxWireLog bounds the entries of a log: a peer may send without end.
const maxWireLog = 4096

// wireLog is what happened on a connection, in the original's entries: an array each, whose first element says what it
// is. RO and TO are octets received and sent, RF and TF frames; CT and CTE a wait that begins and ends, KL and KLE the same
// for the connection's being failed, TI and TIE for its being closed; WLM tells whether what follows is logged.
type wireLog struct {
	entries  [][]any
	off      bool
	rxOctets map[int]int // reads by their size
	txOctets map[int]int
	rxFrames map[frame.Opcode]int
	txFrames map[frame.Opcode]int
}

func newWireLog() *wireLog {
	return &wireLog{
		entries: [][]any{}, rxOctets: map[int]int{}, txOctets: map[int]int{},
		rxFrames: map[frame.Opcode]int{}, txFrames: map[frame.Opcode]int{},
	}
}

// note adds an entry unless the log is switched off.
func (l *wireLog) note(entry ...any) {
	if !l.off && len(l.entries) < maxWireLog {
		l.entries = append(l.entries, entry)
	}
}

// wait adds an entry about a wait; those are logged always.
func (l *wireLog) wait(kind string, rest ...any) {
	if len(l.entries) < maxWireLog {
		l.entries = append(l.entries, append([]any{kind}, rest...))
	}
}

// enable switches the log on or off.
func (l *wireLog) enable(on bool) {
	if l.off == on {
		l.off = !on
		l.wait("WLM", on)
	}
}

func (l *wireLog) received(octets []byte) {
	l.rxOctets[len(octets)]++
	if !l.off {
		l.note("RO", []any{len(octets), hexExcerpt(string(octets[:min(len(octets), 2*excerptLength)]))})
	}
}

func (l *wireLog) sent(octets []byte, apart bool) {
	l.txOctets[len(octets)]++
	if !l.off {
		l.note("TO", []any{len(octets), hexExcerpt(string(octets[:min(len(octets), 2*excerptLength)]))}, apart)
	}
}

func (l *wireLog) receivedFrame(h *frame.Header, payload []byte) {
	l.rxFrames[h.Opcode]++
	if !l.off {
		l.note("RF", []any{len(payload), excerpt(string(payload))}, h.Opcode, h.Fin, h.RSV>>4, h.Masked, maskOf(h))
	}
}

func (l *wireLog) sentFrame(h *frame.Header, f *Frame) {
	l.txFrames[h.Opcode]++
	if !l.off {
		l.note("TF", []any{len(f.Payload), excerpt(f.Payload)}, h.Opcode, h.Fin, h.RSV>>4, maskOf(h),
			orNil(f.Length), orNil(f.Chop), f.Apart)
	}
}

// maskOf is the masking key in hexadecimal, or nil for null.
func maskOf(h *frame.Header) any {
	if !h.Masked {
		return nil
	}
	return hex.EncodeToString(h.Key[:])
}

func orNil(n int) any {
	if n == 0 {
		return nil
	}
	return n
}
