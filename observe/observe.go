// Package observe combines observers of connections: [All] calls several for the same connections, and [ConnContext] makes
// host and path of a server's request available to them.
//
// For most uses one observer is enough, and this package is not needed. The observers are packages of their own, for servers and clients:
//
//	observe/slog        log lines for connections and refused handshakes
//	observe/expvar      counts as JSON at /debug/vars
//	observe/prometheus  metrics for Prometheus (a separate module)
//	observe/otel        metrics and a span for each connection, for OpenTelemetry (a separate module)
//
// None of them is called for messages: package conn counts messages in any case, and the observers read its counts when
// metrics are collected.
package observe

import (
	"net/http"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// All returns an observer that calls each of observers, in their order, on the calling goroutine. Nil observers are left out. If
// one is left, All returns that one; if none is, All returns nil, which means no observer. RoundTrip is called for those that are
// a [conn.RoundTripObserver], MessageIn and MessageOut for those that do not ignore messages ([conn.MessageIgnorer]).
//
// An observer that is listed twice is called twice. If one panics, those after it are not called for that event. If one ends the
// connection in Opened, Closed is called before Opened for those after it. The result may be used by any number of goroutines, if
// the observers may.
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

// all calls several observers. It is immutable.
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
