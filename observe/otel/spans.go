package otel

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/observe"
	"github.com/seed-c4549abd/wss/observe/internal/track"
)

// ConnContext is a value for AcceptOptions.ConnContext. It returns the context of observe.ConnContext with the client's span, which
// the Propagator finds in the request's header, unless middleware has begun a span for the request. To add values, write a function
// that calls it. It may be called by any number of goroutines.
func (n *Observer) ConnContext(r *http.Request) context.Context {
	ctx := observe.ConnContext(r)
	if !trace.SpanContextFromContext(ctx).IsValid() {
		p := n.options.Propagator
		if p == nil {
			p = otel.GetTextMapPropagator()
		}
		ctx = p.Extract(ctx, propagation.HeaderCarrier(r.Header))
	}
	return context.WithValue(ctx, serverKey{}, true)
}

// serverKey marks the context of a server's connection; targetKey holds the target of a client's connection.
type (
	serverKey struct{}
	targetKey struct{}
)

// withTarget returns a context like ctx that holds host and path of a URL.
func withTarget(ctx context.Context, rawURL string) context.Context {
	if u, err := url.Parse(rawURL); err == nil {
		ctx = context.WithValue(ctx, targetKey{}, observe.Request{Host: u.Host, Path: u.Path})
	}
	return ctx
}

func (n *Observer) startSpan(c *conn.Conn, parent context.Context, kind trace.SpanKind) trace.Span {
	request, known := observe.RequestOf(parent)
	if kind == trace.SpanKindUnspecified && (known || parent.Value(serverKey{}) != nil) {
		kind = trace.SpanKindServer
	}
	if target, ok := parent.Value(targetKey{}).(observe.Request); ok {
		request = target
	}
	options := []trace.SpanStartOption{trace.WithSpanKind(kind)}
	if remote := trace.SpanContextFromContext(parent); remote.IsRemote() && !n.options.TrustRemoteParent {
		options = append(options, trace.WithNewRoot(), trace.WithLinks(trace.Link{SpanContext: remote}))
	}
	name := "websocket"
	if route := routeOf(request.Pattern); route != "" {
		name += " " + route
	}
	_, span := n.tracer.Start(parent, name, options...)
	if span.IsRecording() {
		span.SetAttributes(attributesOf(c, request)...)
		span.AddEvent("websocket.opened")
	}
	return span
}

// routeOf returns the path of a pattern of http.ServeMux.
func routeOf(pattern string) string {
	i := strings.IndexByte(pattern, '/')
	if i < 0 {
		return ""
	}
	return pattern[i:]
}

func attributesOf(c *conn.Conn, r observe.Request) []attribute.KeyValue {
	attrs := []attribute.KeyValue{attribute.String("network.protocol.name", "websocket"), compressedKey.Bool(c.Compressed())}
	text := func(key attribute.Key, value string) {
		if value != "" {
			attrs = append(attrs, key.String(track.Clean(value, track.MaxText)))
		}
	}
	endpoint := func(address, port attribute.Key, value string) {
		host, number := splitPort(value)
		text(address, host)
		if number != 0 {
			attrs = append(attrs, port.Int(number))
		}
	}
	endpoint("network.peer.address", "network.peer.port", track.Address(c.RemoteAddr()))
	endpoint("server.address", "server.port", r.Host)
	text("url.path", r.Path)
	text("http.route", routeOf(r.Pattern))
	text(subprotocolKey, c.Subprotocol())
	if state, ok := c.TLS(); ok {
		text("tls.protocol.version", strings.TrimPrefix(tls.VersionName(state.Version), "TLS "))
	}
	return attrs
}

// splitPort splits host:port; the port is 0 if there is none.
func splitPort(s string) (host string, port int) {
	h, p, err := net.SplitHostPort(s)
	if err != nil {
		return s, 0
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		return s, 0
	}
	return h, int(n)
}

func (n *Observer) endSpan(span trace.Span, c *conn.Conn, why *conn.CloseError) {
	defer span.End()
	if !span.IsRecording() {
		return
	}
	token := track.Clean(why.Token(), track.MaxToken)
	closing := []attribute.KeyValue{codeKey.String(strconv.Itoa(int(why.Code))), tokenKey.String(token), byPeerKey.Bool(why.Remote)}
	event := closing
	if why.Reason != "" {
		event = append(event, reasonKey.String(track.Clean(why.Reason, track.MaxText)))
	}
	span.AddEvent("websocket.closed", trace.WithAttributes(event...))
	span.SetAttributes(closing...)
	s := c.Stats()
	span.SetAttributes(
		attribute.Int64("websocket.messages.received", s.MessagesIn), attribute.Int64("websocket.messages.sent", s.MessagesOut),
		attribute.Int64("websocket.payload.received", s.PayloadIn), attribute.Int64("websocket.payload.sent", s.PayloadOut),
		attribute.Int64("websocket.wire.received", s.WireIn), attribute.Int64("websocket.wire.sent", s.WireOut),
	)
	if track.Abnormal(why) {
		span.SetAttributes(attribute.String("error.type", token))
		span.SetStatus(codes.Error, track.Clean(why.Error(), track.MaxText))
	}
}
