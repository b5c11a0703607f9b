package suite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/frame"
)

func (o *Outcome) matches(received []Event) bool { return slices.Equal(o.Events, received) }

// judge gives the verdicts when the connection has ended.
func (r *Result) judge(c *Case) {
	for _, o := range c.Outcomes {
		if !r.declined && o.matches(r.Received) {
			r.Behavior, r.Result = o.Verdict, "What came is among what is acceptable."
			break
		}
	}
	r.BehaviorClose, r.ResultClose = r.judgeClosing(&c.Closing)
	if c.Closing.WrongEndIsFatal && c.Closing.ByUs != r.ClosedByMe {
		r.Behavior = report.Failed
	}
	if c.Amend != nil {
		c.Amend(r)
	}
}

// judgeClosing judges how the connection ended. The order is the original's: of several faults, the first counts.
func (r *Result) judgeClosing(want *Closing) (report.Behavior, string) {
	switch {
	case want.ByUs != r.ClosedByMe:
		return report.Failed, "The other end should have failed the connection."
	case want.Clean && !r.WasClean:
		return report.Unclean, "The connection should have ended with a close frame from both sides."
	case r.RemoteCloseCode != nil && !slices.Contains(want.Codes, frame.StatusCode(*r.RemoteCloseCode)):
		return report.WrongCode, fmt.Sprintf("The close frame should have had no status code, or %s.", list(want.Codes))
	case r.DroppedByMe && !r.Server:
		return report.FailedByClient, "The server should have ended the TCP connection."
	}
	return report.OK, "The connection was closed as it should be."
}

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
