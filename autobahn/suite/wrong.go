package suite

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/frame"
)

// acceptable is what a result says of a case that has nothing else to say.
const acceptable = "What came is among what is acceptable."

// notAcceptable is what a result says before it is known better.
const notAcceptable = "What came is not among what is acceptable."

// sectionsOfRules has where a rule stands that a frame of the peer's can break.
var sectionsOfRules = map[string]string{
	"reserved bits without an extension":               "RFC 6455 §5.2",
	"masked frame of a server":                         "RFC 6455 §5.1",
	"frame of a client without a mask":                 "RFC 6455 §5.1",
	"control frame in fragments":                       "RFC 6455 §5.5",
	"control frame with more than 125 bytes":           "RFC 6455 §5.5",
	"reserved opcode":                                  "RFC 6455 §5.2",
	"close frame with one byte":                        "RFC 6455 §5.5.1",
	"compressed control frame":                         "RFC 7692 §6.1",
	"continuation of nothing":                          "RFC 6455 §5.4",
	"new message within a message":                     "RFC 6455 §5.4",
	"fragment marked as compressed, and not the first": "RFC 7692 §6.1",
	"length not in its shortest form, or too long":     "RFC 6455 §5.2",
	"text is not UTF-8":                                "RFC 6455 §5.6",
	"text ends within a character":                     "RFC 6455 §5.6",
	"invalid status code":                              "RFC 6455 §7.4",
	"reason is not UTF-8":                              "RFC 6455 §5.5.1",
}

// mostBroken bounds the rules that a result remembers.
const mostBroken = 3

// breaks fails the connection for a rule that the frame in progress breaks, and takes note of it.
func (p *Peer) breaks(c frame.StatusCode, rule string) {
	r := p.result
	note := fmt.Sprintf("%s (%s)", rule, sectionsOfRules[rule])
	if len(r.broken) < mostBroken && !strings.Contains(strings.Join(r.broken, "\n"), note) {
		r.broken = append(r.broken, fmt.Sprintf("%s, in a frame that begins %x", note, p.in.octets))
	}
	p.fail(c, rule)
}

// timeOut takes note of a wait in vain, and of what the suite does then. The first one counts.
func (p *Peer) timeOut(d time.Duration, then string) {
	if p.result.timedOut != "" {
		return
	}
	what := "the connection had not ended"
	if p.state == stateOpen {
		what = "the case had not come to its end"
	}
	p.result.timedOut = fmt.Sprintf("Within %v %s, and the suite %s.", d.Round(time.Millisecond), what, then)
}

// tellWrong has a verdict that is no pass say what the page says: which rule was broken, what came instead of what, and which
// wait was in vain.
func (r *Result) tellWrong() {
	var broken string
	if len(r.broken) > 0 {
		broken = "The peer broke a rule: " + strings.Join(r.broken, "; ") + "."
	}
	if r.Behavior == report.Failed && r.Result == notAcceptable {
		var parts []string
		if broken != "" {
			parts = append(parts, broken)
		}
		if len(r.outcomes) > 0 {
			parts = append(parts, r.cameInstead())
		}
		if r.timedOut != "" {
			parts = append(parts, r.timedOut)
		}
		if len(parts) > 0 {
			r.Result = strings.Join(parts, " ")
		}
	}
	if r.BehaviorClose == report.OK || r.BehaviorClose == report.Informational {
		return
	}
	if broken != "" {
		r.ResultClose += " " + broken
	}
	if r.timedOut != "" {
		r.ResultClose += " " + r.timedOut
	}
	if r.RemoteCloseCode != nil && r.LocalCloseCode != nil && r.BehaviorClose == report.WrongCode && r.ClosedByMe {
		r.ResultClose += fmt.Sprintf(" The suite had sent %d, and the peer answered with %d.", *r.LocalCloseCode, *r.RemoteCloseCode)
	}
}

// cameInstead says what was wanted, and what came.
func (r *Result) cameInstead() string {
	const most = 4
	var wanted []string
	for _, o := range r.outcomes {
		wanted = append(wanted, firstOf(o.Events, most))
	}
	return fmt.Sprintf("Wanted %s; came %s.", strings.Join(wanted, ", or "), r.came(most))
}

// came says what came: so many events at most, and the frame that broke a rule, which is no event.
func (r *Result) came(most int) string {
	const broken = "the frame that broke a rule"
	switch {
	case len(r.broken) == 0:
		return firstOf(r.Received, most)
	case len(r.Received) == 0:
		return broken
	}
	return firstOf(r.Received, most) + ", and " + broken
}
