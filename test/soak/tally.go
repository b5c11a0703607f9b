package main

import (
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// tally is what all connections together have done.
type tally struct {
	mu         sync.Mutex
	behaviours map[string]int64
	failed     map[string]int64 // of behaviours, that something is not accounted for
	opened     int64            // by the server
	refused    int64            // handshakes, because the group was shutting down
	codes      map[conn.StatusCode]int64
	tokens     map[string]int64
	clientEnds map[string]int64
	server     conn.Stats // sums
	client     conn.Stats
	forgotten  int64 // writes that were given up before they began
	cut        int64 // and after
	roundTrip  time.Duration
	slowest    string // behaviour that it belongs to
	findings   []string
	found      int // findings in all
}

func newTally() *tally {
	return &tally{
		behaviours: map[string]int64{}, failed: map[string]int64{},
		codes: map[conn.StatusCode]int64{}, tokens: map[string]int64{}, clientEnds: map[string]int64{},
	}
}

// maxFindings is how many are kept; the others are counted.
const maxFindings = 40

// find notes what is not accounted for.
func (t *tally) find(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.found++
	if len(t.findings) < maxFindings {
		t.findings = append(t.findings, fmt.Sprintf(format, args...))
	}
}

// refuse counts a handshake that the group refused.
func (t *tally) refuse() {
	t.mu.Lock()
	t.refused++
	t.mu.Unlock()
}

// add takes a connection that is over and what was found about it.
func (t *tally) add(l *life, findings []string) {
	for _, f := range findings {
		t.find("%v: %s", l, f)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.behaviours[l.b.name]++
	if len(findings) > 0 {
		t.failed[l.b.name]++
	}
	if !l.accepted.Load() {
		return
	}
	t.opened++
	if why := l.server.why; why != nil {
		t.codes[why.Code]++
		t.tokens[why.Token()]++
	}
	t.clientEnds[endOf(l.client)]++
	sum(&t.server, &l.server.stats)
	sum(&t.client, &l.client.stats)
	t.forgotten += l.client.forgotten
	t.cut += l.client.cut
	// The others do not read, so they do not answer.
	if own := max(l.client.stats.RoundTrip, l.server.stats.RoundTrip); l.b.policy == "" && own > t.roundTrip {
		t.roundTrip, t.slowest = own, l.b.name
	}
}

func sum(all, one *conn.Stats) {
	all.MessagesIn += one.MessagesIn
	all.MessagesOut += one.MessagesOut
	all.PayloadIn += one.PayloadIn
	all.PayloadOut += one.PayloadOut
	all.EncodedIn += one.EncodedIn
	all.EncodedOut += one.EncodedOut
	all.ControlIn += one.ControlIn
	all.ControlOut += one.ControlOut
	all.WireIn += one.WireIn
	all.WireOut += one.WireOut
	all.Dropped += one.Dropped
}

// judgeGroup compares the group's counts, when nobody is left, with those of its
// connections.
func (t *tally) judgeGroup(g conn.GroupStats) {
	var byCode, byToken int64
	for _, n := range g.Codes {
		byCode += n
	}
	for _, n := range g.Tokens {
		byToken += n
	}
	t.mu.Lock()
	own := t.server
	want := fmt.Sprint(t.opened, t.opened, t.opened, 0, t.refused)
	codes, tokens := maps.Equal(g.Codes, t.codes), maps.Equal(g.Tokens, t.tokens)
	t.mu.Unlock()
	if got := fmt.Sprint(g.Opened, byCode, byToken, g.Active, g.Refused); got != want {
		t.find("group: opened, ended by codes, by tokens, active and refused are %s, want %s", got, want)
	}
	if !codes || !tokens {
		t.find("group: ends by codes and tokens are %v, %v; its connections say %v, %v", g.Codes, g.Tokens, t.codes, t.tokens)
	}
	// A write that is in the kernel when its connection breaks off is counted on the wire later
	// than the group has looked.
	late := own.WireOut - g.WireOut
	own.WireOut = g.WireOut
	if g.Stats != own || late < 0 || late > g.Codes[conn.StatusAbnormal]*sendBuffer {
		t.find("group: the sums are %+v; its connections say %+v, and %d more bytes on the wire", g.Stats, own, late)
	}
}
