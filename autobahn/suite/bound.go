package suite

import "time"

// Bound is the longest that the case can take, whatever the peer does: connecting and the opening handshake, the waits of
// the case, slowness times as long, and the end of the connection. It is for a peer that is fast; nearly all cases take
// milliseconds then.
func (c *Case) Bound(slowness float64) time.Duration {
	waits := c.lasts + giveUp + c.patience
	return openTimeout + time.Duration(slowness*float64(waits)) + lingerTime
}

// Bound is the longest that the selected cases can take, whatever the server does: each waits for all that it may wait for,
// and as many run at once as Parallel says. An error is about the options.
func (o Options) Bound() (time.Duration, error) {
	o, err := o.withDefaults()
	if err != nil {
		return 0, err
	}
	cases, err := SelectFor(ServerRole, o.Cases)
	if err != nil {
		return 0, err
	}
	return o.bound(cases), nil
}

// bound is Bound for cases that were selected. A case starts as soon as there are slots for it: until the last one has
// started, no more are free than the largest case lacks.
func (o *Options) bound(cases []Case) time.Duration {
	slots, takes := o.slots()
	most := 1
	var work, longest time.Duration
	for i := range cases {
		n, d := takes(&cases[i]), cases[i].Bound(o.Slowness)
		most, longest = max(most, n), max(longest, d)
		work += time.Duration(n) * d
	}
	return work/time.Duration(cap(slots)-most+1) + longest
}
