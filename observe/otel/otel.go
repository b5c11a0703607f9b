// Package otel makes metrics and a span for each connection, for OpenTelemetry.
//
//	observer, err := otel.New(otel.Options{})
//	c, err := conn.Accept(w, r, &conn.AcceptOptions{Observer: observer, ConnContext: observer.ConnContext})
//	c, _, err := conn.Dial(ctx, url, &conn.DialOptions{Observer: observer.ForDial(ctx, url)})
//
// An [Observer] sums up when metrics are collected, and does nothing for single messages. Its instruments:
//
//	websocket.connections.active    up-down counter, {connection}
//	websocket.connections.opened    counter, {connection}
//	websocket.connections.closed    counter, {connection}; websocket.close.code, websocket.close.token
//	websocket.handshakes.refused    counter, {request}; of servers; error.type is HandshakeError.Token
//	websocket.messages              counter, {message}; network.io.direction
//	websocket.messages.dropped      counter, {message}; Stats.Dropped
//	websocket.messages.replaced     counter, {message}; Stats.Replaced
//	websocket.control_frames        counter, {frame}; network.io.direction
//	websocket.payload.io            counter, By; network.io.direction; messages, uncompressed
//	websocket.encoded.io            counter, By; network.io.direction; the same in frames: compressed, if it is
//	websocket.wire.io               counter, By; network.io.direction; at the socket, TLS included
//	websocket.queue.usage           up-down counter, By; what waits for peers to take it
//	websocket.round_trip.duration   histogram, s; of pings that were answered
//
// A span begins when a connection is opened and ends with it. Its attributes are network.peer.address and
// network.peer.port, tls.protocol.version, websocket.subprotocol and websocket.compressed; with ConnContext or ForDial
// server.address, server.port, url.path and http.route; and in the end websocket.close.code, websocket.close.token and
// counts of messages and bytes. Its events are websocket.opened, websocket.round_trip for each answered ping, and
// websocket.closed. When something went wrong its status is an error and error.type the token. Queries and headers are
// never recorded; what a peer has chosen is cut, and what is not printable in it is escaped.
//
// Peers cannot make series up: close codes that are neither registered nor in Options.Codes are "other" in metrics, and so are
// tokens that do not look like one or come after the first 128. Spans have the code itself.
package otel

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/observe/internal/track"
)

// scope names the instrumentation.
const scope = "github.com/seed-c4549abd/wss/observe/otel"

// Options say where metrics and spans go. The zero value is the default.
type Options struct {
	// MeterProvider and TracerProvider make the instruments and the spans. Nil: the global ones. Those of the packages noop
	// switch one off.
	MeterProvider  metric.MeterProvider
	TracerProvider trace.TracerProvider
	// Propagator finds the client's span in a request for ConnContext. Nil: the global one, which finds none unless it was set.
	Propagator propagation.TextMapPropagator
	// TrustRemoteParent makes the span that a request's header names the parent, and follows its sampling. Set it where
	// only your own programs connect: anybody else could have every connection recorded. Zero: the span begins a trace of its
	// own, and has a link to the client's.
	TrustRemoteParent bool
	// Codes are the application's close codes that metrics show besides the registered ones. Nil: none.
	Codes []conn.StatusCode
}

// Observer is a [conn.Observer] that counts and makes spans. It is made by New, for any number of connections of both
// roles. All methods may be called by any number of goroutines.
type Observer struct {
	conn.NopObserver
	options      Options
	tracer       trace.Tracer
	counts       track.Counts
	spans        track.Live[trace.Span]
	roundTrips   metric.Float64Histogram
	registration metric.Registration
}

// New returns an observer, whose metrics are collected from now on until Close. The error is the meter's.
func New(o Options) (*Observer, error) {
	if o.MeterProvider == nil {
		o.MeterProvider = otel.GetMeterProvider()
	}
	if o.TracerProvider == nil {
		o.TracerProvider = otel.GetTracerProvider()
	}
	n := &Observer{options: o, tracer: o.TracerProvider.Tracer(scope), counts: track.Counts{Codes: track.NewCodes(o.Codes)}}
	if err := n.register(o.MeterProvider.Meter(scope)); err != nil {
		return nil, err
	}
	return n, nil
}

// Close ends the collection of metrics; spans and round trips are still recorded. It is for programs that make
// observers again and again, since the meter keeps them.
func (n *Observer) Close() error { return n.registration.Unregister() }

// IgnoresMessages returns true: see [conn.MessageIgnorer].
func (n *Observer) IgnoresMessages() bool { return true }

// Opened counts the connection and begins its span.
func (n *Observer) Opened(c *conn.Conn) { n.opened(c, c.Context(), trace.SpanKindUnspecified) }

// Closed counts how the connection has ended, and ends its span.
func (n *Observer) Closed(c *conn.Conn, why *conn.CloseError) {
	n.counts.Closed(c, why)
	if span, ok := n.spans.Remove(c); ok { // else Opened follows, and finds that it has ended
		n.endSpan(span, c, why)
	}
}

// Refused counts the request by its token.
func (n *Observer) Refused(r *http.Request, why *conn.HandshakeError) { n.counts.Refused(r, why) }

// RoundTrip records the answer of a ping, as an event of the span too.
func (n *Observer) RoundTrip(c *conn.Conn, d time.Duration) {
	n.roundTrips.Record(context.Background(), d.Seconds())
	if span, ok := n.spans.Get(c); ok {
		span.AddEvent("websocket.round_trip", trace.WithAttributes(roundTripKey.Float64(d.Seconds())))
	}
}

func (n *Observer) opened(c *conn.Conn, parent context.Context, kind trace.SpanKind) {
	n.counts.Opened(c)
	if _, twice := n.spans.Get(c); twice {
		return
	}
	span := n.startSpan(c, parent, kind)
	if _, ended := n.spans.Add(c, span); ended != nil {
		n.endSpan(span, c, ended)
	}
}

// Context returns c.Context with the span of the connection, for spans of your own below it. Without a span, as after
// the connection's end, it is c.Context.
func (n *Observer) Context(c *conn.Conn) context.Context {
	span, ok := n.spans.Get(c)
	if !ok {
		return c.Context()
	}
	return trace.ContextWithSpan(c.Context(), span)
}

// ForDial returns an observer for one call of Dial or Client: its span has the span of ctx as its parent, is one
// of a client, and has the host and the path of rawURL. It counts where n does.
func (n *Observer) ForDial(ctx context.Context, rawURL string) conn.Observer {
	return dialing{n, withTarget(context.WithoutCancel(ctx), rawURL)}
}

// dialing is the Observer for one connection of a client.
type dialing struct {
	*Observer
	parent context.Context
}

// Opened counts the connection and begins its span.
func (d dialing) Opened(c *conn.Conn) { d.opened(c, d.parent, trace.SpanKindClient) }

var (
	_ conn.RoundTripObserver = (*Observer)(nil)
	_ conn.MessageIgnorer    = (*Observer)(nil)
	_ conn.RoundTripObserver = dialing{}
)
