//go:build unix

package conn

import (
	"crypto/tls"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// BenchmarkSend is 256 B to each of many connections over TLS, beside crypto/tls
// itself. The readers take the ciphertext as it comes; they cost the same in both.
func BenchmarkSend(b *testing.B) {
	const many = 1000
	var servers []*tls.Conn
	for range many {
		cn, sn := ends(b, "tls")
		go func() { _, _ = io.Copy(io.Discard, cn.(*tls.Conn).NetConn()) }()
		servers = append(servers, sn.(*tls.Conn))
		b.Cleanup(func() { _ = sn.Close() })
	}
	data := []byte(strings.Repeat("x", 256))
	h := frame.Header{Fin: true, Opcode: frame.Text, Length: int64(len(data))}
	framed := append(h.Append(nil), data...)
	p := prepare(b, Text, string(data))
	run := func(name string, send func(i int) error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			before := cpuTime()
			for i := range b.N {
				if err := send(i % many); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
		})
	}
	run("tls", func(i int) error {
		_, err := servers[i].Write(framed)
		return err
	})
	conns := make([]*Conn, many)
	for i, sn := range servers {
		conns[i] = newConn(transport.New(sn), 0, "", newSettings(0, 0, -1, 0), nil, nil)
		b.Cleanup(func() { _ = conns[i].CloseNow() })
	}
	run("wss", func(i int) error { return conns[i].Send(bg, p) })
	b.Run("wss latest", func(b *testing.B) { // in turns with Send, as machines are noisy
		var sends, latest time.Duration
		for range max(b.N/many, 1) {
			begin := cpuTime()
			for _, c := range conns {
				if err := c.Send(bg, p); err != nil {
					b.Fatal(err)
				}
			}
			middle := cpuTime()
			for _, c := range conns {
				if err := c.SendLatest(bg, "state", p); err != nil {
					b.Fatal(err)
				}
			}
			sends, latest = sends+middle-begin, latest+cpuTime()-middle
		}
		b.ReportMetric(float64(latest)/float64(sends), "of-Send")
	})
	run("wss write", func(i int) error { return conns[i].Write(bg, Text, data) })
}
