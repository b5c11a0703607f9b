// Package micro compares functions: masking, the header codec, UTF-8 validation and the
// opening handshake, ours beside those that peers and the standard library export.
// (gorilla, coder and gws export neither their masking nor their header codec.) The same
// cases are run by go test -bench and for the report.
package micro

import (
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

// Time returns nanoseconds per operation, run for about d.
func Time(f func(n int), d time.Duration) float64 {
	n := 1
	for {
		start := time.Now()
		f(n)
		took := time.Since(start)
		if took >= d/2 || n >= 1<<30 {
			return float64(took) / float64(n)
		}
		if took < d/100 {
			n *= 20
			continue
		}
		n = int(float64(n)*float64(d)/float64(took)) + 1
	}
}

// sink keeps results alive.
var sink int
