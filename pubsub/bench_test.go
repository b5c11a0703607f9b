package pubsub_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/conntest"
	"github.com/seed-c4549abd/wss/internal/race"
	"github.com/seed-c4549abd/wss/pubsub"
)

// TestAHundredThousandSubscriptions of 2,000 connections: what one takes of the heap, and that all are gone with their connections.
func TestAHundredThousandSubscriptions(t *testing.T) {
	const each, topics = 50, 1000
	conns := 2000
	if testing.Short() || race.Enabled {
		conns = 100
	}
	h := pubsub.New(nil)
	accepted := make(chan *conn.Conn, 1)
	s := conntest.NewServer(t, acceptInto(accepted), &conntest.Options{NoTranscript: true, URL: "ws://localhost/"})
	var servers []*conn.Conn
	for range conns {
		s.Connect("/", nil)
		servers = append(servers, <-accepted)
	}
	names := make([]string, topics)
	for i := range names {
		names[i] = fmt.Sprintf("topic/%d", i)
	}
	before := heap()
	for i, c := range servers {
		for k := range each {
			if _, err := h.Subscribe(c, names[(i*each+k*7)%topics], pubsub.SubscribeOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	n := conns * each
	if s := h.Stats(); s.Subscriptions != n || s.Subscribers != conns {
		t.Errorf("%+v", s)
	}
	bytes := float64(int64(heap())-int64(before)) / float64(n)
	t.Logf("%d subscriptions of %d connections: %.0f bytes each", n, conns, bytes)
	if bytes > 400 {
		t.Errorf("a subscription takes %.0f bytes", bytes)
	}
	for _, c := range servers {
		_ = c.CloseNow()
	}
	for deadline := time.Now().Add(time.Minute); h.Stats().Topics != 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%+v", h.Stats())
		}
	}
	runtime.KeepAlive(servers)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkPublish is 256 bytes to each of 1,000 subscribers over wss on loopback, beside Broadcast of the same connections, which
// knows no topics. Their peers take the ciphertext as it comes.
func BenchmarkPublish(b *testing.B) {
	const many = 1000
	accepted := make(chan *conn.Conn, 1)
	group := new(conn.Group)
	url, clientTLS := serveTLS(b, group, accepted)
	h := pubsub.New(nil)
	for range many {
		var socket net.Conn
		c, _, err := conn.Dial(context.Background(), url, &conn.DialOptions{TLS: clientTLS, NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := new(net.Dialer).DialContext(ctx, network, addr)
			socket = nc
			return nc, err
		}})
		if err != nil {
			b.Fatal(err)
		}
		go func() { _, _ = io.Copy(io.Discard, socket) }()
		b.Cleanup(func() { _ = c.CloseNow() })
		if _, err := h.Subscribe(<-accepted, "all", pubsub.SubscribeOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	data := fmt.Appendf(nil, `"%0200d"`, 0)
	b.Run("publish", func(b *testing.B) {
		for b.Loop() {
			if _, err := h.Publish(context.Background(), "all", data); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/many, "ns/subscriber")
	})
	b.Run("broadcast", func(b *testing.B) {
		for b.Loop() {
			p, err := conn.Prepare(conn.Text, data)
			if err != nil {
				b.Fatal(err)
			}
			if n := group.Broadcast(context.Background(), nil, p); n != many {
				b.Fatal(n)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/many, "ns/subscriber")
	})
}
