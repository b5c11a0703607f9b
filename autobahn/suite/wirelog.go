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
	lines    []LogLine // the same entries for people
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

// note adds an entry unless the log is full.
func (l *wireLog) note(line LogLine, entry ...any) {
	if len(l.entries) < maxWireLog {
		l.entries = append(l.entries, entry)
		l.lines = append(l.lines, line)
	}
}

// wait adds an entry about a wait; those are logged always.
func (l *wireLog) wait(kind string, rest ...any) {
	l.note(LogLine{What: waited(kind, rest)}, append([]any{kind}, rest...)...)
}

// over adds an entry about a wait that was in vain, with what people are told of it.
func (l *wireLog) over(kind, what string) { l.note(LogLine{What: what}, kind) }

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
		shown := hexExcerpt(string(octets[:min(len(octets), 2*excerptLength)]))
		l.note(LogLine{Direction: Received, What: "octets", Length: len(octets), Payload: shown}, "RO", []any{len(octets), shown})
	}
}

func (l *wireLog) sent(octets []byte, apart bool) {
	l.txOctets[len(octets)]++
	if !l.off {
		shown := hexExcerpt(string(octets[:min(len(octets), 2*excerptLength)]))
		l.note(LogLine{Direction: Sent, What: "octets", Length: len(octets), Payload: shown}, "TO", []any{len(octets), shown}, apart)
	}
}

func (l *wireLog) receivedFrame(h *frame.Header, payload []byte) {
	l.rxFrames[h.Opcode]++
	if !l.off {
		l.note(frameLine(Received, h, len(payload), string(payload)), "RF", []any{len(payload), excerpt(string(payload))}, h.Opcode, h.Fin, h.RSV>>4, h.Masked, maskOf(h))
	}
}

func (l *wireLog) sentFrame(h *frame.Header, f *Frame) {
	l.txFrames[h.Opcode]++
	if !l.off {
		l.note(frameLine(Sent, h, f.length(), f.Payload), "TF", []any{len(f.Payload), excerpt(f.Payload)}, h.Opcode, h.Fin, h.RSV>>4, maskOf(h),
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
