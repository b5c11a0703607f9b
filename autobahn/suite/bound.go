package suite

import "time"

// Bound is the longest that the case can take, whatever the peer does: connecting and the opening handshake, the waits of
// the case, slowness times as long and longer by the peer's latency for each answer, and the end of the connection. Nearly all
// cases end much earlier.
func (c *Case) Bound(slowness float64, latency time.Duration) time.Duration {
	return openTimeout + pace{slowness, latency}.of(c.lasts+giveUp, c.answers()) + c.patience + lingerTime
}

// Plan is what a run will be.
type Plan struct {
	// Cases is the number of those that were selected.
	Cases int
	// Latency is the server's, by which waits are longer.
	Latency time.Duration
	// Bound is the longest that the run can take, whatever the server does: if every case waits for all that it may wait for,
	// and as many run at once as Parallel says.
	Bound time.Duration
}

// bound is the longest that cases can take. A case starts as soon as there are slots for it: until the last one has started, no
// more are free than the largest case lacks.
func (o *Options) bound(cases []Case) time.Duration {
	slots, takes := o.slots()
	most := 1
	var work, longest time.Duration
	for i := range cases {
		n, d := takes(&cases[i]), cases[i].Bound(o.Slowness, o.Latency)
		most, longest = max(most, n), max(longest, d)
		work += time.Duration(n) * d
	}
	return work/time.Duration(cap(slots)-most+1) + longest
}
