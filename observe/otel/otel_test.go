package otel_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/observe"
	"github.com/seed-c4549abd/wss/observe/internal/observetest"
	wssotel "github.com/seed-c4549abd/wss/observe/otel"
)

// recording is an observer with what it has recorded.
type recording struct {
	*wssotel.Observer
	reader *sdkmetric.ManualReader
	spans  *tracetest.SpanRecorder
	tracer trace.Tracer
}

func newRecording(t testing.TB, o wssotel.Options) recording {
	t.Helper()
	r := recording{reader: sdkmetric.NewManualReader(), spans: tracetest.NewSpanRecorder()}
	traces := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(r.spans))
	o.MeterProvider, o.TracerProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader)), traces
	o.Propagator = propagation.TraceContext{}
	r.tracer = traces.Tracer("test")
	var err error
	if r.Observer, err = wssotel.New(o); err != nil {
		t.Fatal(err)
	}
	return r
}

// collect returns the values by name, unit and attributes; of histograms the number of values.
func (r recording) collect(t *testing.T) map[string]float64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := r.reader.Collect(context.Background(), &all); err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			name := m.Name + " " + m.Unit
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				if data.Temporality != metricdata.CumulativeTemporality || data.IsMonotonic == (strings.HasSuffix(m.Name, "active") || strings.HasSuffix(m.Name, "usage")) {
					t.Errorf("%s: %v, monotonic %v", m.Name, data.Temporality, data.IsMonotonic)
				}
				for _, p := range data.DataPoints {
					got[name+attributes(p.Attributes)] = float64(p.Value)
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					got[name+attributes(p.Attributes)] = float64(p.Count)
				}
			default:
				t.Errorf("%s is a %T", m.Name, data)
			}
		}
	}
	return got
}

func attributes(set attribute.Set) (s string) {
	for _, kv := range set.ToSlice() {
		s += " " + string(kv.Key) + "=" + kv.Value.String()
	}
	return s
}

