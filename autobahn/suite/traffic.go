package suite

import (
	"fmt"

	"github.com/seed-c4549abd/wss/frame"
)

// traffic is what the exchange of a case about compression has cost in both directions. Octets are counted on three levels: of
// the messages, of their compressed payloads, and of what is written to the connection. It marshals as the original's does.
type traffic struct {
	IncomingApp      int64    `json:"incomingOctetsAppLevel"`
	IncomingPayload  int64    `json:"incomingOctetsWebSocketLevel"`
	IncomingWire     int64    `json:"incomingOctetsWireLevel"`
	IncomingFrames   int      `json:"incomingWebSocketFrames"`
	IncomingMessages int      `json:"incomingWebSocketMessages"`
	IncomingRatio    *float64 `json:"incomingCompressionRatio"`
	IncomingOverhead *float64 `json:"incomingWebSocketOverhead"`
	PreopenIncoming  int      `json:"preopenIncomingOctetsWireLevel"`
	OutgoingApp      int64    `json:"outgoingOctetsAppLevel"`
	OutgoingPayload  int64    `json:"outgoingOctetsWebSocketLevel"`
	OutgoingWire     int64    `json:"outgoingOctetsWireLevel"`
	OutgoingFrames   int      `json:"outgoingWebSocketFrames"`
	OutgoingMessages int      `json:"outgoingWebSocketMessages"`
	OutgoingRatio    *float64 `json:"outgoingCompressionRatio"`
	OutgoingOverhead *float64 `json:"outgoingWebSocketOverhead"`
	PreopenOutgoing  int      `json:"preopenOutgoingOctetsWireLevel"`
}

// settle fills in what the wire log has counted, and what follows from the counts.
func (t *traffic) settle(r *Result) {
	t.IncomingWire, t.IncomingFrames = octetsOf(r.log.rxOctets), dataFrames(r.log.rxFrames)
	t.OutgoingWire, t.OutgoingFrames = octetsOf(r.log.txOctets), dataFrames(r.log.txFrames)
	t.IncomingRatio, t.OutgoingRatio = ratio(t.IncomingPayload, t.IncomingApp), ratio(t.OutgoingPayload, t.OutgoingApp)
	t.IncomingOverhead = ratio(t.IncomingWire-t.IncomingPayload, t.IncomingPayload)
	t.OutgoingOverhead = ratio(t.OutgoingWire-t.OutgoingPayload, t.OutgoingPayload)
	t.PreopenIncoming, t.PreopenOutgoing = len(r.HTTPResponse), len(r.HTTPRequest)
	if r.Server {
		t.PreopenIncoming, t.PreopenOutgoing = t.PreopenOutgoing, t.PreopenIncoming
	}
}

// String says how well was compressed.
func (t *traffic) String() string {
	return fmt.Sprintf("sent to %s, received to %s", percent(t.OutgoingRatio), percent(t.IncomingRatio))
}

func percent(ratio *float64) string {
	if ratio == nil {
		return "nothing"
	}
	return fmt.Sprintf("%.1f %%", 100*(*ratio))
}

// ratio is nil, null in JSON, where there is none.
func ratio(part, whole int64) *float64 {
	if whole == 0 {
		return nil
	}
	return new(float64(part) / float64(whole))
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
