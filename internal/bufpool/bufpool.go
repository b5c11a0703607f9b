// Package bufpool lends byte buffers of a few fixed sizes. A connection borrows
// one only while bytes are in it, so a thousand idle connections share the
// buffers of the few that are busy.
package bufpool

import (
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

// Tracking, for tests: with it on, buffers are counted and poisoned.
var (
	tracking    atomic.Bool
	outstanding atomic.Int64
)

// Poison is what a returned buffer is filled with while tracking is on.
const Poison = 0xDB

// Track switches counting and poisoning on or off and resets the count. It is
// meant for tests: a count made while buffers are out is meaningless.
func Track(on bool) {
	outstanding.Store(0)
	tracking.Store(on)
}

// Outstanding returns the buffers lent and not returned since Track(true).
func Outstanding() int64 { return outstanding.Load() }

// Get lends a buffer of at least size bytes, its length its whole capacity. Its
// contents are arbitrary. Above Huge it is simply allocated.
func Get(size int) []byte {
	if tracking.Load() {
		outstanding.Add(1)
	}
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
		outstanding.Add(-1)
		for i := range b {
			b[i] = Poison
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
