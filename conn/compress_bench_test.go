//go:build unix

package conn

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/handshake"
)

// settingsOf are the modes and windows that docs/performance.md compares.
func settingsOf() (names []string, list []handshake.DeflateParams) {
	add := func(name string, p handshake.DeflateParams) {
		names, list = append(names, name), append(list, p)
	}
	add("off", handshake.DeflateParams{})
	for _, alone := range []bool{true, false} {
		for bits := 9; bits <= 15; bits++ {
			mode := map[bool]string{true: "no-takeover", false: "takeover"}[alone]
			add(fmt.Sprintf("%s/bits=%d", mode, bits), handshake.DeflateParams{
				ServerNoContextTakeover: alone, ClientNoContextTakeover: alone,
				ServerMaxWindowBits: bits, ClientMaxWindowBits: bits,
			})
		}
	}
	return names, list
}

// orders returns JSON as services send it: the same names, ever other values.
func orders(rng *rand.Rand, size int) []byte {
	words := []string{"limit", "market", "stop", "buy", "sell", "open", "filled", "cancelled", "XETR", "XLON", "XNYS", "EUR", "USD"}
	var b []byte
	for len(b) < size {
		b = fmt.Appendf(b, `{"order":%d,"account":"%x","type":%q,"side":%q,"state":%q,"venue":%q,"price":%.2f,"quantity":%d,"time":%d},`,
			rng.Uint32(), rng.Uint64(), words[rng.IntN(3)], words[3+rng.IntN(2)], words[5+rng.IntN(3)], words[8+rng.IntN(3)],
			rng.Float64()*1000, rng.IntN(10_000), 1_700_000_000_000+rng.Uint64N(1e10))
	}
	return b[:size]
}

// cpuTime returns what the process has used so far, user and system.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCompressionCPU sends 1 KiB of JSON and receives it, in one process: CPU
// time per message for both sides together, and the bytes on the wire.
func BenchmarkCompressionCPU(b *testing.B) {
	names, list := settingsOf()
	for i, p := range list {
		b.Run(names[i], func(b *testing.B) {
			client, server := compressedPair(b, "plain", p, Compression{})
			var messages [][]byte
			rng := rand.New(rand.NewPCG(1, 2))
			for range 256 {
				messages = append(messages, orders(rng, 1024))
			}
			buf := make([]byte, 0, 4096)
			round := func(i int) {
				if err := server.Write(bg, Text, messages[i%len(messages)]); err != nil {
					b.Fatal(err)
				}
				if _, _, err := client.ReadInto(bg, buf); err != nil {
					b.Fatal(err)
				}
			}
			for i := range 256 {
				round(i)
			}
			wire, cpu, n := client.Stats().WireIn, cpuTime(), 0
			for b.Loop() {
				round(n)
				n++
			}
			b.ReportMetric(float64(cpuTime()-cpu)/float64(n), "cpu-ns/msg")
			b.ReportMetric(float64(client.Stats().WireIn-wire)/float64(n), "wire-B/msg")
		})
	}
}

// BenchmarkCompressionMemory measures the heap and stacks that a connection adds, one
// side of it, after messages have filled its windows: idle, and within a message in
// both directions.
func BenchmarkCompressionMemory(b *testing.B) {
	const pairs = 100
	names, list := settingsOf()
	for i, p := range list {
		b.Run(names[i], func(b *testing.B) {
			for b.Loop() {
				before := inUse()
				var conns []*Conn
				for range pairs {
					client, server := compressedPair(b, "plain", p, Compression{})
					for range 3 {
						talk(b, client, server)
						talk(b, server, client)
					}
					conns = append(conns, client, server)
				}
				b.ReportMetric(float64(inUse()-before)/(2*pairs), "idle-B/conn")
				var held []any
				for _, c := range conns {
					held = append(held, begin(b, c))
				}
				for _, c := range conns {
					held = append(held, receive(b, c))
				}
				b.ReportMetric(float64(inUse()-before)/(2*pairs), "busy-B/conn")
				runtime.KeepAlive(held)
				for _, c := range conns {
					_ = c.CloseNow()
				}
			}
		})
	}
}

func inUse() int64 {
	for range 6 { // kept compressors go to the pools, and the pools have a second generation
		runtime.GC()
		time.Sleep(5 * time.Millisecond) // cleanups run beside us
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

func talk(b *testing.B, from, to *Conn) {
	go func() { _ = from.Write(bg, Text, jsonText(1, 40_000)) }()
	if _, _, err := to.Read(bg); err != nil {
		b.Fatal(err)
	}
}

// begin sends the first fragment of a message.
func begin(b *testing.B, c *Conn) any {
	w, err := c.Writer(bg, Text)
	if err != nil {
		b.Fatal(err)
	}
	_, _ = w.Write(jsonText(2, 2000))
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	return w
}

// receive reads a part of it.
func receive(b *testing.B, c *Conn) any {
	_, r, err := c.Reader(bg)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 100)); err != nil {
		b.Fatal(err)
	}
	return r
}
