package conn

import (
	"testing"
)

func TestStatsCountBothDirections(t *testing.T) {
	for _, kind := range kinds {
		client, server := pair(t, kind)
		served := echo(server)
		for _, size := range []int{0, 10, 20_000} {
			_ = client.Write(bg, Binary, make([]byte, size))
			if _, _, err := client.Read(bg); err != nil {
				t.Fatal(err)
			}
		}
		_ = client.Close(StatusNormalClosure, "")
		<-served
		for _, s := range []Stats{client.Stats(), server.Stats()} {
			if s.MessagesIn != 3 || s.MessagesOut != 3 || s.PayloadIn != 20_010 || s.PayloadOut != 20_010 || s.Pending != 0 {
				t.Errorf("%s: %+v", kind, s)
			}
			if s.WireIn <= s.PayloadIn || s.WireOut <= s.PayloadOut {
				t.Errorf("%s: %+v", kind, s)
			}
		}
		if n := server.Stats().ControlIn; n != 1 {
			t.Errorf("%s: %d control frames", kind, n)
		}
	}
}

// BenchmarkCounting is what Stats costs a message that is echoed: counting it in and out, and,
// as if each came alone, publishing what was received. docs/performance.md compares it with
// the message.
func BenchmarkCounting(b *testing.B) {
	_, c := pair(b, "pipe")
	b.ReportAllocs()
	for b.Loop() {
		c.in.news.encoded += 32
		c.received(32)
		c.send.countMessage(32)
		c.observeOut(Text, 32)
		c.publish()
	}
}
