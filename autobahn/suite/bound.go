package suite

import (
	"fmt"
	"runtime"
	"time"
)

// slack is what the suite adds to the waits of a case before it gives the case up: no timer fires at once on a busy machine.
const slack = 2 * time.Second

// Bound is the longest that the case can take, whatever the peer does: 10 seconds for connecting and the opening handshake; the
// waits of the case and of its closing handshake, slowness times as long and longer by the peer's latency for each answer; two
// seconds before the suite gives it up, and one for the end of the connection. Nearly all cases end much earlier.
func (c *Case) Bound(slowness float64, latency time.Duration) time.Duration {
	return openTimeout + c.waiting(pace{slowness, latency}) + lingerTime
}

// waiting is the longest from the opened connection to the time when the suite gives the case up. Every timer of the case has
// fired by then, one after the other.
func (c *Case) waiting(w pace) time.Duration {
	all := c.patience + slack
	for _, d := range append([]time.Duration{c.KillAfter, c.CloseAfter, c.lasts, c.limit}, c.waits...) {
		if d > 0 {
			all += w.of(d, c.answers())
		}
	}
	return all + w.of(replyTimeout, c.atEnd()) + w.of(dropTimeout, c.atEnd())
}

// What a conforming peer costs, about: processor time for each octet of a message there and back, compressed or not, in both
// programs; and for a connection.
const (
	costOfOctet = 8 * time.Nanosecond
	costOfCase  = 2 * time.Millisecond
)

// cost estimates what the case takes with a peer that conforms: waiting time, and processor time.
func (c *Case) cost(latency time.Duration) (idle, busy time.Duration) {
	for _, d := range c.waits {
		idle += d
	}
	idle += time.Duration(c.answers()+2) * latency
	return idle, costOfCase + time.Duration(c.volume)*costOfOctet
}

// Plan is what a run will be.
type Plan struct {
	// Cases is the number of those that were selected.
	Cases int
	// Latency is the server's, by which waits are longer.
	Latency time.Duration
	// Usual is how long the run takes about, if the peer conforms and is on a machine like this one.
	Usual time.Duration
	// Bound is the longest that the run can take, whatever the server does: if every case waits for all that it may wait for,
	// and as many run at once as Parallel says. Cases in the groups 9, 12 and 13 may take minutes each, as the original's.
	Bound time.Duration
	// Longest is the bound of the case that has the highest.
	Longest time.Duration
}

// String is the plan in a sentence.
func (p Plan) String() string {
	return fmt.Sprintf("%d cases: usually in about %v, in %v at most; the peer answers within %v",
		p.Cases, max(p.Usual, time.Second).Round(time.Second), p.Bound.Round(time.Second), p.Latency.Round(10*time.Microsecond))
}

// Plan says what a run of cases by these options will be. Latency must be known; it is not measured.
func (o Options) Plan(cases []Case) Plan {
	if o.Slowness <= 0 {
		o.Slowness = 1
	}
	plan := Plan{Cases: len(cases), Latency: o.Latency}
	slots, takes := o.slots()
	// A case starts as soon as there are slots for it: until the last one has started, no more are free than the largest case lacks.
	most := 1
	var work, idle, busy, longestIdle time.Duration
	for i := range cases {
		c := &cases[i]
		n, d := takes(c), c.Bound(o.Slowness, o.Latency)
		most, plan.Longest = max(most, n), max(plan.Longest, d)
		work += time.Duration(n) * d
		waits, computes := c.cost(o.Latency)
		idle += time.Duration(n) * time.Duration(o.Slowness*float64(waits))
		longestIdle = max(longestIdle, time.Duration(o.Slowness*float64(waits)))
		busy += computes
	}
	plan.Bound = work/time.Duration(cap(slots)-most+1) + plan.Longest
	plan.Usual = max(idle/time.Duration(cap(slots)), longestIdle) + busy/time.Duration(runtime.GOMAXPROCS(0))
	return plan
}
