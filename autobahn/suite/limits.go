package suite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/frame"
)

const (
	kib = 1 << 10
	mib = 1 << 20
	// binaryFiller is repeated to make long binary messages, and is no UTF-8.
	binaryFiller = "\x00\xfe\x23\xfa\xf0"
)

// kind is one of the two sorts of messages.
type kind struct {
	opcode frame.Opcode
	filler string // of long messages
	octet  string // of messages in fragments, and of small ones
}

func kinds() []kind {
	return []kind{{frame.Text, filler, "*"}, {frame.Binary, binaryFiller, "\xfe"}}
}

// limits is group 9: long messages, in one frame (9.1, 9.2), in fragments (9.3, 9.4), in pieces (9.5, 9.6), and a thousand
// small ones, each sent when the one before it has come back (9.7, 9.8). Even numbers are binary.
func limits() []Case {
	var cases []Case
	for k, kind := range kinds() {
		for i, length := range []int{64 * kib, 256 * kib, mib, 4 * mib, 8 * mib, 16 * mib} {
			cases = append(cases, long(fmt.Sprintf("9.%d.%d", k+1, i+1), "in one frame", kind.opcode, length, wholeWait(k, length),
				func() []Frame { return []Frame{{Opcode: kind.opcode, Payload: kind.filler, Length: length}} }))
		}
	}
	for k, kind := range kinds() {
		for i, n := range []int{64, 256, kib, 4 * kib, 16 * kib, 64 * kib, 256 * kib, mib, 4 * mib} {
			cases = append(cases, long(fmt.Sprintf("9.%d.%d", k+3, i+1), fmt.Sprintf("in fragments of %d octets", n),
				kind.opcode, 4*mib, 100*time.Second,
				func() []Frame { return split(kind.opcode, strings.Repeat(kind.octet, 4*mib), n) }))
		}
	}
	for k, kind := range kinds() {
		for i, n := range []int{64, 128, 256, 512, kib, 2 * kib} {
			cases = append(cases, long(fmt.Sprintf("9.%d.%d", k+5, i+1), fmt.Sprintf("written in pieces of %d octets", n),
				kind.opcode, mib, 1000*time.Second,
				func() []Frame { return []Frame{{Opcode: kind.opcode, Payload: kind.filler, Length: mib, Chop: n}} }))
		}
	}
	for k, kind := range kinds() {
		for i, minutes := range []time.Duration{1, 1, 1, 2, 4, 8} {
			length := []int{0, 16, 64, 256, kib, 4 * kib}[i]
			cases = append(cases, small(fmt.Sprintf("9.%d.%d", k+7, i+1), kind, length, minutes*time.Minute))
		}
	}
	return cases
}

// wholeWait is as long as the original's wait.
func wholeWait(k, length int) time.Duration {
	if length <= 256*kib || k == 1 && length <= 4*mib {
		return 10 * time.Second
	}
	return 100 * time.Second
}

// long is a case with one message that is long. The original looks at its kind and length when it comes back, and not at
// what is in it.
func long(id, how string, o frame.Opcode, length int, wait time.Duration, frames func() []Frame) Case {
	return Case{
		ID: id, Description: fmt.Sprintf("A %v message of %d octets, %s.", o, length, how),
		Expectation: fmt.Sprintf("The message comes back within %v, and the connection is closed cleanly with 1000.", wait),
		Closing:     normalClosing(), ReportTime: true, lasts: wait, rounds: 1, volume: int64(length),
		Drive: func(_ context.Context, p *Peer) {
			p.exchange(func(payload []byte, binary bool) (again bool, why string) {
				return false, differs(o, length, payload, binary)
			})
			p.Send(frames()...)
		},
	}
}

// messages is how many small messages a case has. Tests with the race detector make them fewer.
var messages = 1000

// small is a case with many messages, which measures how long a round trip takes.
func small(id string, k kind, length int, wait time.Duration) Case {
	f := Frame{Opcode: k.opcode, Payload: strings.Repeat(k.octet, length)}
	return Case{
		ID: id, Description: fmt.Sprintf("A thousand %v messages of %d octets, one after the other.", k.opcode, length),
		Expectation: fmt.Sprintf("All come back within %v, and the connection is closed cleanly with 1000.", wait),
		Closing:     normalClosing(), ReportTime: true, lasts: wait, rounds: messages, volume: int64(messages * length),
		Drive: func(_ context.Context, p *Peer) {
			sent := 1
			p.exchange(func(payload []byte, binary bool) (again bool, why string) {
				if why := differs(k.opcode, length, payload, binary); why != "" || sent == messages {
					return false, why
				}
				sent++
				p.Send(f)
				return true, ""
			})
			p.Send(f)
		},
	}
}

// differs says how a message differs from what was sent, as far as it is looked at.
func differs(o frame.Opcode, length int, payload []byte, binary bool) string {
	if binary != (o == frame.Binary) || len(payload) != length {
		return fmt.Sprintf("The message that came (binary: %v) has %d octets, not the %d of the %v one that was sent.",
			binary, len(payload), length, o)
	}
	return ""
}

// quiet is how long an exchange goes on in which nothing comes and nothing is left to be sent. The original waits for the whole
// time of the case, with the same verdicts.
const quiet = 20 * time.Second

// watch begins the closing handshake early when an exchange has come to a standstill.
func (p *Peer) watch() {
	most := p.pace.of(quiet, 1)
	p.timers["quiet"] = timer{time.Now().Add(most / 4), func() {
		if p.state != stateOpen {
			return
		}
		if p.link.busy() {
			p.heard = time.Now()
		}
		if time.Since(p.heard) < most {
			p.watch()
			return
		}
		p.log.wait("TIE")
		p.result.timedOut = fmt.Sprintf("For %v nothing came, and the suite began the closing handshake without a status code.", most.Round(time.Millisecond))
		p.result.Result = "Not everything came back. " + p.result.timedOut
		p.Send(closeFrame(""))
	}}
}

// exchange has messages looked at as they come, until the answer is that there are no more to come, or why the case has
// failed. The connection is closed then, and also if it takes too long. No wire log is kept meanwhile.
func (p *Peer) exchange(answer func(payload []byte, binary bool) (again bool, why string)) {
	wait := p.test.lasts
	p.log.enable(false)
	p.result.Result = fmt.Sprintf("Not everything came back within %v.", wait)
	p.CloseAfter(wait)
	p.heard = time.Now()
	p.watch()
	p.onMessage = func(payload []byte, binary bool) {
		again, why := answer(payload, binary)
		if again {
			return
		}
		p.result.Behavior, p.result.Result = report.OK, "Everything came back in time."
		if why != "" {
			p.result.Behavior, p.result.Result = report.Failed, why
		}
		p.log.enable(true)
		p.Close(frame.NormalClosure)
	}
}
