package otel

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/observe/internal/track"
)

// Attributes that this package defines; the others are those of the semantic conventions.
const (
	codeKey        = attribute.Key("websocket.close.code")
	tokenKey       = attribute.Key("websocket.close.token")
	reasonKey      = attribute.Key("websocket.close.reason")
	byPeerKey      = attribute.Key("websocket.close.by_peer")
	subprotocolKey = attribute.Key("websocket.subprotocol")
	compressedKey  = attribute.Key("websocket.compressed")
	roundTripKey   = attribute.Key("websocket.round_trip.duration")
)

var (
	receive  = metric.WithAttributeSet(attribute.NewSet(attribute.String("network.io.direction", "receive")))
	transmit = metric.WithAttributeSet(attribute.NewSet(attribute.String("network.io.direction", "transmit")))
)

// directed is a counter with the attribute network.io.direction.
type directed struct {
	name, unit, description string
	in, out                 func(*conn.Stats) int64
}

var directedCounters = []directed{
	{"websocket.messages", "{message}", "Messages.",
		func(s *conn.Stats) int64 { return s.MessagesIn }, func(s *conn.Stats) int64 { return s.MessagesOut }},
	{"websocket.control_frames", "{frame}", "Close, ping and pong frames.",
		func(s *conn.Stats) int64 { return s.ControlIn }, func(s *conn.Stats) int64 { return s.ControlOut }},
	{"websocket.payload.io", "By", "Bytes of messages, uncompressed.",
		func(s *conn.Stats) int64 { return s.PayloadIn }, func(s *conn.Stats) int64 { return s.PayloadOut }},
	{"websocket.encoded.io", "By", "Bytes of messages as in frames, compressed if they were.",
		func(s *conn.Stats) int64 { return s.EncodedIn }, func(s *conn.Stats) int64 { return s.EncodedOut }},
	{"websocket.wire.io", "By", "Bytes at the socket, TLS included.",
		func(s *conn.Stats) int64 { return s.WireIn }, func(s *conn.Stats) int64 { return s.WireOut }},
}

// register creates the instruments and the callback that observes the counts when metrics are collected.
func (n *Observer) register(m metric.Meter) (err error) {
	var all []metric.Observable
	keep := func(e error) {
		if err == nil {
			err = e
		}
	}
	counter := func(name, unit, description string) metric.Int64ObservableCounter {
		i, e := m.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
		keep(e)
		all = append(all, i)
		return i
	}
	upDown := func(name, unit, description string) metric.Int64ObservableUpDownCounter {
		i, e := m.Int64ObservableUpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
		keep(e)
		all = append(all, i)
		return i
	}
	active := upDown("websocket.connections.active", "{connection}", "Connections that are open.")
	opened := counter("websocket.connections.opened", "{connection}", "Connections that were opened.")
	closed := counter("websocket.connections.closed", "{connection}", "Connections that have ended, by close code and cause.")
	refused := counter("websocket.handshakes.refused", "{request}", "Opening handshakes that this server has refused, by cause.")
	dropped := counter("websocket.messages.dropped", "{message}", "Messages that were dropped because a queue was full.")
	replaced := counter("websocket.messages.replaced", "{message}", "Queued messages that a later one has replaced.")
	queue := upDown("websocket.queue.usage", "By", "Bytes queued for peers.")
	var inAndOut []metric.Int64ObservableCounter
	for _, d := range directedCounters {
		inAndOut = append(inAndOut, counter(d.name, d.unit, d.description))
	}
	var histogramErr error
	n.roundTrips, histogramErr = roundTrips(m)
	if keep(histogramErr); err != nil {
		return err
	}
	n.registration, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		t := n.counts.Totals()
		o.ObserveInt64(active, t.Active)
		o.ObserveInt64(opened, t.Opened)
		for how, count := range t.Closed {
			o.ObserveInt64(closed, count, metric.WithAttributes(codeKey.String(how.Code), tokenKey.String(how.Token)))
		}
		for token, count := range t.Refused {
			o.ObserveInt64(refused, count, metric.WithAttributes(attribute.String("error.type", token)))
		}
		o.ObserveInt64(dropped, t.Dropped)
		o.ObserveInt64(replaced, t.Replaced)
		o.ObserveInt64(queue, t.Pending)
		for i, d := range directedCounters {
			o.ObserveInt64(inAndOut[i], d.in(&t.Stats), receive)
			o.ObserveInt64(inAndOut[i], d.out(&t.Stats), transmit)
		}
		return nil
	}, all...)
	return err
}

// roundTrips creates the histogram of round trips.
func roundTrips(m metric.Meter) (metric.Float64Histogram, error) {
	return m.Float64Histogram("websocket.round_trip.duration", metric.WithUnit("s"),
		metric.WithDescription("Time from a ping of this side to its answer."),
		metric.WithExplicitBucketBoundaries(track.RoundTripBuckets...))
}
