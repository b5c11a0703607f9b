package suite

import (
	"slices"

	"github.com/seed-c4549abd/wss/autobahn/report"
)

// The original compares what came with a list. RFC 6455 leaves more open, and by it alone:
//   - a pong that answers no ping is no answer to anything, and may come at any time (§5.5.3);
//   - an empty pong answers an empty ping, or nothing: where none is wanted it is passed over (§5.5.3);
//   - of several pings the latest alone need be answered (§5.5.3);
//   - pongs and messages need not come in the order in which they were asked for, though a pong should come as soon as it
//     can: behind the message that its ping was in is late (§5.5.2).

// add takes note of an event, and of the ping that it answers.
func (p *Peer) add(e Event) {
	r := p.result
	answers := -1
	if e.Kind == kindPong {
		if i := slices.Index(p.pings[r.answered:], e.Payload); i >= 0 {
			answers = r.answered + i
			r.answered = answers + 1
		}
	}
	r.Received, r.answers = append(r.Received, e), append(r.answers, answers)
}

// reads compares what came with an outcome, by the RFC alone, and returns what it is worth then.
func (o *Outcome) reads(r *Result) (verdict report.Behavior, ok bool) {
	wanted, came := inOrder(o.Events, nil), inOrder(r.Received, r.answers)
	if !slices.Equal(wanted.others, came.others) {
		return "", false
	}
	verdict = o.Verdict
	if o.ByRFC != "" {
		verdict = o.ByRFC
	}
	rest := wanted.pongs
	for _, pong := range came.pongs {
		i := slices.IndexFunc(rest, func(w placed) bool { return w.payload == pong.payload })
		switch {
		case i < 0 && pong.payload == "":
			continue
		case i < 0:
			return "", false
		}
		if pong.behind > rest[i].behind && verdict == report.OK {
			verdict = report.NonStrict
		}
		rest = rest[i+1:] // those before it are answered as well
	}
	return verdict, len(rest) == 0
}

// placed is a pong, with the number of messages and waits before it.
type placed struct {
	payload string
	behind  int
}

// sorted are events: pongs apart from all others.
type sorted struct {
	others []Event
	pongs  []placed
}

// inOrder sorts events. answers are the pings that they answer, below 0 for none; nil: each answers one.
func inOrder(events []Event, answers []int) sorted {
	var s sorted
	for i, e := range events {
		switch {
		case e.Kind != kindPong:
			s.others = append(s.others, e)
		case answers == nil || answers[i] >= 0:
			s.pongs = append(s.pongs, placed{e.Payload, len(s.others)})
		}
	}
	return s
}

// arrived reports whether what came is all that an outcome wants: as the case is judged, to the letter or by the RFC alone.
func (o *Outcome) arrived(r *Result, c *Case) bool {
	if !c.byRFC {
		return o.matches(r.Received)
	}
	_, ok := o.reads(r)
	return ok
}
