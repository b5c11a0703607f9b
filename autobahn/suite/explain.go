package suite

import (
	"fmt"
	"strings"
)

// Explain says in lines of text what the case is about, what was expected, what came, and how the connection ended, with
// the last lines of the wire log, of which more than so many are left out. What cannot be printed is escaped.
func (r *Result) Explain(lines int) string {
	var out strings.Builder
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&out, "%-12s %s\n", name+":", visible(text))
		}
	}
	line("case", r.ID)
	line("what", r.Description)
	line("expectation", r.Expectation)
	line("section", Section(r.ID))
	line("verdict", fmt.Sprintf("%s: %s", r.Behavior, r.Result))
	line("closing", fmt.Sprintf("%s: %s", r.BehaviorClose, r.ResultClose))
	if r.ByRFC != nil {
		line("by the RFC", fmt.Sprintf("%s: %s", r.ByRFC.Behavior, r.ByRFC.Result))
		line("its closing", fmt.Sprintf("%s: %s", r.ByRFC.BehaviorClose, r.ByRFC.ResultClose))
	}
	for _, o := range r.outcomes {
		line("wanted", fmt.Sprintf("%s (%s)", events(o.Events), o.Verdict))
	}
	line("came", r.came(mostEvents))
	line("closed", r.closed())
	if r.WasNotCleanReason != nil {
		line("because", *r.WasNotCleanReason)
	}
	log := r.WireLog()
	if skipped := len(log) - lines; skipped > 0 {
		fmt.Fprintf(&out, "wire log, without its first %d lines:\n", skipped)
		log = log[skipped:]
	} else if len(log) > 0 {
		out.WriteString("wire log:\n")
	}
	for _, l := range log {
		out.WriteString("  " + l.String() + "\n")
	}
	return out.String()
}

// mostEvents is how many events are shown in one line.
const mostEvents = 12

// events are the events in one line.
func events(all []Event) string { return firstOf(all, mostEvents) }

// firstOf are so many events at most, in one line.
func firstOf(all []Event, most int) string {
	if len(all) == 0 {
		return "nothing"
	}
	var parts []string
	for i, e := range all {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %d more", len(all)-most))
			break
		}
		parts = append(parts, e.String())
	}
	return strings.Join(parts, ", ")
}

// String is the event in a few words. Its payload is not escaped.
func (e Event) String() string {
	switch {
	case e.Kind == kindTimeout:
		return "the wait " + e.Payload
	case e.Kind != kindMessage:
		return fmt.Sprintf("%s %q", e.Kind, excerpt(e.Payload))
	case e.Binary:
		return fmt.Sprintf("binary message %q (%d octets)", excerpt(e.Payload), len(e.Payload))
	}
	return fmt.Sprintf("text message %q (%d octets)", excerpt(e.Payload), len(e.Payload))
}

// closed says who ended the connection, and with which codes.
func (r *Result) closed() string {
	who := "by the peer"
	if r.ClosedByMe {
		who = "by the suite"
	}
	text := fmt.Sprintf("%s, with %s; the peer with %s", who, closeText(r.LocalCloseCode, r.LocalCloseReason),
		closeText(r.RemoteCloseCode, r.RemoteCloseReason))
	switch {
	case r.leftOpen():
		return text + "; both close frames were there, and the server left the TCP connection open"
	case r.WasClean:
		return text + "; cleanly"
	}
	return text + "; not cleanly"
}

// closeText is a close frame's content.
func closeText(code *int, reason *string) string {
	switch {
	case code == nil:
		return "no status code"
	case reason == nil:
		return fmt.Sprint(*code)
	}
	return fmt.Sprintf("%d %q", *code, *reason)
}
