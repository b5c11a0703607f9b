package nats

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed-c4549abd/wss/pubsub"
)

// BenchmarkPublish is 128 bytes by the server in this process, on its disk: one publisher that waits for each, and a hundred at once. With
// three nodes, all in this process, each message is on all of their disks.
func BenchmarkPublish(b *testing.B) {
	for _, nodes := range []int{1, 3} {
		e := startNodes(b, nodes)
		for _, publishers := range []int{1, 100} {
			b.Run(fmt.Sprintf("nodes=%d/publishers=%d", nodes, publishers), func(b *testing.B) { publishBy(b, e, publishers) })
		}
	}
}

// startNodes starts as many nodes, and returns the first one's engine.
func startNodes(b *testing.B, n int) (first *Engine) {
	b.Helper()
	addresses := freeAddresses(b, n)
	for i := range n {
		o := Options{Dir: b.TempDir()}
		if n > 1 {
			o.Cluster = &Cluster{Name: fmt.Sprint("n", i), Listen: addresses[i]}
			for k, other := range addresses {
				if k != i {
					o.Cluster.Routes = append(o.Cluster.Routes, other)
				}
			}
		}
		e, err := Start(o)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = e.Close() })
		if first == nil {
			first = e
		}
	}
	if err := first.Ready(b.Context()); err != nil {
		b.Fatal(err)
	}
	return first
}

func publishBy(b *testing.B, e *Engine, publishers int) {
	data := []byte(`"` + strings.Repeat("x", 126) + `"`)
	o := pubsub.TopicOptions{History: 100}
	var next atomic.Int64
	var tasks sync.WaitGroup
	b.ResetTimer()
	for i := range publishers {
		topic := fmt.Sprint("topic/", i%50)
		tasks.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if _, err := e.Publish(b.Context(), topic, o, pubsub.Message{Data: data}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	tasks.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
