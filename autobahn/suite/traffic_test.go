package suite

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/autobahn/suite/faulty"
)

// TestTrafficOfCompressedCasesIsReported as the original does: for those cases alone, and with counts that fit each other.
func TestTrafficOfCompressedCasesIsReported(t *testing.T) {
	rep, err := Run(t.Context(), Options{URL: faultyServer(t, faulty.None, nil), Cases: []string{"1.1.1", "12.1.3", "12.1.12"}})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rep.Results {
		octets, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			ReportCompressionRatio bool
			TrafficStats           map[string]*float64
		}
		if err := json.Unmarshal(octets, &got); err != nil {
			t.Fatal(err)
		}
		if about := i > 0; got.ReportCompressionRatio != about || (got.TrafficStats != nil) != about {
			t.Errorf("%s: ratio %v, traffic %v", r.ID, got.ReportCompressionRatio, got.TrafficStats)
		}
		if i == 0 {
			continue
		}
		length, most := 256, 1.0
		if i == 2 {
			length, most = 16*kib, 70 // into fragments of 256 octets
		}
		for _, way := range []string{"incoming", "outgoing"} {
			of := func(name string) float64 {
				t.Helper()
				v := got.TrafficStats[way+name]
				if v == nil {
					t.Fatalf("%s: %s%s is missing", r.ID, way, name)
				}
				return *v
			}
			n, app, payload, wire := of("WebSocketMessages"), of("OctetsAppLevel"), of("OctetsWebSocketLevel"), of("OctetsWireLevel")
			if n != float64(messages) || app != n*float64(length) || payload >= app || wire < payload+2*of("WebSocketFrames") {
				t.Errorf("%s, %s: %v messages of %v octets, compressed %v, on the wire %v", r.ID, way, n, app, payload, wire)
			}
			if got := of("WebSocketFrames"); got < n || got > n*most {
				t.Errorf("%s, %s: %v frames", r.ID, way, got)
			}
			if of("CompressionRatio") != payload/app || of("WebSocketOverhead") != (wire-payload)/payload {
				t.Errorf("%s, %s: ratio %v, overhead %v", r.ID, way, of("CompressionRatio"), of("WebSocketOverhead"))
			}
		}
		if in, out := got.TrafficStats["preopenIncomingOctetsWireLevel"], got.TrafficStats["preopenOutgoingOctetsWireLevel"]; in == nil ||
			*in != float64(len(r.HTTPResponse)) || out == nil || *out != float64(len(r.HTTPRequest)) {
			t.Errorf("%s: heads of %v and %v octets", r.ID, in, out)
		}
		if text := r.traffic.String(); !strings.Contains(text, "sent to ") || !strings.Contains(text, " %, received to ") {
			t.Errorf("%s: %q", r.ID, text)
		}
	}
}

// TestTrafficWithoutAnyIsNull, rather than a number that is none.
func TestTrafficWithoutAnyIsNull(t *testing.T) {
	none := &traffic{}
	none.settle(&Result{log: newWireLog(), HTTPRequest: "request", HTTPResponse: "answer", Server: true})
	octets, err := json.Marshal(none)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"incomingCompressionRatio":null`, `"outgoingWebSocketOverhead":null`,
		`"preopenIncomingOctetsWireLevel":7`, `"preopenOutgoingOctetsWireLevel":6`,
	} {
		if !strings.Contains(string(octets), want) {
			t.Errorf("no %s in %s", want, octets)
		}
	}
	if got := none.String(); got != "sent to nothing, received to nothing" {
		t.Error(got)
	}
}
