package suite

import (
	"encoding/json"
	"fmt"

	"github.com/seed-c4549abd/wss/frame"
)

// traffic is what the exchange of a case about compression has cost. It marshals as the original's does.
type traffic struct{ in, out flow }

// flow is one direction of it. Octets are counted on three levels: of the messages, of their compressed payloads, and of what
// is written to the connection; and those of the opening handshake apart.
type flow struct {
	app, payload, wire int64
	frames, messages   int
	preopen            int
}

// settle fills in what the wire log has counted.
func (t *traffic) settle(r *Result) {
	t.in.wire, t.in.frames, t.in.preopen = octetsOf(r.log.rxOctets), dataFrames(r.log.rxFrames), len(r.HTTPResponse)
	t.out.wire, t.out.frames, t.out.preopen = octetsOf(r.log.txOctets), dataFrames(r.log.txFrames), len(r.HTTPRequest)
	if r.Server {
		t.in.preopen, t.out.preopen = t.out.preopen, t.in.preopen
	}
}

// MarshalJSON names everything after its direction.
func (t *traffic) MarshalJSON() ([]byte, error) {
	fields := map[string]any{
		"preopenIncomingOctetsWireLevel": t.in.preopen, "preopenOutgoingOctetsWireLevel": t.out.preopen,
	}
	for way, f := range map[string]*flow{"incoming": &t.in, "outgoing": &t.out} {
		for name, value := range map[string]any{
			"OctetsAppLevel": f.app, "OctetsWebSocketLevel": f.payload, "OctetsWireLevel": f.wire,
			"WebSocketFrames": f.frames, "WebSocketMessages": f.messages,
			"CompressionRatio": ratio(f.payload, f.app), "WebSocketOverhead": ratio(f.wire-f.payload, f.payload),
		} {
			fields[way+name] = value
		}
	}
	return json.Marshal(fields)
}

// String says how well was compressed.
func (t *traffic) String() string {
	return fmt.Sprintf("sent to %s, received to %s", t.out.percent(), t.in.percent())
}

func (f *flow) percent() string {
	if f.app == 0 {
		return "nothing"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(f.payload)/float64(f.app))
}

// ratio is nil, null in JSON, where there is none.
func ratio(part, whole int64) any {
	if whole == 0 {
		return nil
	}
	return float64(part) / float64(whole)
}

func octetsOf(sizes map[int]int) (sum int64) {
	for size, n := range sizes {
		sum += int64(size) * int64(n)
	}
	return sum
}

func dataFrames(counts map[frame.Opcode]int) int {
	return counts[frame.Continuation] + counts[frame.Text] + counts[frame.Binary]
}
