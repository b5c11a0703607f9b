package deflate

import (
	"bytes"
	"testing"
)

func TestWindowHoldsTheLastBytes(t *testing.T) {
	r := source(20)
	for _, size := range []int{512, 4096} {
		for _, pooled := range []bool{false, true} {
			var w window
			var all []byte
			for range 2000 {
				p := random(r, r.IntN(40))
				if r.IntN(50) == 0 {
					p = random(r, r.IntN(3*size))
				}
				w.add(p, size, pooled)
				all = append(all, p...)
				want := all[max(0, len(all)-size):]
				if got := w.appendTo([]byte("before"))[6:]; !bytes.Equal(got, want) {
					t.Fatalf("size %d after %d bytes: %d bytes, not the last %d", size, len(all), len(got), len(want))
				}
				if len(want) == 0 {
					continue
				}
				back := 1 + r.IntN(len(want))
				got := make([]byte, r.IntN(30)+1)
				n := w.copyBack(got, back)
				if n < 1 || !bytes.HasPrefix(want[len(want)-back:], got[:n]) {
					t.Fatalf("size %d: %d bytes from %d back are wrong", size, n, back)
				}
			}
			w.drop()
			if w.n != 0 || w.ring != nil || len(w.appendTo(nil)) != 0 {
				t.Error("a dropped window is not empty")
			}
		}
	}
}

func TestWindowGrowsAsItFills(t *testing.T) {
	var w window
	sizes := []int{}
	for range 100 {
		w.add(make([]byte, 100), 1<<12, false)
		if n := len(w.ring); len(sizes) == 0 || sizes[len(sizes)-1] != n {
			sizes = append(sizes, n)
		}
	}
	if len(sizes) != 5 || sizes[0] != 256 || sizes[4] != 4096 {
		t.Errorf("sizes were %v", sizes)
	}
}
