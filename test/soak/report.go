package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"
)

// progress prints how far the run is.
func (s *soak) progress(since time.Duration, u usage) {
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	t := s.tally
	fmt.Fprintf(s.out, "%6s  %5d live  %7d over  %8d messages  %6d MB wire  %d dropped  %d findings  %v\n",
		since.Round(time.Second), s.server.group.Len(), t.opened, t.server.MessagesIn+t.server.MessagesOut,
		(t.server.WireIn+t.server.WireOut)/1e6, t.server.Dropped, t.found, u)
}

// report prints everything and the verdict.
func (s *soak) report() {
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	t := s.tally
	fmt.Fprintln(s.out)
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "behaviour\tconnections\tfailed\t")
	for _, b := range behaviours {
		fmt.Fprintf(w, "%s\t%d\t%d\t\n", b.name, t.behaviours[b.name], t.failed[b.name])
	}
	fmt.Fprintln(w, "\t\t\t")
	fmt.Fprintln(w, "server\treceived\tsent\t")
	g := &s.group
	fmt.Fprintf(w, "messages\t%d\t%d\t\n", g.MessagesIn, g.MessagesOut)
	fmt.Fprintf(w, "payload, MB\t%.1f\t%.1f\t\n", mb(g.PayloadIn), mb(g.PayloadOut))
	fmt.Fprintf(w, "in frames, MB\t%.1f\t%.1f\t\n", mb(g.EncodedIn), mb(g.EncodedOut))
	fmt.Fprintf(w, "on the wire, MB\t%.1f\t%.1f\t\n", mb(g.WireIn), mb(g.WireOut))
	fmt.Fprintf(w, "control frames\t%d\t%d\t\n", g.ControlIn, g.ControlOut)
	fmt.Fprintf(w, "dropped\t\t%d\t\n", g.Dropped)
	fmt.Fprintln(w, "\t\t\t")
	fmt.Fprintln(w, "\theap, MiB\tgoroutines\tdescriptors\t")
	for _, u := range []struct {
		name string
		usage
	}{{"before", s.before}, {"peak", s.peak}, {"after", s.after}} {
		fmt.Fprintf(w, "%s\t%.1f\t%d\t%d\t\n", u.name, float64(u.heap)/(1<<20), u.goroutines, u.descriptors)
	}
	_ = w.Flush()
	fmt.Fprintln(s.out)
	counted(s.out, "server's ends by code", g.Codes)
	counted(s.out, "server's ends by token", g.Tokens)
	counted(s.out, "client's ends", t.clientEnds)
	fmt.Fprintf(s.out, "connections: %d opened, %d active, %d refused; longest round trip %v (%s)\n",
		g.Opened, g.Active, g.Refused, t.roundTrip.Round(10*time.Microsecond), t.slowest)
	fmt.Fprintf(s.out, "clients' writes that were given up: %d forgotten, %d delivered all the same\n", t.forgotten, t.cut)
	fmt.Fprintf(s.out, "a connection takes %v; the process had to wait for a processor for at most %v\n",
		s.each.Round(10*time.Microsecond), s.pulse.late().Round(time.Millisecond))
	s.verdict()
}

func mb(n int64) float64 { return float64(n) / 1e6 }

// counted prints counts in the order of their keys.
func counted[K cmp.Ordered](w io.Writer, title string, counts map[K]int64) {
	fmt.Fprintf(w, "%s:", title)
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, " %d× %v,", counts[k], fmt.Sprintf("%v", k))
	}
	fmt.Fprintln(w)
}

// verdict prints what is not accounted for.
func (s *soak) verdict() {
	t := s.tally
	if t.found == 0 {
		fmt.Fprintf(s.out, "ok: all is accounted for (seed %d)\n", s.seed)
		return
	}
	for _, f := range t.findings {
		fmt.Fprintf(s.out, "FINDING: %s\n", f)
	}
	if more := t.found - len(t.findings); more > 0 {
		fmt.Fprintf(s.out, "and %d more\n", more)
	}
	fmt.Fprintf(s.out, "FAILED: %d findings (seed %d)\n", t.found, s.seed)
}
