// Package prometheus counts connections for Prometheus, with its client library.
//
//	observer := prometheus.New(prometheus.Options{})
//	err := registry.Register(observer)
//	c, err := conn.Accept(w, r, &conn.AcceptOptions{Observer: observer})
//
// An [Observer] sums up at each scrape and does nothing for single messages. These are its metrics, here with the
// default namespace:
//
//	websocket_connections_active                     gauge
//	websocket_connections_opened_total               counter
//	websocket_connections_closed_total{code,token}   counter; by CloseError.Code and CloseError.Token
//	websocket_handshakes_refused_total{token}        counter; of servers, by HandshakeError.Token
//	websocket_messages_received_total, …_sent_total  counters
//	websocket_messages_dropped_total                 counter; Stats.Dropped
//	websocket_messages_replaced_total                counter; Stats.Replaced
//	websocket_control_frames_received_total, …_sent_total
//	websocket_payload_received_bytes_total, …_sent_bytes_total  counters; messages, uncompressed
//	websocket_encoded_received_bytes_total, …_sent_bytes_total  counters; the same in frames: compressed, if it is
//	websocket_wire_received_bytes_total, …_sent_bytes_total     counters; at the socket, TLS included
//	websocket_queue_bytes                            gauge; what waits for peers to take it
//	websocket_queue_longest_bytes                    gauge; what waits for the slowest of them
//	websocket_round_trip_seconds                     histogram; of pings that were answered
//
// The compression ratio is a quotient of encoded and payload bytes.
//
// Peers cannot make series up: close codes that are neither registered nor in Options.Codes are "other", and so
// are tokens that do not look like one (lower case, digits, underscores) or come after the first 128.
package prometheus

import (
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/observe/internal/track"
)

// DefaultNamespace is what an empty Namespace stands for.
const DefaultNamespace = "websocket"

// Options say what the metrics are called. The zero value is the default. What cannot be used, Register refuses with
// an error.
type Options struct {
	// Namespace is what the names begin with. Zero: DefaultNamespace.
	Namespace string
	// ConstLabels are put on every metric. Two observers in one registry need different ones: role="server" and
	// role="client", for example. Nil: none.
	ConstLabels prometheus.Labels
	// Codes are the application's close codes that have series of their own, besides the registered ones. Nil: none.
	Codes []conn.StatusCode
	// RoundTripBuckets are the upper bounds of websocket_round_trip_seconds, increasing. Nil: 14 from 1 ms to 20 s.
	RoundTripBuckets []float64
	// NativeHistogram has the round trips also collected as a native histogram, with a factor of 1.1.
	NativeHistogram bool
}

// Observer is a [conn.Observer] that counts, and a [prometheus.Collector]. It is made by New, for any number of
// connections of both roles. All methods may be called by any number of goroutines.
type Observer struct {
	conn.NopObserver
	counts     track.Counts
	roundTrips prometheus.Histogram

	err                      error // of the options
	active, opened           *prometheus.Desc
	closed, refused          *prometheus.Desc
	queueBytes, queueLongest *prometheus.Desc
	counters                 []counter
}

// counter is a field of Stats.
type counter struct {
	desc  *prometheus.Desc
	value func(*track.Totals) int64
}

