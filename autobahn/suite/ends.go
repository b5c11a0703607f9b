package suite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/frame"
)

// patience is how long the suite, as a server, leaves a connection open after the closing handshake where a case looks at what
// the client does then.
const patience = 250 * time.Millisecond

// endWait is how long a peer may keep a connection whose other direction has ended. No RFC has a time for it; a peer may look for
// the end of a stream less often than for its octets.
const endWait = 3 * time.Second

// ends is group 27: streams that end before their time, and in which order everything ends (RFC 6455 §7.1.1, §7.1.5, RFC 8446
// §6.1). Over ws a stream can end in one way only, so that 27.1 and 27.2 are the same there.
func ends() []Case {
	return append(append(torn("27.1", "without close_notify", true), torn("27.2", "with close_notify", false)...), orders()...)
}

// torn are cases in which our direction of the stream ends, and nothing of what is incomplete then may be taken for whole.
func torn(prefix, how string, truncated bool) []Case {
	var cases []Case
	for _, s := range []struct {
		where string
		whole []Frame // sent before
		comes []Event // awaited before
		part  *Frame  // sent in part
		keep  int     // so many octets of it, or, if negative, all but so many
	}{
		{"behind a message that has come back", []Frame{text(greeting)}, []Event{message(greeting)}, nil, 0},
		{"within a header", nil, nil, new(text(greeting)), 1},
		{"within the payload of a message", nil, nil, new(text(greeting)), -3},
		{"between the fragments of a message", []Frame{first(one)}, nil, nil, 0},
		{"within the payload of a ping", nil, nil, new(ping(greeting)), -3},
		{"within the payload of a close frame", nil, nil, new(closeNormally()), -1},
	} {
		cases = append(cases, Case{
			Description: fmt.Sprintf("The stream ends %s, %s.", how, s.where),
			Expectation: "The peer ends the connection, too, and takes nothing for whole that is not.",
			Outcomes:    ok(s.comes...), Frames: s.whole, Amend: endsToo, limit: endWait,
			Drive: func(ctx context.Context, p *Peer) {
				p.after("kill", endWait, func() {
					p.result.kept = true
					p.drop("the peer kept a connection whose other direction had ended")
				})
				for p.state != stateClosed && !p.test.Outcomes[0].arrived(p.result, p.test) {
					p.turn(ctx)
				}
				if s.part != nil {
					octets := p.octets(s.part)
					p.queue(octets[:(len(octets)+s.keep)%len(octets)], &Frame{Apart: true})
				}
				p.EndStream(truncated)
			},
		})
	}
	closed := closes("", fmt.Sprintf("The stream ends %s, behind our close frame.", how), closeNormally())
	closed.Expectation = "The close frame is answered, and the connection ends."
	closed.Drive = func(_ context.Context, p *Peer) { p.EndStream(truncated) }
	cases = append(cases, closed)
	for i := range cases {
		cases[i].ID = fmt.Sprintf("%s.%d", prefix, i+1)
		cases[i].endsStream, cases[i].endsTLS = true, truncated
	}
	return cases
}

// orders are cases about what is last.
func orders() []Case {
	clean := closes("27.3.1", "A close frame.", closeNormally())
	clean.Expectation = "A clean close with 1000, and then the end of the stream: with close_notify over TLS, without a reset."
	clean.Amend, clean.Judges = endsCleanly, ServerRole
	failed := failsWith("27.3.2", "A frame with a reserved opcode.", frame.ProtocolError, Frame{Opcode: 3})
	failed.Expectation = "The connection is failed with 1002, and ends with close_notify over TLS, without a reset."
	failed.Amend, failed.Judges = endsCleanly, ServerRole

	behind := closes("27.3.3", "Three messages and a close frame, all at once.", text(one), text(one), text(one), closeNormally())
	behind.Expectation = "The peer's close frame is the last that it sends, whether it answers the messages or not."
	for n := range 4 {
		behind.Outcomes = append(behind.Outcomes, ok(repeated(message(one), n)...)...)
	}
	behind.patience = patience
	behind.Amend = func(r *Result) {
		if r.behind {
			r.Behavior, r.Result = report.Failed, "A frame came behind the peer's close frame."
		}
	}
	first := closes("27.3.4", "A close frame of the server, which then waits before it ends the TCP connection.", closeNormally())
	first.Expectation = "The client answers the close frame, and leaves it to the server to end the TCP connection first."
	first.Judges, first.patience = ClientRole, patience
	first.Amend = func(r *Result) {
		if r.first {
			r.BehaviorClose, r.ResultClose = report.NonStrict, "The client ended the TCP connection before the server did."
		}
	}
	return []Case{clean, failed, behind, first}
}

func repeated(e Event, n int) []Event {
	var all []Event
	for range n {
		all = append(all, e)
	}
	return all
}

// endsToo judges what a peer does whose other side has ended the stream: how it says so is left to it.
func endsToo(r *Result) {
	r.BehaviorClose, r.ResultClose = report.OK, "The peer ended the connection, too."
	if r.kept {
		r.BehaviorClose, r.ResultClose = report.Failed, "The peer kept a connection whose other direction had ended."
	}
}

// endsCleanly judges the end of the peer's stream: close_notify is a MUST of TLS, that there is no reset a SHOULD of RFC 6455.
func endsCleanly(r *Result) {
	switch {
	case r.BehaviorClose != report.OK || r.streamEnd == io.EOF:
	case errors.Is(r.streamEnd, errTruncated):
		r.BehaviorClose, r.ResultClose = report.Failed, "The TCP connection ended without close_notify."
	default:
		r.BehaviorClose, r.ResultClose = report.NonStrict, fmt.Sprintf("The stream did not end, it broke: %v.", r.streamEnd)
	}
}
