//go:build unix

package conn

import (
	"fmt"
	"io"
	"sync"
	"testing"
)

// BenchmarkWriters is 64 B by many goroutines on one connection over TLS; its reader
// only decrypts. The CPU time is that of both sides.
func BenchmarkWriters(b *testing.B) {
	for _, n := range []int{1, 2, 8, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			cn, sn := ends(b, "tls")
			server := newConn(newTransport(sn), 0, "", newSettings(0, 0, -1, 0), nil, nil)
			defer server.CloseNow()
			go func() { _, _ = io.Copy(io.Discard, cn) }()
			p := make([]byte, 64)
			var wg sync.WaitGroup
			before := cpuTime()
			b.ResetTimer()
			for range n {
				wg.Go(func() {
					for range b.N / n {
						if err := server.Write(bg, Binary, p); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
			// Each record has 22 bytes of its own.
			records := (server.Stats().WireOut - int64(b.N/n*n)*66) / 22
			b.ReportMetric(float64(b.N)/float64(records), "messages/record")
		})
	}
}

// BenchmarkParking is the part of BenchmarkWriters that is the scheduler's: as many goroutines
// that sleep and do nothing else, of which one wakes all others whenever half of them sleep, as it is
// there. With more than one processor (-cpu) they mostly wait for each other.
func BenchmarkParking(b *testing.B) {
	b.Run("turns", func(b *testing.B) {
		var mu sync.Mutex
		next, last := sync.NewCond(unlocker{&mu}), sync.NewCond(unlocker{&mu})
		benchmarkParking(b, &mu, func() { next.Wait() }, func() {
			t := next
			next, last = last, next
			mu.Unlock()
			t.Broadcast()
		})
	})
	b.Run("channels", func(b *testing.B) {
		var mu sync.Mutex
		var asleep []chan struct{}
		spare := sync.Pool{New: func() any { return make(chan struct{}, 1) }}
		benchmarkParking(b, &mu, func() {
			woken := spare.Get().(chan struct{})
			asleep = append(asleep, woken)
			mu.Unlock()
			<-woken
			spare.Put(woken)
		}, func() {
			for _, ch := range asleep {
				ch <- struct{}{}
			}
			asleep = asleep[:0]
			mu.Unlock()
		})
	})
}

// benchmarkParking has goroutines call sleep and one of them wake; both let go of mu.
func benchmarkParking(b *testing.B, mu *sync.Mutex, sleep, wake func()) {
	const n = 64
	asleep := 0
	over := false // somebody is done: nobody sleeps any more
	var wg sync.WaitGroup
	before := cpuTime()
	b.ResetTimer()
	for range n {
		wg.Go(func() {
			for range b.N / n {
				mu.Lock()
				if asleep < n/2-1 && !over {
					asleep++
					sleep()
				} else {
					asleep = 0
					wake()
				}
			}
			mu.Lock()
			over = true
			wake()
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
}
