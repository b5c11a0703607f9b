package suite

import (
	"encoding/json"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/report"
)

// Result is what one case has shown. It marshals to the fields of the original's report of a case.
type Result struct {
	// Case is the case's place among the selected ones, from 1.
	Case        int    `json:"case"`
	ID          string `json:"id"`
	Description string `json:"description"`
	Expectation string `json:"expectation"`
	// Agent is the name of what was tested.
	Agent   string    `json:"agent"`
	Started time.Time `json:"started"`
	// Duration is the time from the opening to the end of the connection.
	Duration time.Duration `json:"-"`

	// Behavior is the verdict on what was received, BehaviorClose that on the end of the connection. Result and ResultClose
	// say why.
	Behavior      report.Behavior `json:"behavior"`
	BehaviorClose report.Behavior `json:"behaviorClose"`
	Result        string          `json:"result"`
	ResultClose   string          `json:"resultClose"`
	// ByRFC are the verdicts by the RFC alone, where they are others than the original's. nil: they are the same, or the case is
	// none of the original's, and judged by the RFC alone anyway.
	ByRFC *Verdicts `json:"byRFC,omitempty"`
	// Received are the events, in order.
	Received []Event `json:"received"`

	// ClosedByMe: the suite sent its close frame first. FailedByMe: it failed the connection. DroppedByMe: it ended it.
	ClosedByMe  bool `json:"closedByMe"`
	FailedByMe  bool `json:"failedByMe"`
	DroppedByMe bool `json:"droppedByMe"`
	// WasClean: both close frames were seen. If not, WasNotCleanReason may say more, and so may the timeouts.
	WasClean                       bool    `json:"wasClean"`
	WasNotCleanReason              *string `json:"wasNotCleanReason"`
	WasServerConnectionDropTimeout bool    `json:"wasServerConnectionDropTimeout"`
	WasOpenHandshakeTimeout        bool    `json:"wasOpenHandshakeTimeout"`
	WasCloseHandshakeTimeout       bool    `json:"wasCloseHandshakeTimeout"`
	// The close frames; nil is none, or one without.
	LocalCloseCode    *int    `json:"localCloseCode"`
	LocalCloseReason  *string `json:"localCloseReason"`
	RemoteCloseCode   *int    `json:"remoteCloseCode"`
	RemoteCloseReason *string `json:"remoteCloseReason"`
	// The heads of the opening handshake.
	HTTPRequest  string `json:"httpRequest"`
	HTTPResponse string `json:"httpResponse"`

	// ReportTime says that the duration is worth looking at.
	ReportTime bool `json:"reportTime"`
	// Server says that the suite was the server, and the tested side the client.
	Server bool `json:"isServer"`

	compresses bool          // the case is about how well, too
	traffic    *traffic      // nil: no messages were exchanged for that
	declined   bool          // the extension that the case is about
	answers    []int         // for each event the ping that it answers, or -1
	answered   int           // the number of pings that were answered, the latest at least
	latency    time.Duration // from our close frame to the peer's; 0: not measured
	bothClosed bool          // both close frames were there, whatever came then
	timedOut   string        // which wait of the suite's was in vain, and what it did then
	broken     []string      // the rules that frames of the peer's broke, with the section and the octets
	// For the cases about ends: what reading ended with, io.EOF being a clean end; that the peer kept the connection when it had
	// to end it; that something came behind its close frame; and that a client was the first to end the TCP connection.
	streamEnd           error
	kept, behind, first bool
	outcomes            []Outcome
	closing             Closing
	log                 *wireLog
}

func newResult(c *Case, number int, agent string) *Result {
	return &Result{
		Case: number, ID: c.ID, Description: c.Description, Expectation: c.Expectation, Agent: agent,
		Started: time.Now().UTC(), Received: []Event{}, outcomes: c.Outcomes, closing: c.Closing, log: newWireLog(),
		ReportTime: c.ReportTime, compresses: c.ReportTime && c.offers != nil,
		Behavior: report.Failed, Result: notAcceptable,
		BehaviorClose: report.Failed, ResultClose: "The opening handshake was not completed.",
	}
}

// Passes says whether both verdicts are OK, or INFORMATIONAL where that is all there is.
func (r *Result) Passes() bool {
	c := r.outcome("")
	return c.Passes()
}

// outcome is the result as package report knows it.
func (r *Result) outcome(file string) report.Case {
	c := report.Case{
		ID: r.ID, Behavior: r.Behavior, BehaviorClose: r.BehaviorClose, Duration: r.Duration, File: file,
		Description: r.Description, Result: r.Result, ResultClose: r.ResultClose,
	}
	if r.ByRFC != nil {
		c.ByRFC, c.ByRFCClose, c.ResultByRFC = r.ByRFC.Behavior, r.ByRFC.BehaviorClose, r.ByRFC.Result
	}
	if r.RemoteCloseCode != nil {
		c.CloseCode = *r.RemoteCloseCode
	}
	return c
}

// MarshalJSON adds to the fields what the original has under other names or in other forms.
func (r *Result) MarshalJSON() ([]byte, error) {
	type fields Result // without this method
	codes := []int{}
	for _, c := range r.closing.Codes {
		codes = append(codes, int(c))
	}
	expected := map[report.Behavior][]Event{}
	for _, o := range r.outcomes {
		expected[o.Verdict] = append([]Event{}, o.Events...)
	}
	return json.Marshal(struct {
		*fields
		Started                string                      `json:"started"`
		Duration               int64                       `json:"duration"`
		Expected               map[report.Behavior][]Event `json:"expected"`
		ExpectedClose          map[string]any              `json:"expectedClose"`
		WireLog                [][]any                     `json:"wirelog"`
		CreateWireLog          bool                        `json:"createWirelog"`
		CreateStats            bool                        `json:"createStats"`
		RxOctetStats           map[int]int                 `json:"rxOctetStats"`
		TxOctetStats           map[int]int                 `json:"txOctetStats"`
		RxFrameStats           any                         `json:"rxFrameStats"`
		TxFrameStats           any                         `json:"txFrameStats"`
		ReportCompressionRatio bool                        `json:"reportCompressionRatio"`
		TrafficStats           *traffic                    `json:"trafficStats"`
	}{
		fields: (*fields)(r), Started: r.Started.Format("2006-01-02T15:04:05.000Z"), Duration: r.Duration.Milliseconds(),
		Expected: expected,
		ExpectedClose: map[string]any{
			"closedByMe": r.closing.ByUs, "closeCode": codes, "requireClean": r.closing.Clean,
			"closedByWrongEndpointIsFatal": r.closing.WrongEndIsFatal,
		},
		WireLog: r.log.entries, CreateWireLog: !r.log.off, CreateStats: true,
		RxOctetStats: r.log.rxOctets, TxOctetStats: r.log.txOctets,
		RxFrameStats: r.log.rxFrames, TxFrameStats: r.log.txFrames, ReportCompressionRatio: r.compresses, TrafficStats: r.traffic,
	})
}
