package wire

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/seed-c4549abd/wss/internal/bufpool"
)

// TestQueueKeepsTheOrderWhateverTheSchedule pushes and advances at random, with
// the head held by the kernel or not, against a plain slice.
func TestQueueKeepsTheOrderWhateverTheSchedule(t *testing.T) {
	bufpool.Track(true)
	defer bufpool.Track(false)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var q queue
		var want []byte
		next := byte(0)
		for range 300 {
			busy := rng.IntN(2) == 0
			var held, copied []byte
			if busy {
				held = q.head()
				copied = bytes.Clone(held)
			}
			p := make([]byte, []int{1, 100, 5000, 100_000}[rng.IntN(4)])
			for i := range p {
				next++
				p[i] = next
			}
			q.push(p, busy)
			want = append(want, p...)
			if busy && (!bytes.Equal(held, copied) || len(held) > 0 && &q.head()[0] != &held[0]) {
				t.Fatal("the head moved while the kernel had it")
			}
			for range rng.IntN(3) {
				h := q.head()
				n := rng.IntN(len(h) + 1)
				if !bytes.Equal(h[:n], want[:n]) {
					t.Fatal("bytes out of order")
				}
				q.advance(n)
				want = want[n:]
			}
			if q.size != len(want) {
				t.Fatalf("size %d, want %d", q.size, len(want))
			}
		}
		q.drop()
		if q.size != 0 || q.head() != nil {
			t.Error("bytes left after drop")
		}
	}
	if n := bufpool.Outstanding(); n != 0 {
		t.Errorf("%d buffers not returned", n)
	}
}

func TestSmallWritesGatherInOneChunk(t *testing.T) {
	var q queue
	for range 700 {
		q.push(make([]byte, 100), false)
	}
	if len(q.chunks) != 1 || len(q.head()) != 70_000 {
		t.Errorf("%d chunks, the first of %d bytes", len(q.chunks), len(q.head()))
	}
	q.drop()
}
