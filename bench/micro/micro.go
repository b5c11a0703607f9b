// Package micro compares functions: masking, the header codec, UTF-8 validation and the
// opening handshake, ours beside those that peers and the standard library export.
// (gorilla, coder and gws export neither their masking nor their header codec.) The same
// cases are run by go test -bench and for the report.
package micro

import (
	"math"
	"time"

	"github.com/seed-c4549abd/wss/bench/libs"
)

// Func is one implementation. Do runs it n times.
type Func struct {
	Lib  string
	Kind libs.Kind
	Do   func(n int)
}

// Case is a piece of work that several implementations do.
type Case struct {
	// Group is the metric that the case counts towards: a size, a class of headers, a
	// text. Name tells cases of one group apart.
	Group, Name string
	Bytes       int
	Funcs       []Func
}

// tries is how often a function is timed, of which the shortest counts: whatever
// interrupts a computation makes it longer, never shorter.
const tries = 5

// Time returns nanoseconds per operation, run for about d in all after f has run for settle at
// least. A processor clocks down for wide vectors, and takes some milliseconds to clock up
// again: without settle a function is timed with the clock of what ran before it.
func Time(f func(n int), settle, d time.Duration) float64 {
	d /= tries
	n, took := 1, time.Duration(0)
	began := time.Now()
	for {
		start := time.Now()
		f(n)
		if took = time.Since(start); took >= d/2 || n >= 1<<30 {
			break
		}
		if took < d/100 {
			n *= 20
			continue
		}
		n = int(float64(n)*float64(d)/float64(took)) + 1
	}
	for time.Since(began) < settle {
		f(n)
	}
	took = time.Duration(math.MaxInt64)
	for range tries {
		start := time.Now()
		f(n)
		took = min(took, time.Since(start))
	}
	return float64(took) / float64(n)
}
