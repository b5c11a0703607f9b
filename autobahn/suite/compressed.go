package suite

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/mask"
)

// volumes are the cases of each subgroup of groups 12 and 13: how long the thousand messages are, into fragments of how many
// octets the compressed ones are cut (0: not at all), and how long they may take.
var volumes = []struct {
	length, fragment int
	wait             time.Duration
}{
	{16, 0, time.Minute},
	{64, 0, time.Minute},
	{256, 0, 2 * time.Minute},
	{kib, 0, 4 * time.Minute},
	{4 * kib, 0, 8 * time.Minute},
	{8 * kib, 0, 8 * time.Minute},
	{16 * kib, 0, 8 * time.Minute},
	{32 * kib, 0, 8 * time.Minute},
	{64 * kib, 0, 8 * time.Minute},
	{128 * kib, 0, 8 * time.Minute},
	{8 * kib, 256, 8 * time.Minute},
	{16 * kib, 256, 8 * time.Minute},
	{32 * kib, 256, 8 * time.Minute},
	{64 * kib, 256, 8 * time.Minute},
	{128 * kib, 256, 8 * time.Minute},
	{128 * kib, kib, 8 * time.Minute},
	{128 * kib, 4 * kib, 8 * time.Minute},
	{128 * kib, 32 * kib, 8 * time.Minute},
}

// compressed is group 12: messages of all kinds of data, with permessage-deflate as it is by default (RFC 7692).
func compressed() []Case {
	var cases []Case
	for i, s := range samples {
		cases = append(cases, compressedCases(fmt.Sprintf("12.%d", i+1), s, offer{})...)
	}
	return cases
}

// parameters is group 13: messages of one kind, with all that permessage-deflate can be asked for. The last subgroup leaves
// the server the choice of three offers.
func parameters() []Case {
	var cases []Case
	for i, offers := range [][]offer{
		{{}},
		{{alone: true}},
		{{bits: 9}},
		{{bits: maxWindowBits}},
		{{alone: true, bits: 9}},
		{{alone: true, bits: maxWindowBits}},
		{{alone: true, bits: 9}, {alone: true}, {}},
	} {
		cases = append(cases, compressedCases(fmt.Sprintf("13.%d", i+1), samples[0], offers...)...)
	}
	return cases
}

// compressedCases are a subgroup.
func compressedCases(id string, s *sample, offers ...offer) []Case {
	var cases []Case
	for i, v := range volumes {
		cut := ""
		if v.fragment > 0 {
			cut = fmt.Sprintf(", compressed ones cut into fragments of %d", v.fragment)
		}
		cases = append(cases, Case{
			ID: fmt.Sprintf("%s.%d", id, i+1),
			Description: fmt.Sprintf("A thousand messages of %d octets%s, one after the other: %s. %s.",
				v.length, cut, s.about, inWords(offers)),
			Expectation: fmt.Sprintf("All come back within %v, and the connection is closed cleanly with 1000.", v.wait),
			Closing:     normalClosing(), ReportTime: true, offers: offers, lasts: v.wait, rounds: messages, volume: int64(messages * v.length),
			Drive: func(_ context.Context, p *Peer) { p.exchangeCompressed(s, v.length, v.fragment) },
		})
	}
	return cases
}

// inWords says what is offered.
func inWords(offers []offer) string {
	var all []string
	for _, o := range offers {
		asked := []string{}
		if o.alone {
			asked = append(asked, "no context takeover")
		}
		if o.bits > 0 {
			asked = append(asked, fmt.Sprintf("a window of %d bits", o.bits))
		}
		if len(asked) == 0 {
			asked = append(asked, "nothing in particular")
		}
		all = append(all, strings.Join(asked, " and "))
	}
	return "The server is asked for " + strings.Join(all, ", or for ")
}

// exchangeCompressed sends messages, each when the one before it has come back. As in the original, a server need not
// compress what it sends.
func (p *Peer) exchangeCompressed(s *sample, length, fragment int) {
	if p.declined() {
		return
	}
	opcode := frame.Text
	if s.binary {
		opcode = frame.Binary
	}
	bits, alone := p.compression.sends(p.server)
	row := seriesOf(seriesKey{s, length, bits, alone})
	sent := 0
	total := &traffic{}
	send := func() {
		octets := row.message(sent)
		p.sendCompressed(opcode, octets, fragment)
		sent++
		total.out.messages, total.out.app = sent, int64(sent)*int64(length)
		total.out.payload += int64(len(octets))
	}
	p.exchange(func(payload []byte, binary bool) (again bool, why string) {
		total.in.messages++
		total.in.app += int64(len(payload))
		total.in.payload += int64(p.in.carried)
		why = differs(opcode, length, payload, binary)
		if why == "" && !bytes.Equal(payload, s.message(sent-1, length)) {
			why = fmt.Sprintf("What came back as message %d is not what was sent.", sent)
		}
		if why != "" || sent == messages {
			total.settle(p.result)
			p.result.traffic = total
			return false, why
		}
		send()
		return true, ""
	})
	send()
}

// declined ends a case for which compression was not agreed on. The connection is then to end as any other does, whatever the case
// would have had it fail for.
func (p *Peer) declined() bool {
	if p.compression != nil {
		return false
	}
	p.result.declined, p.result.closing = true, normalClosing()
	p.result.Behavior, p.result.Result = report.Unimplemented, "The peer does not agree to permessage-deflate."
	p.Close(frame.NormalClosure)
	return true
}

// sendCompressed queues a message whose compressed octets are given, with RSV1 in its first frame (RFC 7692 §6). It is cut as
// split cuts. Such messages are logged as counts only.
func (p *Peer) sendCompressed(o frame.Opcode, octets []byte, fragment int) {
	if p.state == stateClosed {
		return
	}
	if fragment == 0 || len(octets) <= fragment {
		fragment = len(octets) + 1
	}
	b := make([]byte, 0, len(octets)+(len(octets)/fragment+1)*frame.MaxHeaderSize)
	h := frame.Header{Opcode: o, RSV: frame.RSV1}
	for !h.Fin {
		n := min(fragment, len(octets))
		h.Fin, h.Length = n < fragment, int64(n)
		p.mask(&h)
		p.log.txFrames[h.Opcode]++
		b = h.Append(b)
		from := len(b)
		b = append(b, octets[:n]...)
		mask.XOR(b[from:], h.Key, 0)
		octets = octets[n:]
		h.Opcode, h.RSV = frame.Continuation, 0
	}
	p.queue(b, &Frame{})
}
