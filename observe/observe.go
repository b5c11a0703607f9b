// Package observe holds what observers of connections share: [All] has several told of the same connections, and
// [ConnContext] gives observers what they may show of a server's request.
//
// The observers are in packages of their own; each works alone, for servers and for clients:
//
//	observe/slog        lines of log/slog for openings, closings and refusals
//	observe/expvar      counts as JSON at /debug/vars
//	observe/prometheus  metrics for a scrape (a module of its own)
//	observe/otel        metrics and a span for each connection, for OpenTelemetry (a module of its own)
//
// None of them does anything for single messages: what is counted for each message, conn counts anyhow, and it is
// read when somebody asks for it.
package observe

import (
	"net/http"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// All returns an observer that calls each of observers, in their order, with the goroutine that calls it. Those
// that are nil are left out: of one All returns that one, of none nil, which is no observer. Those of them
// that are [conn.RoundTripObserver] are told of round trips.
//
// One that is listed twice is told twice. If an observer panics, those behind it are not called for that event. If one ends the connection in
// Opened, those behind it are told Closed before Opened. All may be called by any number of goroutines, and so may
// what it returns.
func All(observers ...conn.Observer) conn.Observer {
	var list []conn.Observer
	for _, o := range observers {
		switch o := o.(type) {
		case nil:
		case *all:
			list = append(list, o.observers...)
		case *allWithRoundTrips:
			list = append(list, o.observers...)
		default:
			list = append(list, o)
		}
	}
	if len(list) == 0 {
		return nil
	}
	if len(list) == 1 {
		return list[0]
	}
	a := &all{observers: list}
	var roundTrips []conn.RoundTripObserver
	for _, o := range list {
		if i, ok := o.(conn.MessageIgnorer); !ok || !i.IgnoresMessages() {
			a.messages = append(a.messages, o)
		}
		if r, ok := o.(conn.RoundTripObserver); ok {
			roundTrips = append(roundTrips, r)
		}
	}
	if len(roundTrips) == 0 {
		return a
	}
	return &allWithRoundTrips{a, roundTrips}
}

// all does not change once it is made.
type all struct {
	observers []conn.Observer
	messages  []conn.Observer // those that do not ignore them
}

func (a *all) IgnoresMessages() bool { return len(a.messages) == 0 }

func (a *all) Opened(c *conn.Conn) {
	for _, o := range a.observers {
		o.Opened(c)
	}
}

func (a *all) Refused(r *http.Request, why *conn.HandshakeError) {
	for _, o := range a.observers {
		o.Refused(r, why)
	}
}

func (a *all) MessageIn(c *conn.Conn, typ conn.MessageType, size int) {
	for _, o := range a.messages {
		o.MessageIn(c, typ, size)
	}
}

func (a *all) MessageOut(c *conn.Conn, typ conn.MessageType, size int) {
	for _, o := range a.messages {
		o.MessageOut(c, typ, size)
	}
}

func (a *all) Closed(c *conn.Conn, why *conn.CloseError) {
	for _, o := range a.observers {
		o.Closed(c, why)
	}
}

type allWithRoundTrips struct {
	*all
	roundTrips []conn.RoundTripObserver
}

func (a *allWithRoundTrips) RoundTrip(c *conn.Conn, d time.Duration) {
	for _, o := range a.roundTrips {
		o.RoundTrip(c, d)
	}
}
