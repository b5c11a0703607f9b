package deflate

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

func keptNow() int {
	keeper.mu.Lock()
	defer keeper.mu.Unlock()
	return len(keeper.writers)
}

func isKept(c *Compressor) bool {
	keeper.mu.Lock()
	defer keeper.mu.Unlock()
	return c.kept != nil
}

// TestContextsThatCompeteForWriters: more connections than writers are kept, in random
// turns, each with every kind of message, so that contexts are left and resumed.
func TestContextsThatCompeteForWriters(t *testing.T) {
	var all []setting
	for _, s := range settings() {
		if !s.noTakeover || s.bits == 12 {
			all = append(all, s)
		}
	}
	for round := range 2 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			r := source(uint64(round))
			type side struct {
				c *Compressor
				d *Decompressor
			}
			sides := make([]side, 2*maxKept)
			for i := range sides {
				sides[i].c, sides[i].d = all[r.IntN(len(all))].pair()
			}
			for range rounds(3000) {
				s := sides[r.IntN(len(sides))]
				switch r.IntN(4) {
				case 0:
					p := jsonMessage(r, 1+r.IntN(300))
					other := &Compressor{WindowBits: s.c.WindowBits, NoTakeover: true}
					if z, ok := other.Append(nil, p); ok {
						s.c.Sent(p)
						want(t, s.d, z, p)
					}
				case 1:
					pieces(t, r, s.c, s.d)
				default:
					roundTrip(t, r, s.c, s.d)
				}
				if n := keptNow(); n > maxKept {
					t.Fatalf("%d writers kept", n)
				}
			}
			for _, s := range sides {
				s.c.Close()
				if isKept(s.c) {
					t.Fatal("kept after Close")
				}
			}
		})
	}
}

func want(t *testing.T, d *Decompressor, z, p []byte) {
	t.Helper()
	if got, err := d.Append(nil, z, true); err != nil || string(got) != string(p) {
		t.Fatalf("%d bytes: %v, or not the same", len(p), err)
	}
}

func pieces(t *testing.T, r *rand.Rand, c *Compressor, d *Decompressor) {
	t.Helper()
	var z, p []byte
	for n := r.IntN(4); n >= 0; n-- {
		piece := jsonMessage(r, r.IntN(2000))
		p = append(p, piece...)
		z = c.AppendPiece(z, piece, n == 0)
	}
	want(t, d, z, p)
}

// TestWhatIsNotUsedIsGivenBack by the second garbage collection, and the context goes
// on all the same.
func TestWhatIsNotUsedIsGivenBack(t *testing.T) {
	s := setting{bits: 12}
	c, d := s.pair()
	r := source(3)
	for range 3 {
		p := jsonMessage(r, 1000)
		want(t, d, c.AppendPiece(nil, p, true), p)
		if !isKept(c) {
			t.Fatal("the writer was not kept")
		}
		for n := 0; isKept(c); n++ {
			if n > 1000 {
				t.Fatal("it is kept for ever")
			}
			runtime.GC()
			time.Sleep(time.Millisecond) // cleanups run beside us
		}
	}
}

// TestCollectionsAreNotWatchedForNothing: once no writer is kept.
func TestCollectionsAreNotWatchedForNothing(t *testing.T) {
	c, d := setting{bits: 12}.pair()
	p := jsonMessage(source(4), 1000)
	want(t, d, c.AppendPiece(nil, p, true), p)
	watched := func() bool {
		keeper.mu.Lock()
		defer keeper.mu.Unlock()
		return keeper.watched
	}
	if !watched() {
		t.Error("a writer is kept, and no collection watched")
	}
	c.Close()
	for n := 0; watched(); n++ {
		if n > 1000 {
			t.Fatalf("collections are watched for %d writers", keptNow())
		}
		runtime.GC()
		time.Sleep(time.Millisecond) // cleanups run beside us
	}
}

// TestAKeptWriterGoesOn: it is taken where it knows the context, and given back where it does not.
func TestAKeptWriterGoesOn(t *testing.T) {
	for _, tt := range []struct {
		name string
		next func(c *Compressor)
		same bool
	}{
		{"the next message", func(c *Compressor) {}, true},
		{"a message behind one that another Compressor made", func(c *Compressor) { c.Sent([]byte("Hello")) }, false},
		{"a message of another level", func(c *Compressor) { c.Level = 2 }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c Compressor
			defer c.Close()
			c.AppendPiece(nil, jsonMessage(source(5), 1000), true)
			kept := c.kept
			tt.next(&c)
			_, w := c.compress(nil, jsonMessage(source(6), 1000))
			if kept == nil || tt.same && w != kept {
				t.Errorf("kept %p, took %p", kept, w)
			}
			if isKept(&c) {
				t.Error("it is kept while it is in use")
			}
			w.giveBack()
		})
	}
}