func TestASceneInMetrics(t *testing.T) {
	r := newRecording(t, wssotel.Options{})
	end := observetest.Scene(t, r, r.ConnContext)
	got := r.collect(t)
	for _, direction := range []string{"receive", "transmit"} {
		wire, encoded := "websocket.wire.io By network.io.direction="+direction, "websocket.encoded.io By network.io.direction="+direction
		if got[encoded] <= 0 || got[encoded] > 400 || got[wire] <= got[encoded] {
			t.Errorf("%s: %v bytes in frames of 4,000 equal ones, %v at the socket", direction, got[encoded], got[wire])
		}
		delete(got, wire)
		delete(got, encoded)
	}
	if diff := cmp.Diff(map[string]float64{
		"websocket.connections.active {connection}":                                                       1,
		"websocket.connections.opened {connection}":                                                       3,
		"websocket.connections.closed {connection} websocket.close.code=1000 websocket.close.token=peer":  1,
		"websocket.connections.closed {connection} websocket.close.code=other websocket.close.token=peer": 1,
		"websocket.handshakes.refused {request} error.type=origin":                                        1,
		"websocket.messages {message} network.io.direction=receive":                                       4,
		"websocket.messages {message} network.io.direction=transmit":                                      4,
		"websocket.messages.dropped {message}":                                                            0,
		"websocket.messages.replaced {message}":                                                           0,
		"websocket.control_frames {frame} network.io.direction=receive":                                   4,
		"websocket.control_frames {frame} network.io.direction=transmit":                                  4,
		"websocket.payload.io By network.io.direction=receive":                                            4000,
		"websocket.payload.io By network.io.direction=transmit":                                           4000,
		"websocket.queue.usage By":                                                                        0,
		"websocket.round_trip.duration s":                                                                 1,
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	end()
	if got := r.collect(t); got["websocket.connections.active {connection}"] != 0 {
		t.Errorf("in the end: %v", got)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if got := r.collect(t); len(got) > 1 {
		t.Errorf("after Close: %v", got)
	}
}

// shown is what a test compares of a span.
type shown struct {
	Name       string
	Kind       string
	Status     string
	Attributes map[string]any
	Events     []string
}

func show(s sdktrace.ReadOnlySpan) shown {
	x := shown{Name: s.Name(), Kind: s.SpanKind().String(), Status: s.Status().Code.String(), Attributes: map[string]any{}}
	for _, kv := range s.Attributes() {
		switch kv.Key { // these differ from run to run
		case "network.peer.port", "server.port", "websocket.wire.received", "websocket.wire.sent":
		default:
			x.Attributes[string(kv.Key)] = kv.Value.AsInterface()
		}
	}
	for _, e := range s.Events() {
		x.Events = append(x.Events, e.Name)
	}
	return x
}

func TestASceneInSpans(t *testing.T) {
	r := newRecording(t, wssotel.Options{})
	observetest.Scene(t, r, r.ConnContext)()
	ended := r.spans.Ended()
	if len(ended) != 3 {
		t.Fatalf("%d spans", len(ended))
	}
	if diff := cmp.Diff(shown{
		Name: "websocket", Kind: "server", Status: "Unset",
		Events: []string{"websocket.opened", "websocket.round_trip", "websocket.closed"},
		Attributes: map[string]any{
			"network.peer.address": "127.0.0.1", "network.protocol.name": "websocket", "server.address": "127.0.0.1", "url.path": "/chat",
			"tls.protocol.version": "1.3", "websocket.subprotocol": "chat", "websocket.compressed": true,
			"websocket.close.code": "1000", "websocket.close.token": "peer", "websocket.close.by_peer": true,
			"websocket.messages.received": int64(3), "websocket.messages.sent": int64(3),
			"websocket.payload.received": int64(3000), "websocket.payload.sent": int64(3000),
		},
	}, show(ended[0])); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, s := range ended {
		if text := fmt.Sprint(s.Attributes(), s.Events(), s.Status()); strings.Contains(text, "secret") || strings.ContainsAny(text, "\n\x1b\u202e") {
			t.Errorf("%q", text)
		}
	}
}

// TestWhatWentWrongIsAnError, with its token.
func TestWhatWentWrongIsAnError(t *testing.T) {
	r := newRecording(t, wssotel.Options{})
	signals := observetest.NewSignals()
	url, dial := observetest.Echo(t, &conn.AcceptOptions{Observer: observe.All(r, signals), MessageLimit: 10})
	c, _, err := conn.Dial(t.Context(), url, dial)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Write(t.Context(), conn.Text, make([]byte, 11))
	_, _, _ = c.Read(t.Context())
	<-signals.Ends
	s := r.spans.Ended()[0]
	want := attribute.String("error.type", "message_too_big")
	if s.Status().Code != codes.Error || !slices.Contains(s.Attributes(), want) || s.SpanKind() != trace.SpanKindInternal {
		t.Errorf("status %v, kind %v, %v", s.Status(), s.SpanKind(), s.Attributes())
	}
}

// TestParents: middleware's span is the parent; the client's of a header only if it is trusted; Dial's context has that of a client.
func TestParents(t *testing.T) {
	for _, trust := range []bool{false, true} {
		r := newRecording(t, wssotel.Options{TrustRemoteParent: trust})
		signals := observetest.NewSignals()
		local := r.ConnContext
		url, dial := observetest.Echo(t, &conn.AcceptOptions{
			Observer:    observe.All(r, signals),
			ConnContext: func(r *http.Request) context.Context { return local(r) },
		})
		url += "/chat?token=secret"
		ctx, span := r.tracer.Start(t.Context(), "caller")
		dial.Header = http.Header{}
		propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(dial.Header))
		dial.Observer = r.ForDial(ctx, url)
		connect := func() (server, client sdktrace.ReadOnlySpan) {
			c, _, err := conn.Dial(t.Context(), url, dial)
			if err != nil {
				t.Fatal(err)
			}
			_ = c.Close(conn.StatusNormalClosure, "")
			<-signals.Ends
			for _, s := range r.spans.Ended() {
				switch s.SpanKind() {
				case trace.SpanKindServer:
					server = s
				case trace.SpanKindClient:
					client = s
				}
			}
			return server, client
		}
		server, client := connect()
		if client.Parent().SpanID() != span.SpanContext().SpanID() || !slices.Contains(client.Attributes(), attribute.String("url.path", "/chat")) {
			t.Errorf("client: parent %v, %v", client.Parent(), client.Attributes())
		}
		if trust != (server.Parent().SpanID() == span.SpanContext().SpanID()) || trust != (len(server.Links()) == 0) ||
			trust != (server.SpanContext().TraceID() == span.SpanContext().TraceID()) {
			t.Errorf("trust %v: parent %v, links %v", trust, server.Parent(), server.Links())
		}
		var middle trace.Span
		local = func(req *http.Request) context.Context {
			var in context.Context
			in, middle = r.tracer.Start(req.Context(), "middleware")
			defer middle.End()
			return r.ConnContext(req.WithContext(in))
		}
		if server, _ := connect(); server.Parent().SpanID() != middle.SpanContext().SpanID() || len(server.Links()) != 0 {
			t.Errorf("parent %v, links %v", server.Parent(), server.Links())
		}
	}
}

// TestContextHasTheSpan while the connection lives.
func TestContextHasTheSpan(t *testing.T) {
	r := newRecording(t, wssotel.Options{})
	url, dial := observetest.Echo(t, nil)
	dial.Observer = r
	c, _, err := conn.Dial(t.Context(), url, dial)
	if err != nil {
		t.Fatal(err)
	}
	_, child := r.tracer.Start(r.Context(c), "message")
	child.End()
	_ = c.CloseNow()
	all := r.spans.Ended()
	if len(all) != 2 || all[0].Parent().SpanID() != all[1].SpanContext().SpanID() {
		t.Errorf("%d spans", len(all))
	}
	if trace.SpanContextFromContext(r.Context(c)).IsValid() {
		t.Error("a span after the end")
	}
}

type ender struct{ conn.NopObserver }

func (ender) Opened(c *conn.Conn) { _ = c.CloseNow() }

// TestASpanEndsOnce, whatever the order of events, and if the observer is told twice.
func TestASpanEndsOnce(t *testing.T) {
	for name, all := range map[string]func(o conn.Observer) conn.Observer{
		"twice":               func(o conn.Observer) conn.Observer { return observe.All(o, o) },
		"behind what ends it": func(o conn.Observer) conn.Observer { return observe.All(ender{}, o) },
		"before what ends it": func(o conn.Observer) conn.Observer { return observe.All(o, ender{}) },
	} {
		r := newRecording(t, wssotel.Options{})
		url, dial := observetest.Echo(t, nil)
		dial.Observer = all(r)
		if c, _, err := conn.Dial(t.Context(), url, dial); err == nil {
			_ = c.CloseNow()
		}
		if got := r.spans.Ended(); len(got) != 1 || len(r.spans.Started()) != 1 || len(got[0].Events()) != 2 {
			t.Errorf("%s: %d started, %d ended", name, len(r.spans.Started()), len(got))
		}
	}
}

// TestTheDefaultsAreTheGlobalProviders, which do nothing unless a program sets them; URLs that Dial refuses do not matter.
func TestTheDefaultsAreTheGlobalProviders(t *testing.T) {
	o, err := wssotel.New(wssotel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	url, dial := observetest.Echo(t, &conn.AcceptOptions{Observer: o, ConnContext: o.ConnContext})
	dial.Observer = o.ForDial(t.Context(), "://\x00")
	c, _, err := conn.Dial(t.Context(), url, dial)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close(conn.StatusNormalClosure, "")
	o.RoundTrip(c, time.Second)
	o.Refused(&http.Request{}, &conn.HandshakeError{})
	if err := o.Close(); err != nil {
		t.Error(err)
	}
}

// BenchmarkCost is the cost of an echo with the observer.
func BenchmarkCost(b *testing.B) { observetest.Cost(b, newRecording(b, wssotel.Options{})) }
