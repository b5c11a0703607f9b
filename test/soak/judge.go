package main

import (
	"fmt"
	"strings"

	"github.com/seed-c4549abd/wss/conn"
)

// judge says what is not accounted for on a connection that is over on both sides. cut
// says that the group may have shut down meanwhile.
func (l *life) judge(cut bool) (findings []string) {
	add := func(format string, args ...any) { findings = append(findings, fmt.Sprintf(format, args...)) }
	for _, f := range l.client.faults {
		add("client: %s", f)
	}
	for _, f := range l.server.faults {
		add("server: %s", f)
	}
	if !l.accepted.Load() {
		return findings
	}
	l.server.closing = l.server.closing || cut
	l.judgeEnds(cut, add)
	if l.client.why == nil || l.server.why == nil {
		return findings
	}
	if l.b.subscribes {
		l.judgeBroadcasts(add)
	} else {
		judgeSent(l.server, "server", add)
	}
	judgeSent(l.client, "client", add)
	l.judgeWay("client to server", l.client, l.server, add)
	l.judgeWay("server to client", l.server, l.client, add)
	return findings
}

type adder = func(format string, args ...any)

// judgeEnds looks at the codes and tokens that both sides report.
func (l *life) judgeEnds(cut bool, add adder) {
	server, client := l.wantServer, l.wantClient
	if cut {
		// A close frame of the client's may cross the group's: then its code counts (RFC 6455 §7.1.5).
		server = append([]string{"1001 local"}, server...)
		client = append([]string{"1001 peer"}, client...)
	}
	if got := endOf(l.server); !fits(got, server) {
		add("the server's end is %s (%v), want %s", got, l.server.why, strings.Join(server, " or "))
	}
	if got := endOf(l.client); !fits(got, client) {
		add("the client's end is %s (%v), want %s", got, l.client.why, strings.Join(client, " or "))
	}
	for name, s := range map[string]*side{"server": l.server, "client": l.client} {
		if s.ends > 1 {
			add("the %s was told %d times that its connection has ended", name, s.ends)
		}
		if s.stats.Pending != 0 && s.why != nil && s.why.Code != conn.StatusAbnormal && s.why.Token() != "queue_full" {
			add("%d bytes still wait on the %s's side after a closing handshake", s.stats.Pending, name)
		}
	}
}

// judgeSent compares what a side's application sent with what its library counted.
func judgeSent(s *side, name string, add adder) {
	out, dropped := s.stats.MessagesOut, s.stats.Dropped
	// What waited in the queue when the connection ended was accepted and is dropped.
	lost := dropped - s.dropped
	queueing := s.stats.Dropped > 0
	switch {
	case lost < 0:
		add("%s: Send refused %d messages, Stats.Dropped is %d", name, s.dropped, dropped)
	case queueing && s.why.Code == conn.StatusNormalClosure && lost != 0:
		add("%s: Send refused %d messages, Stats.Dropped is %d after an orderly end", name, s.dropped, dropped)
	case !queueing && (out < s.sent || out > s.sent+s.unsure),
		queueing && (out+lost < s.sent || out+lost > s.sent+s.unsure):
		add("%s: sent %d messages (and perhaps %d more), dropped %d, but Stats counts %d and %d", name, s.sent, s.unsure, s.dropped, out, dropped)
	}
}

// judgeBroadcasts compares what a subscriber was offered with what became of it. What is
// refused because the connection ends comes behind everything that was received.
func (l *life) judgeBroadcasts(add adder) {
	s, c := l.server, l.client
	offered, dropped := l.offered.Load(), s.stats.Dropped
	if s.stats.MessagesOut+dropped > offered {
		add("%d broadcasts were offered, but %d sent and %d dropped", offered, s.stats.MessagesOut, dropped)
	}
	if c.first < 0 {
		return
	}
	lost := c.gaps + c.first - l.opening.Load()
	switch {
	case lost < 0:
		add("broadcast %d came, but the first offered was %d", c.first, l.opening.Load())
	case lost > dropped:
		add("%d broadcasts are missing among those received, but %d were dropped", lost, dropped)
	}
}

// judgeWay compares what one side sent with what the other received. In a closing
// handshake everything arrives, if the receiver reads on or did not close itself; when
// a connection breaks off, the first part of it.
func (l *life) judgeWay(name string, from, to *side, add adder) {
	low, high := from.stats.MessagesOut, from.stats.MessagesOut+from.unsure
	if to.received > high {
		add("%s: %d messages were received, %d sent", name, to.received, high)
	}
	readAll := to.reading || !to.closing
	if readAll && (to.stats.MessagesIn != to.received || to.seenIn != to.received) {
		add("%s: the receiver got %d messages, Stats says %d, the Observer was told of %d",
			name, to.received, to.stats.MessagesIn, to.seenIn)
	}
	orderly := from.why.Code != conn.StatusAbnormal && to.why.Code != conn.StatusAbnormal
	if !orderly || !readAll {
		return
	}
	if to.received < low {
		add("%s: %d messages were sent before an orderly end (%s, %s), %d received", name, low, endOf(from), endOf(to), to.received)
		return
	}
	if !to.lossy && from.dropped > 0 || to.lossy && !l.b.subscribes && to.gaps > from.dropped {
		add("%s: %d numbers are missing, %d messages were dropped", name, to.gaps, from.dropped)
	}
	if to.received == low && from.stats.PayloadOut != to.stats.PayloadIn {
		add("%s: %d bytes were sent, %d received", name, from.stats.PayloadOut, to.stats.PayloadIn)
	}
}