// New returns an observer that counts. It registers nothing.
func New(o Options) *Observer {
	if o.Namespace == "" {
		o.Namespace = DefaultNamespace
	}
	if o.RoundTripBuckets == nil {
		o.RoundTripBuckets = track.RoundTripBuckets
	}
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(o.Namespace, "", name), help, labels, o.ConstLabels)
	}
	n := &Observer{
		counts:       track.Counts{Codes: track.NewCodes(o.Codes)},
		active:       desc("connections_active", "WebSocket connections that are open."),
		opened:       desc("connections_opened_total", "WebSocket connections that were opened."),
		closed:       desc("connections_closed_total", "WebSocket connections that have ended, by close code and cause.", "code", "token"),
		refused:      desc("handshakes_refused_total", "WebSocket opening handshakes that this server has refused, by cause.", "token"),
		queueBytes:   desc("queue_bytes", "Bytes that wait for peers to take them."),
		queueLongest: desc("queue_longest_bytes", "Bytes that wait for the peer for which the most wait."),
		err:          o.problem(),
	}
	for _, c := range []struct {
		name, help string
		value      func(*track.Totals) int64
	}{
		{"messages_received_total", "WebSocket messages that were received.", func(t *track.Totals) int64 { return t.MessagesIn }},
		{"messages_sent_total", "WebSocket messages that were sent.", func(t *track.Totals) int64 { return t.MessagesOut }},
		{"messages_dropped_total", "WebSocket messages that were given up because a queue was full.", func(t *track.Totals) int64 { return t.Dropped }},
		{"messages_replaced_total", "Queued WebSocket messages that a later one has replaced.", func(t *track.Totals) int64 { return t.Replaced }},
		{"control_frames_received_total", "Close, ping and pong frames that were received.", func(t *track.Totals) int64 { return t.ControlIn }},
		{"control_frames_sent_total", "Close, ping and pong frames that were sent.", func(t *track.Totals) int64 { return t.ControlOut }},
		{"payload_received_bytes_total", "Bytes of received messages, uncompressed.", func(t *track.Totals) int64 { return t.PayloadIn }},
		{"payload_sent_bytes_total", "Bytes of sent messages, uncompressed.", func(t *track.Totals) int64 { return t.PayloadOut }},
		{"encoded_received_bytes_total", "Bytes of received messages as in frames, compressed if they were.", func(t *track.Totals) int64 { return t.EncodedIn }},
		{"encoded_sent_bytes_total", "Bytes of sent messages as in frames, compressed if they were.", func(t *track.Totals) int64 { return t.EncodedOut }},
		{"wire_received_bytes_total", "Bytes received at the socket, TLS included.", func(t *track.Totals) int64 { return t.WireIn }},
		{"wire_sent_bytes_total", "Bytes sent at the socket, TLS included.", func(t *track.Totals) int64 { return t.WireOut }},
	} {
		n.counters = append(n.counters, counter{desc(c.name, c.help), c.value})
	}
	if n.err == nil {
		h := prometheus.HistogramOpts{
			Namespace: o.Namespace, Name: "round_trip_seconds", Help: "Time from a ping of this side to its answer.",
			ConstLabels: o.ConstLabels, Buckets: o.RoundTripBuckets,
		}
		if o.NativeHistogram {
			h.NativeHistogramBucketFactor, h.NativeHistogramMaxBucketNumber = 1.1, 100
		}
		n.roundTrips = prometheus.NewHistogram(h)
	}
	return n
}

// problem says which option would make the client library panic.
func (o *Options) problem() error {
	if _, ok := o.ConstLabels["le"]; ok {
		return errors.New("websocket: Options.ConstLabels may not have the label le, which histograms use")
	}
	for i := 1; i < len(o.RoundTripBuckets); i++ {
		if !(o.RoundTripBuckets[i-1] < o.RoundTripBuckets[i]) {
			return errors.New("websocket: Options.RoundTripBuckets has to increase")
		}
	}
	return nil
}

// IgnoresMessages returns true: see [conn.MessageIgnorer].
func (n *Observer) IgnoresMessages() bool { return true }

// Opened counts the connection.
func (n *Observer) Opened(c *conn.Conn) { n.counts.Opened(c) }

// Closed counts how the connection has ended.
func (n *Observer) Closed(c *conn.Conn, why *conn.CloseError) { n.counts.Closed(c, why) }

// Refused counts the request by its token.
func (n *Observer) Refused(r *http.Request, why *conn.HandshakeError) { n.counts.Refused(r, why) }

// RoundTrip counts the answer of a ping.
func (n *Observer) RoundTrip(_ *conn.Conn, d time.Duration) {
	if n.roundTrips != nil {
		n.roundTrips.Observe(d.Seconds())
	}
}

// Describe is for the registry.
func (n *Observer) Describe(to chan<- *prometheus.Desc) {
	if n.err != nil {
		to <- prometheus.NewInvalidDesc(n.err)
		return
	}
	for _, d := range []*prometheus.Desc{n.active, n.opened, n.closed, n.refused, n.queueBytes, n.queueLongest} {
		to <- d
	}
	for _, c := range n.counters {
		to <- c.desc
	}
	n.roundTrips.Describe(to)
}

// Collect is for the registry: it sums up. It asks every live connection, some 100 ns for each.
func (n *Observer) Collect(to chan<- prometheus.Metric) {
	if n.err != nil {
		to <- prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(n.err), n.err)
		return
	}
	t := n.counts.Totals()
	send := func(d *prometheus.Desc, typ prometheus.ValueType, value int64, labels ...string) {
		m, err := prometheus.NewConstMetric(d, typ, float64(value), labels...)
		if err != nil {
			m = prometheus.NewInvalidMetric(d, err)
		}
		to <- m
	}
	send(n.active, prometheus.GaugeValue, t.Active)
	send(n.opened, prometheus.CounterValue, t.Opened)
	for how, count := range t.Closed {
		send(n.closed, prometheus.CounterValue, count, how.Code, how.Token)
	}
	for token, count := range t.Refused {
		send(n.refused, prometheus.CounterValue, count, token)
	}
	send(n.queueBytes, prometheus.GaugeValue, t.Pending)
	send(n.queueLongest, prometheus.GaugeValue, t.LongestQueue)
	for _, c := range n.counters {
		send(c.desc, prometheus.CounterValue, c.value(&t))
	}
	n.roundTrips.Collect(to)
}

var (
	_ conn.RoundTripObserver = (*Observer)(nil)
	_ conn.MessageIgnorer    = (*Observer)(nil)
	_ prometheus.Collector   = (*Observer)(nil)
)
