package suite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/frame"
)

// Verdicts are what a case is worth: on what was received, and on how the connection ended, with a sentence about each.
type Verdicts struct {
	Behavior      report.Behavior `json:"behavior"`
	BehaviorClose report.Behavior `json:"behaviorClose"`
	Result        string          `json:"result"`
	ResultClose   string          `json:"resultClose"`
}

func (r *Result) verdicts() Verdicts {
	return Verdicts{r.Behavior, r.BehaviorClose, r.Result, r.ResultClose}
}

func (r *Result) setVerdicts(v Verdicts) {
	r.Behavior, r.BehaviorClose, r.Result, r.ResultClose = v.Behavior, v.BehaviorClose, v.Result, v.ResultClose
}

func (o *Outcome) matches(received []Event) bool { return slices.Equal(o.Events, received) }

// judge gives the verdicts when the connection has ended: the original's, and those by the RFC alone where they are others;
// of a case that the original has not, those by the RFC only.
func (r *Result) judge(c *Case) {
	before := r.verdicts() // what the case itself has found
	r.judgeBy(c, true)
	if c.byRFC {
		return
	}
	rfc := r.verdicts()
	r.setVerdicts(before)
	r.judgeBy(c, false)
	if rfc.Behavior != r.Behavior || rfc.BehaviorClose != r.BehaviorClose {
		r.ByRFC = &rfc
	}
}

// countByRFC puts the verdicts by the RFC alone in the place of the others.
func (r *Result) countByRFC() {
	if r.ByRFC != nil {
		r.setVerdicts(*r.ByRFC)
		r.ByRFC = nil
	}
}

func (r *Result) judgeBy(c *Case, rfc bool) {
	for i := range c.Outcomes {
		o := &c.Outcomes[i]
		verdict, ok := o.Verdict, o.matches(r.Received)
		if rfc {
			verdict, ok = o.reads(r)
		}
		if ok && !r.declined {
			r.Behavior, r.Result = verdict, acceptable
			switch {
			case verdict == report.NonStrict && o.Verdict == report.OK:
				r.Result = "A pong came later than it could have (RFC 6455 §5.5.2)."
			case verdict == report.NonStrict:
				r.Result = fmt.Sprintf("What came is acceptable, and not strict. %s", r.cameInstead())
			}
			break
		}
	}
	want := &r.closing
	r.BehaviorClose, r.ResultClose = r.judgeClosing(want, rfc)
	if want.WrongEndIsFatal && want.ByUs != r.ClosedByMe {
		if r.Behavior != report.Failed {
			r.Behavior, r.Result = report.Failed, "The peer did not fail the connection."
		}
	}
	if c.Amend != nil {
		c.Amend(r)
	}
	r.tellWrong()
}

// judgeClosing judges how the connection ended. The order is the original's: of several faults, the first counts. By the RFC
// alone a TCP connection that was left open has one verdict, whatever came before, and the code that a peer repeats is right.
func (r *Result) judgeClosing(want *Closing, rfc bool) (report.Behavior, string) {
	leftOpen := r.leftOpen()
	repeats := r.RemoteCloseCode != nil && r.LocalCloseCode != nil && *r.RemoteCloseCode == *r.LocalCloseCode && r.ClosedByMe
	switch {
	case want.ByUs != r.ClosedByMe:
		return report.Failed, "The other end should have failed the connection."
	case want.Clean && !r.WasClean && leftOpen && !rfc:
		return report.Unclean, "The server left the TCP connection open after both close frames."
	case want.Clean && !r.WasClean && !leftOpen:
		return report.Unclean, "The connection should have ended with a close frame from both sides."
	case r.RemoteCloseCode != nil && !slices.Contains(want.Codes, frame.StatusCode(*r.RemoteCloseCode)) && !(rfc && repeats && r.timedOut != ""):
		return report.WrongCode, fmt.Sprintf("The close frame should have had no status code, or %s.", list(want.Codes))
	case r.DroppedByMe && !r.Server:
		return report.FailedByClient, "The server should have ended the TCP connection."
	}
	return report.OK, "The connection was closed as it should be."
}

// leftOpen reports whether the server did not end the TCP connection, when both close frames had been there.
func (r *Result) leftOpen() bool { return r.bothClosed && r.DroppedByMe && !r.Server }

func list(codes []frame.StatusCode) string {
	var all []string
	for _, c := range codes {
		all = append(all, fmt.Sprint(uint16(c)))
	}
	return strings.Join(all, " or ")
}

// wrongCodeFails has a wrong status code count as a failure of the case itself: it is what such a case is about.
func wrongCodeFails(r *Result) {
	if r.BehaviorClose == report.WrongCode {
		r.Behavior, r.Result = report.Failed, r.ResultClose
	}
}

// takesNote is for what the RFC leaves open: nothing that a peer does there is judged.
func takesNote(r *Result) {
	switch r.Behavior {
	case report.OK:
		r.Result = "The messages were answered before the close frame."
	case report.NonStrict:
		r.Result = "The close frame was answered before the messages."
	}
	r.Behavior, r.BehaviorClose = report.Informational, report.Informational
}
