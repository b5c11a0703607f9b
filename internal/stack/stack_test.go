//go:build !purego

package stack

import (
	"runtime/debug"
	"sync"
	"testing"
	"unsafe"
)

// TestGrowMakesRoom watches where a variable lies: a stack that grows is another one.
func TestGrowMakesRoom(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection would take what is not in use
	for _, c := range []struct {
		name  string
		grow  func()
		depth int
		moves bool
	}{
		{"no growth before 1.8 KiB", func() {}, 8, true},
		{"Grow4 before 1.8 KiB", Grow4, 8, false},
		{"Grow4 before 9 KiB", Grow4, 40, true},
	} {
		for range 4 {
			moved := make(chan bool)
			go func() {
				c.grow()
				moved <- moves(c.depth)
			}()
			if got := <-moved; got != c.moves {
				t.Errorf("%s: the stack moved: %v, want %v", c.name, got, c.moves)
			}
		}
	}
}

// moves reports whether the stack moves when it gets depth calls deeper, of some 230 bytes each.
func moves(depth int) bool {
	var here byte
	before := uintptr(unsafe.Pointer(&here))
	deep(depth)
	return uintptr(unsafe.Pointer(&here)) != before
}

//go:noinline
func deep(depth int) byte {
	var frame [200]byte
	if depth > 0 {
		frame[depth] = deep(depth - 1)
	}
	return frame[depth/2]
}

// BenchmarkGrow compares a stack that grows on the way, with pointers into frames to adjust
// as deep calls have, with one that grows before.
func BenchmarkGrow(b *testing.B) {
	for _, c := range []struct {
		name string
		grow func()
	}{{"on the way", func() {}}, {"before", Grow4}} {
		b.Run(c.name, func(b *testing.B) {
			var wg sync.WaitGroup
			for b.Loop() {
				wg.Go(func() {
					c.grow()
					deep(8)
				})
				wg.Wait()
			}
		})
	}
}
