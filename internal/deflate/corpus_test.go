package deflate

import (
	"bytes"
	"fmt"
	"math/rand/v2"
)

// A jsonMessage looks like what products send: the same keys, other values.
func jsonMessage(r *rand.Rand, size int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"channel":"trades","sequence":%d,"events":[`, r.Uint32())
	for i := 0; b.Len() < size; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"%08x","symbol":"%s","price":%d.%02d,"quantity":%d,"side":"%s","time":"2026-03-%02dT12:%02d:%02dZ"}`,
			r.Uint32(), symbols[r.IntN(len(symbols))], r.IntN(100000), r.IntN(100), r.IntN(1000),
			[]string{"buy", "sell"}[r.IntN(2)], 1+r.IntN(28), r.IntN(60), r.IntN(60))
	}
	return b.Bytes()[:size]
}

var symbols = []string{"AAPL", "MSFT", "BTC-USD", "ETH-EUR", "GOOG"}

func random(r *rand.Rand, size int) []byte {
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

// corpus returns messages of every shape that takes another path somewhere.
func corpus(r *rand.Rand) [][]byte {
	list := [][]byte{
		nil, []byte("a"), []byte("Hello"), []byte("Hello"), bytes.Repeat([]byte("ab"), 13),
		bytes.Repeat([]byte{0}, 70_000), random(r, 10), random(r, 5000), random(r, 70_000),
	}
	for _, size := range []int{20, 33, 100, 127, 128, 129, 500, 1024, 1024, 4096, 16384, 40_000, 70_000} {
		list = append(list, jsonMessage(r, size))
	}
	// Repetitions just within and beyond each window.
	for bits := minBits; bits <= maxBits; bits++ {
		for _, away := range []int{1<<bits - 20, 1<<bits - 1, 1 << bits, 1<<bits + 1} {
			word := random(r, 40)
			list = append(list, append(append(bytes.Clone(word), random(r, away-len(word))...), word...))
		}
	}
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }
