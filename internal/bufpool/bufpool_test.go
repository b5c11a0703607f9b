package bufpool

import (
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/internal/race"
)

func TestGetLendsTheSmallestClassThatFits(t *testing.T) {
	for _, tt := range []struct{ size, want int }{
		{0, Small}, {Small, Small}, {Small + 1, Medium}, {Medium, Medium}, {Medium + 1, Record},
		{Record, Record}, {Record + 1, Bulk}, {Bulk, Bulk}, {Bulk + 1, Large}, {Large + 1, Huge}, {Huge + 1, Huge + 1},
	} {
		for range 2 { // once new, once perhaps from the pool
			b := Get(tt.size)
			if len(b) != tt.want || cap(b) != tt.want {
				t.Errorf("Get(%d) has length %d and capacity %d, want %d", tt.size, len(b), cap(b), tt.want)
			}
			Put(b)
		}
	}
}

func TestReturnedBuffersAreCountedAndPoisoned(t *testing.T) {
	Track(true)
	defer Track(false)
	b := Get(100)
	copy(b, "secret")
	if n := Outstanding(); n != 1 {
		t.Errorf("%d outstanding, want 1", n)
	}
	if who := Holders(); strings.Count(who, "taken by") != 1 || !strings.Contains(who, "TestReturnedBuffersAreCountedAndPoisoned:") {
		t.Errorf("held by\n%s", who)
	}
	Put(b[:3])
	Put(nil)
	if n := Outstanding(); n != 0 {
		t.Errorf("%d outstanding, want 0", n)
	}
	for i, c := range b {
		if c != Poison {
			t.Fatalf("byte %d is %#x", i, c)
		}
	}
}

// TestBuffersOfBeforeAreNotCounted when they come back.
func TestBuffersOfBeforeAreNotCounted(t *testing.T) {
	b := Get(100)
	Track(true)
	defer Track(false)
	Put(b)
	if n := Outstanding(); n != 0 || Holders() != "" {
		t.Errorf("%d outstanding, held by\n%s", n, Holders())
	}
}

func TestGetAndPutDoNotAllocate(t *testing.T) {
	if race.Enabled {
		return
	}
	if n := testing.AllocsPerRun(1000, func() { Put(Get(Bulk)) }); n > 0.1 {
		t.Errorf("%v allocations", n)
	}
}
