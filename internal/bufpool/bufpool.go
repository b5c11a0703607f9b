// Package bufpool lends byte buffers of a few fixed sizes. A connection borrows
// one only while bytes are in it, so a thousand idle connections share the
// buffers of the few that are busy.
package bufpool

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// Sizes of the classes, in bytes. Record holds the largest TLS record with its
// header; Bulk holds four of them, which is what one socket read asks for; Large
// and Huge are for messages being put together.
const (
	Small  = 1 << 10
	Medium = 4 << 10
	Record = 20 << 10
	Bulk   = 72 << 10
	Large  = 256 << 10
	Huge   = 1 << 20
)

var small, medium, record, bulk, large, huge sync.Pool

// Tracking, for tests: with it on, it is known which buffers are out, and those that come back are poisoned.
var (
	tracking atomic.Bool
	lent     sync.Map // a loan for each, by its first byte
)

// loan is a buffer that is out.
type loan struct {
	size    int
	callers []uintptr // where it was taken
}

// Poison is what a returned buffer is filled with while tracking is on.
const Poison = 0xDB

// Track switches tracking on or off and forgets what is out. It is meant for tests.
func Track(on bool) {
	lent.Clear()
	tracking.Store(on)
}

// Outstanding returns how many buffers were lent since Track(true) and have not come back.
func Outstanding() (n int) {
	lent.Range(func(any, any) bool { n++; return true })
	return n
}

// OutstandingBytes returns their sizes' sum.
func OutstandingBytes() (n int) {
	lent.Range(func(_, l any) bool { n += l.(loan).size; return true })
	return n
}

// Holders tells for each of those who has taken it.
func Holders() string {
	var b strings.Builder
	lent.Range(func(_, l any) bool {
		b.WriteString("a buffer was taken by\n")
		frames := runtime.CallersFrames(l.(loan).callers)
		for more := true; more; {
			var f runtime.Frame
			f, more = frames.Next()
			fmt.Fprintf(&b, "\t%s:%d\n", f.Function, f.Line)
		}
		return true
	})
	return b.String()
}

// Get lends a buffer of at least size bytes, its length its whole capacity. Its
// contents are arbitrary. Above Huge it is simply allocated.
func Get(size int) []byte {
	b := get(size)
	if tracking.Load() {
		callers := make([]uintptr, 32)
		lent.Store(&b[0], loan{len(b), callers[:runtime.Callers(2, callers)]})
	}
	return b
}

func get(size int) []byte {
	switch {
	case size <= Small:
		if p, ok := small.Get().(*[Small]byte); ok {
			return p[:]
		}
		return new([Small]byte)[:]
	case size <= Medium:
		if p, ok := medium.Get().(*[Medium]byte); ok {
			return p[:]
		}
		return new([Medium]byte)[:]
	case size <= Record:
		if p, ok := record.Get().(*[Record]byte); ok {
			return p[:]
		}
		return new([Record]byte)[:]
	case size <= Bulk:
		if p, ok := bulk.Get().(*[Bulk]byte); ok {
			return p[:]
		}
		return new([Bulk]byte)[:]
	case size <= Large:
		if p, ok := large.Get().(*[Large]byte); ok {
			return p[:]
		}
		return make([]byte, Large)
	case size <= Huge:
		if p, ok := huge.Get().(*[Huge]byte); ok {
			return p[:]
		}
		return make([]byte, Huge)
	}
	return make([]byte, size)
}

// Put takes back a buffer that Get lent; nil is allowed. The caller must not
// have moved its beginning, and must not touch it again.
func Put(b []byte) {
	if b == nil {
		return
	}
	b = b[:cap(b)]
	if tracking.Load() {
		lent.Delete(&b[0])
		b[0] = Poison
		for n := 1; n < len(b); n *= 2 {
			copy(b[n:], b[:n])
		}
	}
	switch len(b) {
	case Small:
		small.Put((*[Small]byte)(b))
	case Medium:
		medium.Put((*[Medium]byte)(b))
	case Record:
		record.Put((*[Record]byte)(b))
	case Bulk:
		bulk.Put((*[Bulk]byte)(b))
	case Large:
		large.Put((*[Large]byte)(b))
	case Huge:
		huge.Put((*[Huge]byte)(b))
	}
}
