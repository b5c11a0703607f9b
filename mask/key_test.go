package mask

import (
	"bytes"
	"sync"
	"testing"
)

// Of 10^5 random words of 32 bits about 1.2 pairs are equal. Twenty are as good
// as impossible; a batch handed out twice makes 256.
const tolerableRepeats = 20

func TestNewKeyDoesNotRepeatBatches(t *testing.T) {
	const draws = 100_000
	seen := make(map[[4]byte]bool, draws)
	for range draws {
		seen[NewKey()] = true
	}
	if repeats := draws - len(seen); repeats > tolerableRepeats {
		t.Errorf("%d of %d keys repeat, chance allows about one", repeats, draws)
	}
}

func TestNewKeySharesNoBatchBetweenGoroutines(t *testing.T) {
	const workers, draws = 8, 12_500
	keys := make([][][4]byte, workers)
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() {
			for range draws {
				keys[i] = append(keys[i], NewKey())
			}
		})
	}
	wg.Wait()
	seen := make(map[[4]byte]bool, workers*draws)
	for _, list := range keys {
		for _, key := range list {
			seen[key] = true
		}
	}
	if repeats := workers*draws - len(seen); repeats > tolerableRepeats {
		t.Errorf("%d of %d keys repeat, chance allows about one", repeats, workers*draws)
	}
}

// Every bit of the key must be able to be either: a key that is stuck anywhere
// is one that can be guessed (RFC 6455 §10.3).
func TestNewKeyUsesEveryBit(t *testing.T) {
	var ones, zeros [4]byte
	for range 1000 {
		key := NewKey()
		for i, b := range key {
			ones[i] |= b
			zeros[i] |= ^b
		}
	}
	all := [4]byte{0xff, 0xff, 0xff, 0xff}
	if ones != all || zeros != all {
		t.Errorf("bits seen set %x, seen clear %x, want all of them in both", ones, zeros)
	}
}

func TestBlockErasesTheKeysItGave(t *testing.T) {
	b := &block{used: blockSize}
	for i := range 2 * blockSize / 4 {
		key := b.take()
		if !bytes.Equal(b.random[:b.used], make([]byte, b.used)) {
			t.Fatalf("after key %d (%x) the block still holds used bytes: %x", i, key, b.random[:b.used])
		}
	}
}

func TestNewKeyDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(10_000, func() { NewKey() }); n != 0 {
		t.Errorf("NewKey allocates %v times a call, want 0", n)
	}
}

func BenchmarkNewKey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		NewKey()
	}
}

func BenchmarkNewKeyParallel(b *testing.B) {
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			NewKey()
		}
	})
}
