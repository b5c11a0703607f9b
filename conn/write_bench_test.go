//go:build unix

package conn

import (
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/seed-c4549abd/wss/internal/transport"
)

// BenchmarkWriters is 64 B by many goroutines on one connection over TLS; its reader
// only decrypts. The CPU time is that of both sides.
func BenchmarkWriters(b *testing.B) {
	for _, n := range []int{1, 2, 8, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			cn, sn := ends(b, "tls")
			server := newConn(transport.New(sn), 0, "", newSettings(0, 0, -1, 0), nil, nil)
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
