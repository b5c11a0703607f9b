// Package prometheus counts connections for Prometheus, with its client library. For most uses the zero Options will do:
//
//	observer := prometheus.New(prometheus.Options{})
//	err := registry.Register(observer)
//	c, err := conn.Accept(w, r, &conn.AcceptOptions{Observer: observer})
//
// An [Observer] is not called for messages: it reads the counts of the connections at each scrape. Its metrics, with the default
// namespace:
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
//	websocket_encoded_received_bytes_total, …_sent_bytes_total  counters; messages as in frames, compressed if they are
//	websocket_wire_received_bytes_total, …_sent_bytes_total     counters; at the socket, TLS included
//	websocket_queue_bytes                            gauge; bytes queued for peers
//	websocket_queue_longest_bytes                    gauge; bytes queued for the peer with the longest queue
//	websocket_round_trip_seconds                     histogram; from a ping to its pong
//
// The compression ratio is encoded bytes divided by payload bytes.
//
// Peers cannot add series without limit: close codes that are neither registered nor in Options.Codes are "other", and so are tokens
// that do not consist of lower case letters, digits and underscores or come after the first 128.
package prometheus

import (
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/observe/internal/track"
)

// DefaultNamespace is the value of Namespace if it is empty.
const DefaultNamespace = "websocket"

// Options configure an Observer. The zero value is the default. If an option cannot be used, the registry's Register returns an
// error.
type Options struct {
	// Namespace is the prefix of the metrics' names, without the underscore. Empty: DefaultNamespace.
	Namespace string
	// ConstLabels are labels of every metric. Two observers in one registry need different ones, for example role="server" and
	// role="client". Nil: none.
	ConstLabels prometheus.Labels
	// Codes are the application's close codes that have their own series, as the registered ones have. Nil: none.
	Codes []conn.StatusCode
	// RoundTripBuckets are the upper bounds of websocket_round_trip_seconds in seconds, increasing. Nil: 14 bounds from 1 ms to 20 s.
	RoundTripBuckets []float64
	// NativeHistogram also collects round trips as a native histogram, with a bucket factor of 1.1.
	NativeHistogram bool
}

// Observer is a [conn.Observer] that counts, and a [prometheus.Collector]. One serves any number of connections of both roles. It is
// made by New; the zero value cannot be used. All methods may be called by any number of goroutines.
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

// counter is the metric of a field of Stats.
type counter struct {
	desc  *prometheus.Desc
	value func(*conn.Stats) int64
}

// statsCounters are the counters of the fields of Stats.
var statsCounters = []struct {
	name, help string
	value      func(*conn.Stats) int64
}{
	{"messages_received_total", "WebSocket messages that were received.", func(s *conn.Stats) int64 { return s.MessagesIn }},
	{"messages_sent_total", "WebSocket messages that were sent.", func(s *conn.Stats) int64 { return s.MessagesOut }},
	{"messages_dropped_total", "WebSocket messages that were dropped because a queue was full.", func(s *conn.Stats) int64 { return s.Dropped }},
	{"messages_replaced_total", "Queued WebSocket messages that a later one has replaced.", func(s *conn.Stats) int64 { return s.Replaced }},
	{"control_frames_received_total", "Close, ping and pong frames that were received.", func(s *conn.Stats) int64 { return s.ControlIn }},
	{"control_frames_sent_total", "Close, ping and pong frames that were sent.", func(s *conn.Stats) int64 { return s.ControlOut }},
	{"payload_received_bytes_total", "Bytes of received messages, uncompressed.", func(s *conn.Stats) int64 { return s.PayloadIn }},
	{"payload_sent_bytes_total", "Bytes of sent messages, uncompressed.", func(s *conn.Stats) int64 { return s.PayloadOut }},
	{"encoded_received_bytes_total", "Bytes of received messages as in frames, compressed if they were.", func(s *conn.Stats) int64 { return s.EncodedIn }},
	{"encoded_sent_bytes_total", "Bytes of sent messages as in frames, compressed if they were.", func(s *conn.Stats) int64 { return s.EncodedOut }},
	{"wire_received_bytes_total", "Bytes received at the socket, TLS included.", func(s *conn.Stats) int64 { return s.WireIn }},
	{"wire_sent_bytes_total", "Bytes sent at the socket, TLS included.", func(s *conn.Stats) int64 { return s.WireOut }},
}

// New returns an observer. It does not register it.
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
		queueBytes:   desc("queue_bytes", "Bytes queued for peers."),
		queueLongest: desc("queue_longest_bytes", "Bytes queued for the peer with the longest queue."),
		err:          o.problem(),
	}
	for _, c := range statsCounters {
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

// problem returns an error for an option that would make the client library panic.
func (o *Options) problem() error {
	if _, ok := o.ConstLabels["le"]; ok {
		return errors.New("websocket: Options.ConstLabels must not have the label le, which histograms use")
	}
	for i := 1; i < len(o.RoundTripBuckets); i++ {
		if !(o.RoundTripBuckets[i-1] < o.RoundTripBuckets[i]) {
			return errors.New("websocket: Options.RoundTripBuckets must increase")
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

// Describe implements [prometheus.Collector].
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

// Collect implements [prometheus.Collector]. It takes some 200 ns for each live connection.
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
		send(c.desc, prometheus.CounterValue, c.value(&t.Stats))
	}
	n.roundTrips.Collect(to)
}

var (
	_ conn.RoundTripObserver = (*Observer)(nil)
	_ conn.MessageIgnorer    = (*Observer)(nil)
	_ prometheus.Collector   = (*Observer)(nil)
)
