package deflate

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/seed-c4549abd/wss/internal/bufpool"
)

func TestSettingsThatCannotBeAgreedOnPanic(t *testing.T) {
	for _, c := range []Compressor{{WindowBits: 7}, {WindowBits: 16}, {Level: 10}, {Level: -1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v: no panic", c)
				}
			}()
			c.Append(nil, []byte("Hello"))
		}()
	}
}

// CVE-2026-45736 of ws: pooled memory that showed up in a payload. Here one
// connection's secret is all over the writers and inflaters that the next one gets.
func TestNothingOfAnotherConnectionAppears(t *testing.T) {
	bufpool.Track(true)
	defer bufpool.Track(false)
	r := source(9)
	secret := random(r, 400)
	for _, s := range settings() {
		c, d := s.pair()
		for range 20 {
			p := append(bytes.Clone(secret), jsonMessage(r, 200)...)
			if _, err := d.Append(nil, c.AppendPiece(nil, p, true), true); err != nil {
				t.Fatal(err)
			}
		}
		// Half of the secret is sent by another: if it were known, it would be short.
		c, d = s.pair()
		half := secret[:200]
		z := c.AppendPiece(nil, half, true)
		if len(z) < len(half) {
			t.Errorf("%v: %d random bytes became %d", s, len(half), len(z))
		}
		if got, err := d.Append(nil, z, true); err != nil || !bytes.Equal(got, half) {
			t.Errorf("%v: %v, or not the same", s, err)
		}
		// A match into what a new connection does not have.
		_, d = s.pair()
		if got, err := d.Append(nil, fixedMatch(3), true); err != ErrCorrupt || len(got) > 0 {
			t.Errorf("%v: a match in an empty window gave %x, %v", s, got, err)
		}
	}
	if n := bufpool.Outstanding(); n != 0 {
		t.Errorf("%d buffers are not given back", n)
	}
}

func TestManyConnectionsShareThePools(t *testing.T) {
	var all sync.WaitGroup
	for g := range 16 {
		all.Go(func() {
			r := source(uint64(g))
			list := settings()
			for range 10 {
				c, d := list[r.IntN(len(list))].pair()
				for range 5 {
					roundTrip(t, r, c, d)
				}
			}
		})
	}
	all.Wait()
}

func roundTrip(t *testing.T, r *rand.Rand, c *Compressor, d *Decompressor) {
	p := jsonMessage(r, r.IntN(5000))
	z := appendPieces(c, p, 1+r.IntN(3))
	cut := r.IntN(len(z))
	got, err := d.Append(nil, z[:cut], false)
	if err == nil {
		runtime.Gosched()
		got, err = d.Append(got, z[cut:], true)
	}
	if err != nil || !bytes.Equal(got, p) {
		t.Errorf("%v, or not the same", err)
	}
}
