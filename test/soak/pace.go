package main

import (
	"context"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"
)

// busyTime is how long the machine may be busy with one connection of every client, one after the other. What a
// client waits for may then have to wait for all others, and still comes within its patience.
const busyTime = patience / 2

// fit returns how many of n clients the machine can serve, where each connection takes it so long.
func fit(n int, each time.Duration) int {
	if each <= 0 {
		return n
	}
	return max(min(n, int(busyTime/each)), 1)
}

// spread is the time over which n clients come for the first time: together they would all wait for
// each other's handshakes.
func spread(n int, each, all time.Duration) time.Duration {
	return min(time.Duration(n)*max(each, 4*time.Millisecond), all/4)
}

// calibrate measures how long a connection takes from its handshake to its end while nothing else runs, and has
// no more clients than the machine can serve. With the race detector, or beside other processes, handshakes of
// too many took longer than anybody's patience.
func (s *soak) calibrate() {
	const samples = 8
	b := &behaviour{
		name: "calibration", keepsReading: true, httpOnly: true,
		path: func(*client) (string, url.Values) { return "/serve", url.Values{} },
		run: func(k *client) {
			k.l.want([]string{"4000 peer"}, []string{"4000 local"})
			if k.write(100) == nil {
				_ = k.echoed()
			}
			_ = k.c.Close(4000, "")
		},
	}
	began := time.Now()
	for i := range samples {
		s.one(b, s.seed+uint64(i))
	}
	s.each = time.Since(began) / samples
	if n := fit(s.conns, s.each); n < s.conns {
		fmt.Fprintf(s.out, "SCALED DOWN: a connection takes %v here, so there are %d at once and not %d\n", s.each.Round(time.Millisecond), n, s.conns)
		s.conns = n
	}
}

// pulse measures how late the process gets to run: the difference between a finding for want of
// processor time and one that is a stall.
type pulse struct{ worst atomic.Int64 }

// beat sleeps for short times until ctx ends, and notes how much longer they took.
func (p *pulse) beat(ctx context.Context) {
	const interval = 20 * time.Millisecond
	t := time.NewTimer(interval)
	defer t.Stop()
	for {
		due := time.Now().Add(interval)
		t.Reset(interval)
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if late := int64(time.Since(due)); late > p.worst.Load() {
				p.worst.Store(late)
			}
		}
	}
}

// late is the longest that the process had to wait.
func (p *pulse) late() time.Duration { return time.Duration(p.worst.Load()) }
