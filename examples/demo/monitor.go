package main

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/pubsub"
)

// bounds are the upper ends of the histogram's buckets of round trips, in milliseconds; the last bucket has none.
var bounds = []float64{0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 250, 1000}

// roundTrips is an observer that counts the round trips of pings.
type roundTrips struct {
	conn.NopObserver
	mu      sync.Mutex
	buckets [12]int64
}

var _ conn.RoundTripObserver = (*roundTrips)(nil)

// RoundTrip implements conn.RoundTripObserver.
func (r *roundTrips) RoundTrip(_ *conn.Conn, d time.Duration) {
	ms := float64(d) / float64(time.Millisecond)
	i := 0
	for i < len(bounds) && ms > bounds[i] {
		i++
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.buckets[i]++
}

func (r *roundTrips) counts() [12]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buckets
}

// sample is the monitor's data of one second.
type sample struct {
	At          int64            `json:"at"` // milliseconds since 1970
	Node        string           `json:"node"`
	Nodes       int              `json:"nodes"`
	Connections int64            `json:"connections"`
	HTTP2       int64            `json:"http2"` // of them, over HTTP/2
	Opened      int64            `json:"opened"`
	In          float64          `json:"in"` // messages in this second
	Out         float64          `json:"out"`
	BytesIn     float64          `json:"bytesIn"` // at the socket, TLS included
	BytesOut    float64          `json:"bytesOut"`
	Codes       map[string]int64 `json:"codes"` // since the start
	Bounds      []float64        `json:"bounds"`
	RoundTrips  [12]int64        `json:"roundTrips"` // since the start
}

// watch publishes a sample every second, until the context ends.
func watch(ctx context.Context, hub *pubsub.Hub, trips *roundTrips, node string, nodes func() int) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	group := hub.Group()
	before, at := group.Stats(), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		ping(ctx, group)
		now, stats := time.Now(), group.Stats()
		s := newSample(before, stats, now.Sub(at))
		s.Node, s.Nodes, s.At, s.Bounds, s.RoundTrips = node, nodes(), now.UnixMilli(), bounds, trips.counts()
		for c := range group.Conns() {
			if c.HTTPVersion() == "HTTP/2" {
				s.HTTP2++
			}
		}
		before, at = stats, now
		data, err := json.Marshal(s)
		if err == nil {
			_, _ = hub.Publish(ctx, monitorTopic, data) // an error means that the server ends
		}
	}
}

// ping pings all connections, so that the histogram has more round trips than those of keepalive.
func ping(ctx context.Context, group *conn.Group) {
	for c := range group.Conns() {
		go func() {
			ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			_, _ = c.Ping(ctx)
		}()
	}
}

// newSample returns the differences between two counts of a group, per second. d is the time between them.
func newSample(before, after conn.GroupStats, d time.Duration) sample {
	perSecond := func(a, b int64) float64 { return float64(b-a) / d.Seconds() }
	s := sample{
		Connections: after.Active, Opened: after.Opened, Codes: map[string]int64{},
		In: perSecond(before.MessagesIn, after.MessagesIn), Out: perSecond(before.MessagesOut, after.MessagesOut),
		BytesIn: perSecond(before.WireIn, after.WireIn), BytesOut: perSecond(before.WireOut, after.WireOut),
	}
	for code, n := range after.Codes {
		s.Codes[strconv.Itoa(int(code))] = n
	}
	return s
}
