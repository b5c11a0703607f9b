package expvar_test

import (
	"encoding/json"
	"expvar"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c4549abd/wss/conn"
	wssexpvar "github.com/seed-c4549abd/wss/observe/expvar"
	"github.com/seed-c4549abd/wss/observe/internal/observetest"
)

func decode(t *testing.T, v expvar.Var) map[string]any {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal([]byte(v.String()), &got); err != nil {
		t.Fatalf("%v: %s", err, v)
	}
	return got
}

func TestASceneInCounts(t *testing.T) {
	o := wssexpvar.New(wssexpvar.Options{})
	end := observetest.Scene(t, o, nil)
	got := decode(t, o)
	if ratio := got["compression_ratio_in"].(float64); ratio <= 0 || ratio > .1 || got["compression_ratio_out"].(float64) > .1 {
		t.Errorf("1,000 times the same byte are compressed to %v", ratio)
	}
	if in := got["wire_bytes_in"].(float64); in < got["encoded_bytes_in"].(float64) {
		t.Errorf("%v bytes at the socket", in)
	}
	trips := got["round_trip_seconds"].(map[string]any)
	buckets := trips["buckets"].(map[string]any)
	if trips["count"] != 1. || trips["sum"].(float64) <= 0 || len(buckets) != 15 || buckets["+Inf"] != 1. || buckets["20"] != 1. {
		t.Errorf("round trips: %v", trips)
	}
	for _, varies := range []string{
		"wire_bytes_in", "wire_bytes_out", "encoded_bytes_in", "encoded_bytes_out", "compression_ratio_in", "compression_ratio_out", "round_trip_seconds",
	} {
		delete(got, varies)
	}
	if diff := cmp.Diff(map[string]any{
		"connections_active": 1., "connections_opened": 3.,
		"connections_closed": map[string]any{"1000": map[string]any{"peer": 1.}, "other": map[string]any{"peer": 1.}},
		"handshakes_refused": map[string]any{"origin": 1.},
		"messages_in":        4., "messages_out": 4., "messages_dropped": 0., "messages_replaced": 0.,
		"control_frames_in": 4., "control_frames_out": 4., // two pings and two close frames
		"payload_bytes_in": 4000., "payload_bytes_out": 4000., "queue_bytes": 0., "queue_longest_bytes": 0.,
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	end()
	if got := decode(t, o); got["connections_active"] != 0. || got["messages_in"] != 4. {
		t.Errorf("in the end: %v", got)
	}
}

// TestCodesOfTheApplicationAreCounted if they are named.
func TestCodesOfTheApplicationAreCounted(t *testing.T) {
	o := wssexpvar.New(wssexpvar.Options{Codes: []conn.StatusCode{4001}})
	observetest.Scene(t, o, nil)()
	want := map[string]any{"1000": map[string]any{"peer": 1.}, "1001": map[string]any{"peer": 1.}, "4001": map[string]any{"peer": 1.}}
	if diff := cmp.Diff(want, decode(t, o)["connections_closed"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestANameIsPublishedOnce: the second time is an error, not a panic.
func TestANameIsPublishedOnce(t *testing.T) {
	name := fmt.Sprint("websocket_once_", time.Now().UnixNano()) // go test -count 2 is one program
	a, b := wssexpvar.New(wssexpvar.Options{}), wssexpvar.New(wssexpvar.Options{})
	if err := a.Publish(name); err != nil {
		t.Fatal(err)
	}
	for _, o := range []*wssexpvar.Observer{a, b} {
		if err := o.Publish(name); err == nil {
			t.Error("published twice")
		}
	}
	if expvar.Get(name) != expvar.Var(a) {
		t.Error("another is published")
	}
}

// TestTheZeroValueCounts.
func TestTheZeroValueCounts(t *testing.T) {
	var o wssexpvar.Observer
	if got := decode(t, &o); got["connections_active"] != 0. || len(got["handshakes_refused"].(map[string]any)) != 0 || got["compression_ratio_in"] != 1. {
		t.Errorf("before anything: %v", got)
	}
	o.Refused(&http.Request{}, &conn.HandshakeError{Token: "origin"})
	o.RoundTrip(nil, time.Hour)
	got := decode(t, &o)
	trips := got["round_trip_seconds"].(map[string]any)
	if buckets := trips["buckets"].(map[string]any); trips["sum"] != 3600. || buckets["20"] != 0. || buckets["+Inf"] != 1. {
		t.Errorf("%v", got)
	}
}

// BenchmarkCost is the cost of an echo with the observer.
func BenchmarkCost(b *testing.B) { observetest.Cost(b, wssexpvar.New(wssexpvar.Options{})) }
