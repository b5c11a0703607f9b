package websocket

import (
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/race"
)

func TestAllocations(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	bufpool.Track(false) // it allocates
	defer bufpool.Track(true)
	client, server := pair(t, "plain", Upgrader{}, Dialer{})
	defer inBackground(func() {
		p := make([]byte, 4096)
		for {
			if _, err := client.NetConn().Read(p); err != nil {
				return
			}
		}
	})()
	defer server.Close()
	message := make([]byte, 128)
	prepared, err := NewPreparedMessage(BinaryMessage, message)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		most  float64
		write func() error
	}{
		{"a message", 0, func() error { return server.WriteMessage(BinaryMessage, message) }},
		{"a prepared message", 0, func() error { return server.WritePreparedMessage(prepared) }},
		{"a pong", 0, func() error { return server.WriteControl(PongMessage, nil, time.Time{}) }},
		{"a message with a deadline", 1, func() error {
			_ = server.SetWriteDeadline(time.Now().Add(time.Minute))
			return server.WriteMessage(BinaryMessage, message)
		}},
	} {
		n := testing.AllocsPerRun(200, func() {
			if err := tt.write(); err != nil {
				t.Fatal(err)
			}
		})
		if n > tt.most {
			t.Errorf("%s takes %v allocations, want %v", tt.name, n, tt.most)
		}
	}
}

// BenchmarkWriteMessage is over loopback with TLS, to a client that reads.
func BenchmarkWriteMessage(b *testing.B) {
	benchmark(b, func(c *Conn, p []byte) error { return c.WriteMessage(BinaryMessage, p) })
}

// BenchmarkWriteMessageWithDeadline sets a deadline before each message, as many programs do.
func BenchmarkWriteMessageWithDeadline(b *testing.B) {
	benchmark(b, func(c *Conn, p []byte) error {
		_ = c.SetWriteDeadline(time.Now().Add(time.Minute))
		return c.WriteMessage(BinaryMessage, p)
	})
}

func benchmark(b *testing.B, write func(*Conn, []byte) error) {
	bufpool.Track(false) // it allocates
	defer bufpool.Track(true)
	for _, kind := range kinds {
		b.Run(kind, func(b *testing.B) {
			client, server := pair(b, kind, Upgrader{}, Dialer{})
			defer inBackground(func() {
				for {
					if _, _, err := client.ReadMessage(); err != nil {
						return
					}
				}
			})()
			defer server.Close()
			p := make([]byte, 128)
			b.ReportAllocs()
			for b.Loop() {
				if err := write(server, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
