// Package otel records metrics and a span for each connection with OpenTelemetry. For most uses the zero Options will do:
//
//	observer, err := otel.New(otel.Options{})
//	c, err := conn.Accept(w, r, &conn.AcceptOptions{Observer: observer, ConnContext: observer.ConnContext})
//	c, _, err := conn.Dial(ctx, url, &conn.DialOptions{Observer: observer.ForDial(ctx, url)})
//
// An [Observer] is not called for messages: it reads the counts of the connections when metrics are collected. Its instruments:
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
//	websocket.encoded.io            counter, By; network.io.direction; messages as in frames, compressed if they are
//	websocket.wire.io               counter, By; network.io.direction; at the socket, TLS included
//	websocket.queue.usage           up-down counter, By; bytes queued for peers
//	websocket.round_trip.duration   histogram, s; from a ping to its pong
//
// A span begins when a connection is opened and ends with it. Its attributes are network.protocol.name, network.peer.address,
// network.peer.port, tls.protocol.version, websocket.subprotocol and websocket.compressed; with ConnContext or ForDial also
// server.address, server.port, url.path and http.route; at the end websocket.close.code, websocket.close.token,
// websocket.close.by_peer and counts of messages and bytes. Its events are websocket.opened, websocket.round_trip for each answered
// ping, and websocket.closed. If the end is an error, the span's status is Error and error.type is the token. Queries and header
// fields are never recorded. Text that a peer has chosen is cut after 256 bytes, and characters that are not printable are escaped.
//
// Peers cannot add series without limit: in metrics, close codes that are neither registered nor in Options.Codes are "other", and so
// are tokens that do not consist of lower case letters, digits and underscores or come after the first 128. Spans hold the code itself.
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

// scope is the name of the instrumentation scope.
const scope = "github.com/seed-c4549abd/wss/observe/otel"

// Options configure an Observer. The zero value is the default.
type Options struct {
	// MeterProvider and TracerProvider create the instruments and the spans. Nil: the global ones. To turn metrics or spans off, set
	// the provider of package metric/noop or trace/noop.
	MeterProvider  metric.MeterProvider
	TracerProvider trace.TracerProvider
	// Propagator finds the client's span in a request, for ConnContext. Nil: the global one, which finds none unless the program has
	// set it.
	Propagator propagation.TextMapPropagator
	// TrustRemoteParent makes the client's span the parent of the connection's span, and follows its sampling decision. Set it only
	// if all clients are your own programs: any other client could have every connection recorded. False: the span begins a new
	// trace, and has a link to the client's span.
	TrustRemoteParent bool
	// Codes are the application's close codes that metrics show, as they show the registered ones. Nil: none.
	Codes []conn.StatusCode
}

// Observer is a [conn.Observer] that counts and records spans. One serves any number of connections of both roles. It is made by
// New; the zero value cannot be used. All methods may be called by any number of goroutines.
type Observer struct {
	conn.NopObserver
	options      Options
	tracer       trace.Tracer
	counts       track.Counts
	spans        track.Live[trace.Span]
	roundTrips   metric.Float64Histogram
	registration metric.Registration
}

// New returns an observer whose metrics are collected until Close. The error is that of the meter, if it cannot create an
// instrument.
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

// Close ends the collection of metrics; spans and round trips are still recorded. The meter references the observer until then, so
// programs that make observers repeatedly have to call it. The error is that of the meter.
func (n *Observer) Close() error { return n.registration.Unregister() }

// IgnoresMessages returns true: see [conn.MessageIgnorer].
func (n *Observer) IgnoresMessages() bool { return true }

// Opened counts the connection and begins its span.
func (n *Observer) Opened(c *conn.Conn) { n.opened(c, c.Context(), trace.SpanKindUnspecified) }

// Closed counts how the connection has ended, and ends its span.
func (n *Observer) Closed(c *conn.Conn, why *conn.CloseError) {
	n.counts.Closed(c, why)
	if span, ok := n.spans.Remove(c); ok { // if not, Opened follows and finds that it has ended
		n.endSpan(span, c, why)
	}
}

// Refused counts the request by its token.
func (n *Observer) Refused(r *http.Request, why *conn.HandshakeError) { n.counts.Refused(r, why) }

// RoundTrip records the round trip of a ping in the histogram and as an event of the span.
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

// Context returns c.Context with the connection's span, so that spans begun with it are children of that. If there is no span, as
// after the connection's end, it returns c.Context.
func (n *Observer) Context(c *conn.Conn) context.Context {
	span, ok := n.spans.Get(c)
	if !ok {
		return c.Context()
	}
	return trace.ContextWithSpan(c.Context(), span)
}

// ForDial returns an observer for one call of conn.Dial or conn.Client. The connection's span has the kind client, the span of ctx
// as its parent, and host and path of rawURL as attributes. Its counts are added to those of n.
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
