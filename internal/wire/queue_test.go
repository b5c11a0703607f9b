package wire

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed-c4549abd/wss/internal/bufpool"
)

// TestQueueKeepsTheOrderWhateverTheSchedule pushes and advances at random, with
// the head held by the kernel or not, against a plain slice.
func TestQueueKeepsTheOrderWhateverTheSchedule(t *testing.T) {
	bufpool.Track(true)
	defer bufpool.Track(false)
	rng := rand.New(rand.NewPCG(1, 2))
	rounds := 50
	if testing.Short() {
		rounds = 5
	}
	for range rounds {
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
			q.add(p, busy)
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
		q.add(make([]byte, 100), false)
	}
	if len(q.chunks) != 1 || len(q.head()) != 70_000 {
		t.Errorf("%d chunks, the first of %d bytes", len(q.chunks), len(q.head()))
	}
	q.drop()
}

// TestWhatBuffersAQueueTakes: small ones for little, the largest once more is to be expected.
func TestWhatBuffersAQueueTakes(t *testing.T) {
	type step struct {
		push, advance int
		busy          bool
	}
	for _, tt := range []struct {
		name  string
		steps []step
		want  []int // sizes
	}{
		{"a little", []step{{push: 100}}, []int{bufpool.Small}},
		{"a full record", []step{{push: fullRecord}}, []int{bufpool.Bulk}},
		{"almost one", []step{{push: fullRecord - 1}}, []int{bufpool.Record}},
		{"more that just fits", []step{{push: 100}, {push: bufpool.Small - 100}}, []int{bufpool.Small}},
		{"more that does not fit", []step{{push: 100}, {push: bufpool.Small - 99}}, []int{bufpool.Medium}},
		{"more, and the most has been sent", []step{{push: 1000, advance: 900}, {push: 1000}}, []int{bufpool.Medium}},
		{"a little more, and the most has been sent", []step{{push: 1000, advance: 900}, {push: 100}}, []int{bufpool.Bulk}},
		{"more while the first is being sent", []step{{push: 1000}, {push: 100, busy: true}}, []int{bufpool.Small, bufpool.Bulk}},
		{"more than the largest holds", []step{{push: bufpool.Bulk}, {push: 1}}, []int{bufpool.Bulk, bufpool.Bulk}},
		{"the largest is filled first", []step{{push: bufpool.Bulk - 10}, {push: 11}}, []int{bufpool.Bulk, bufpool.Bulk}},
		{"all has been sent", []step{{push: 1000, advance: 1000}, {push: 10}}, []int{bufpool.Small}},
	} {
		lent(t, tt.name, func(t *testing.T) {
			var q queue
			for _, s := range tt.steps {
				q.add(make([]byte, s.push), s.busy)
				q.advance(s.advance)
			}
			var got []int
			for i, c := range q.chunks {
				got = append(got, len(c.buf))
				if i < len(q.chunks)-1 && c.w < len(c.buf) && !tt.steps[i+1].busy {
					t.Errorf("buffer %d has room for %d bytes", i, len(c.buf)-c.w)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("buffers of %v bytes, want %v", got, tt.want)
			}
			q.drop()
		})
	}
}
