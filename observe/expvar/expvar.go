// Package expvar counts connections for package expvar, which serves them as JSON at /debug/vars. For most uses the zero Options will do:
//
//	observer := expvar.New(expvar.Options{})
//	err := observer.Publish("websocket")
//	c, err := conn.Accept(w, r, &conn.AcceptOptions{Observer: observer})
//
// An [Observer] is not called for messages: it reads the counts of the connections when /debug/vars is requested. It shows no
// address and no text of peers. But /debug/vars shows its readers the program's load and command line.
package expvar

import (
	"encoding/json"
	"expvar"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/observe/internal/track"
)

// Options configure an Observer. The zero value is the default.
type Options struct {
	// Codes are the application's close codes that are counted separately, as the registered ones are. All others are counted
	// as "other", since a peer may send any of 3000 to 4999. Nil: none.
	Codes []conn.StatusCode
}

// Observer is a [conn.Observer] that counts, and an [expvar.Var]. One serves any number of connections of both roles, and its
// methods may be called by any number of goroutines. The zero value is that of New(Options{}).
type Observer struct {
	conn.NopObserver
	counts     track.Counts
	roundTrips track.Histogram
}

// New returns an observer. It does not publish it.
func New(o Options) *Observer {
	return &Observer{counts: track.Counts{Codes: track.NewCodes(o.Codes)}}
}

// Publish publishes the observer under a name, for the life of the program. It returns an error if the name is in use, where
// expvar.Publish would panic.
func (o *Observer) Publish(name string) (err error) {
	if expvar.Get(name) != nil {
		return fmt.Errorf("expvar: the name %q is in use", name)
	}
	defer func() {
		if recover() != nil { // another goroutine has published the name since
			err = fmt.Errorf("expvar: the name %q is in use", name)
		}
	}()
	expvar.Publish(name, o)
	return nil
}

// IgnoresMessages returns true: see [conn.MessageIgnorer].
func (o *Observer) IgnoresMessages() bool { return true }

// Opened counts the connection.
func (o *Observer) Opened(c *conn.Conn) { o.counts.Opened(c) }

// Closed counts how the connection has ended.
func (o *Observer) Closed(c *conn.Conn, why *conn.CloseError) { o.counts.Closed(c, why) }

// Refused counts the request by its token.
func (o *Observer) Refused(r *http.Request, why *conn.HandshakeError) { o.counts.Refused(r, why) }

// RoundTrip counts the answer of a ping.
func (o *Observer) RoundTrip(_ *conn.Conn, d time.Duration) { o.roundTrips.Observe(d) }

// String returns the counts since New as a JSON object; docs/how-to/monitoring.md lists its members. It takes some 200 ns for each
// live connection.
func (o *Observer) String() string {
	t := o.counts.Totals()
	bytes, err := json.Marshal(map[string]any{
		"connections_active":    t.Active,
		"connections_opened":    t.Opened,
		"connections_closed":    closings(t.Closed),
		"handshakes_refused":    orEmpty(t.Refused),
		"messages_in":           t.MessagesIn,
		"messages_out":          t.MessagesOut,
		"messages_dropped":      t.Dropped,
		"messages_replaced":     t.Replaced,
		"control_frames_in":     t.ControlIn,
		"control_frames_out":    t.ControlOut,
		"payload_bytes_in":      t.PayloadIn,
		"payload_bytes_out":     t.PayloadOut,
		"encoded_bytes_in":      t.EncodedIn,
		"encoded_bytes_out":     t.EncodedOut,
		"wire_bytes_in":         t.WireIn,
		"wire_bytes_out":        t.WireOut,
		"compression_ratio_in":  ratio(t.EncodedIn, t.PayloadIn),
		"compression_ratio_out": ratio(t.EncodedOut, t.PayloadOut),
		"queue_bytes":           t.Pending,
		"queue_longest_bytes":   t.LongestQueue,
		"round_trip_seconds":    o.histogram(),
	})
	if err != nil { // nothing above can fail
		return "{}"
	}
	return string(bytes)
}

// closings returns the counts by code, and for each code by token.
func closings(closed map[track.Closing]int64) map[string]map[string]int64 {
	byCode := map[string]map[string]int64{}
	for how, n := range closed {
		if byCode[how.Code] == nil {
			byCode[how.Code] = map[string]int64{}
		}
		byCode[how.Code][how.Token] = n
	}
	return byCode
}

func orEmpty(m map[string]int64) map[string]int64 {
	if m == nil {
		return map[string]int64{}
	}
	return m
}

// ratio returns the bytes in frames divided by the bytes of messages; 1 if there were no messages.
func ratio(encoded, payload int64) float64 {
	if payload == 0 {
		return 1
	}
	return float64(encoded) / float64(payload)
}

// histogram returns the cumulative counts by upper bound in seconds, as in Prometheus.
func (o *Observer) histogram() map[string]any {
	counts, sum := o.roundTrips.Cumulative()
	buckets := map[string]int64{}
	for i, bound := range track.RoundTripBuckets {
		buckets[strconv.FormatFloat(bound, 'g', -1, 64)] = counts[i]
	}
	all := counts[len(counts)-1]
	buckets["+Inf"] = all
	return map[string]any{"count": all, "sum": sum.Seconds(), "buckets": buckets}
}

var (
	_ conn.RoundTripObserver = (*Observer)(nil)
	_ conn.MessageIgnorer    = (*Observer)(nil)
	_ expvar.Var             = (*Observer)(nil)
)
