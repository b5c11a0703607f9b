package prometheus_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/observe/internal/observetest"
	wssprometheus "github.com/seed-c4549abd/wss/observe/prometheus"
)

// scrape asks as Prometheus does, and parses the answer.
func scrape(t *testing.T, r *prometheus.Registry) map[string]*dto.MetricFamily {
	t.Helper()
	srv := httptest.NewServer(promhttp.HandlerFor(r, promhttp.HandlerOpts{}))
	defer srv.Close()
	resp, err := srv.Client().Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, error %v", resp.StatusCode, err)
	}
	return families
}

// values are the series of a scrape by name and labels, without buckets.
func values(families map[string]*dto.MetricFamily) map[string]float64 {
	all := map[string]float64{}
	for name, f := range families {
		for _, m := range f.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			key := name
			if len(labels) > 0 {
				key += "{" + strings.Join(labels, ",") + "}"
			}
			switch f.GetType() {
			case dto.MetricType_COUNTER:
				all[key] = m.GetCounter().GetValue()
			case dto.MetricType_GAUGE:
				all[key] = m.GetGauge().GetValue()
			case dto.MetricType_HISTOGRAM:
				all[key] = float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return all
}

func registered(t *testing.T, o wssprometheus.Options) (*wssprometheus.Observer, *prometheus.Registry) {
	t.Helper()
	observer, registry := wssprometheus.New(o), prometheus.NewPedanticRegistry()
	if err := registry.Register(observer); err != nil {
		t.Fatal(err)
	}
	return observer, registry
}

func TestASceneInAScrape(t *testing.T) {
	observer, registry := registered(t, wssprometheus.Options{})
	end := observetest.Scene(t, observer, nil)
	got := values(scrape(t, registry))
	for _, direction := range []string{"received", "sent"} {
		wire, encoded := "websocket_wire_"+direction+"_bytes_total", "websocket_encoded_"+direction+"_bytes_total"
		if got[encoded] <= 0 || got[encoded] > 400 || got[wire] <= got[encoded] {
			t.Errorf("%s: %v bytes in frames of 4,000 equal ones, %v at the socket", direction, got[encoded], got[wire])
		}
		delete(got, wire)
		delete(got, encoded)
	}
	want := map[string]float64{
		"websocket_connections_active":                              1,
		"websocket_connections_opened_total":                        3,
		"websocket_connections_closed_total{code=1000,token=peer}":  1,
		"websocket_connections_closed_total{code=other,token=peer}": 1,
		"websocket_handshakes_refused_total{token=origin}":          1,
		"websocket_messages_received_total":                         4,
		"websocket_messages_sent_total":                             4,
		"websocket_messages_dropped_total":                          0,
		"websocket_messages_replaced_total":                         0,
		"websocket_control_frames_received_total":                   4,
		"websocket_control_frames_sent_total":                       4,
		"websocket_payload_received_bytes_total":                    4000,
		"websocket_payload_sent_bytes_total":                        4000,
		"websocket_queue_bytes":                                     0,
		"websocket_queue_longest_bytes":                             0,
		"websocket_round_trip_seconds":                              1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	end()
	if got := values(scrape(t, registry)); got["websocket_connections_active"] != 0 || got["websocket_connections_closed_total{code=1001,token=peer}"] != 1 {
		t.Errorf("in the end: %v", got)
	}
}

// TestNamesFollowTheConventions, by Prometheus's own linter.
func TestNamesFollowTheConventions(t *testing.T) {
	observer, registry := registered(t, wssprometheus.Options{})
	observetest.Scene(t, observer, nil)()
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

// TestARoundTripFallsIntoItsBucket, with bounds of one's own and a native histogram too.
func TestARoundTripFallsIntoItsBucket(t *testing.T) {
	observer, registry := registered(t, wssprometheus.Options{RoundTripBuckets: []float64{.1, 1}, NativeHistogram: true})
	for _, d := range []time.Duration{50 * time.Millisecond, time.Second, time.Minute} {
		observer.RoundTrip(nil, d)
	}
	h := scrape(t, registry)["websocket_round_trip_seconds"].Metric[0].GetHistogram()
	var got []uint64
	for _, b := range h.Bucket {
		got = append(got, b.GetCumulativeCount())
	}
	if !slices.Equal(got, []uint64{1, 2, 3}) || h.GetSampleSum() != 61.05 {
		t.Errorf("buckets %v, sum %v", got, h.GetSampleSum())
	}
}

// TestTwoObserversInOneRegistry need different labels.
func TestTwoObserversInOneRegistry(t *testing.T) {
	_, registry := registered(t, wssprometheus.Options{ConstLabels: prometheus.Labels{"role": "server"}})
	if err := registry.Register(wssprometheus.New(wssprometheus.Options{ConstLabels: prometheus.Labels{"role": "client"}})); err != nil {
		t.Error(err)
	}
	if err := registry.Register(wssprometheus.New(wssprometheus.Options{ConstLabels: prometheus.Labels{"role": "client"}})); err == nil {
		t.Error("the same labels twice")
	}
	if got := values(scrape(t, registry)); got["websocket_connections_active{role=server}"] != 0 || len(got) != 2*17 {
		t.Errorf("%d series: %v", len(got), slices.Sorted(maps.Keys(got)))
	}
}

// TestOptionsThatCannotBeUsed are refused when the observer is registered, and never panic.
func TestOptionsThatCannotBeUsed(t *testing.T) {
	for name, o := range map[string]wssprometheus.Options{
		"a namespace that is no name":  {Namespace: "\xff"},
		"the label of buckets":         {ConstLabels: prometheus.Labels{"le": "1"}},
		"a label that is used":         {ConstLabels: prometheus.Labels{"code": "1"}},
		"a label that is no name":      {ConstLabels: prometheus.Labels{"\xff": "1"}},
		"buckets that do not increase": {RoundTripBuckets: []float64{1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			observer := wssprometheus.New(o)
			observer.RoundTrip(nil, time.Second)
			observer.Refused(nil, &conn.HandshakeError{})
			if err := prometheus.NewRegistry().Register(observer); err == nil {
				t.Error("registered")
			}
			metrics := make(chan prometheus.Metric, 100)
			observer.Collect(metrics)
		})
	}
}

// TestPeersCannotMakeSeriesUp, by codes or by what a Check makes of a request.
func TestPeersCannotMakeSeriesUp(t *testing.T) {
	observer, registry := registered(t, wssprometheus.Options{Codes: []conn.StatusCode{4000}})
	signals := observetest.NewSignals()
	url, dial := observetest.Echo(t, &conn.AcceptOptions{Observer: observer})
	dial.Observer = signals
	for i := range 20 {
		c, _, err := conn.Dial(t.Context(), url, dial)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(conn.StatusCode(4000+i), fmt.Sprint("reason ", i)); err != nil {
			t.Fatal(err)
		}
		<-signals.Ends
	}
	for i := range 10_000 {
		observer.Refused(nil, &conn.HandshakeError{Token: fmt.Sprintf("made_up_%d", i)})
		observer.Refused(nil, &conn.HandshakeError{Token: fmt.Sprintf("made\"up\n%d", i)})
	}
	families := scrape(t, registry)
	closed, refused := families["websocket_connections_closed_total"].Metric, families["websocket_handshakes_refused_total"].Metric
	if len(closed) > 2 || len(refused) > 129 {
		t.Errorf("%d series of ends, %d of refusals", len(closed), len(refused))
	}
}

// TestOneObserverServesBothRoles at once: it counts each end.
func TestOneObserverServesBothRoles(t *testing.T) {
	observer, registry := registered(t, wssprometheus.Options{Namespace: "game"})
	url, dial := observetest.Echo(t, &conn.AcceptOptions{Observer: observer})
	dial.Observer = observer
	c, _, err := conn.Dial(t.Context(), url, dial)
	if err != nil {
		t.Fatal(err)
	}
	if got := values(scrape(t, registry)); got["game_connections_active"] != 2 {
		t.Errorf("%v", got)
	}
	_ = c.CloseNow()
}

// BenchmarkCost is the cost of an echo with the observer.
func BenchmarkCost(b *testing.B) {
	observetest.Cost(b, wssprometheus.New(wssprometheus.Options{}))
}

// BenchmarkScrape is a scrape with a thousand connections.
func BenchmarkScrape(b *testing.B) {
	observer, registry := wssprometheus.New(wssprometheus.Options{}), prometheus.NewRegistry()
	registry.MustRegister(observer)
	url, dial := observetest.Echo(b, nil)
	dial.Observer = observer
	for range 1000 {
		c, _, err := conn.Dial(b.Context(), url, dial)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.CloseNow() })
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := registry.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}
