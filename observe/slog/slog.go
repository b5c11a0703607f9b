// Package slog logs the openings, closings and refusals of connections with log/slog. For most uses this is all:
//
//	observer := slog.New(slog.Options{Logger: logger})
//	c, err := conn.Accept(w, r, &conn.AcceptOptions{Observer: observer, ConnContext: observe.ConnContext})
//
// An [Observer] logs a line when a connection is opened, at level Debug, and one when it has ended, at Info, or at Warn if the
// end is an error. It logs a line at Warn for each refused handshake, and none for messages.
//
// No line holds a query, a header field other than Host, or a message. Text that a peer has chosen (a close reason, a path, a
// host) is cut after 256 bytes, and characters that are not printable are escaped. If paths carry credentials, leave out [Path].
package slog

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/observe"
	"github.com/seed-c4549abd/wss/observe/internal/track"
)

// Attributes is a set of attributes. Code, token, the side that closed, and duration are always logged.
type Attributes uint

// The attributes that can be left out.
const (
	RemoteAddress Attributes = 1 << iota // conn.remote, request.remote: the peer's address, or its proxy's
	LocalAddress                         // conn.local
	Negotiated                           // conn.tls, conn.subprotocol and conn.compressed
	Host                                 // request.host of servers; of accepted requests only with observe.ConnContext
	Path                                 // request.path without the query; as Host
	Reason                               // close.reason, close.error, refusal.reason, refusal.error
	Counts                               // stats: messages and bytes

	// None is the empty set, since zero is Default.
	None Attributes = 1 << 31
	// Default is all but LocalAddress.
	Default = RemoteAddress | Negotiated | Host | Path | Reason | Counts
)

// DefaultLimit is the value of Limit, in lines a second, if it is zero.
const DefaultLimit = 10

// Options configure an Observer. The zero value is the default.
type Options struct {
	// Logger logs the lines. Nil: slog.Default, looked up for each line.
	Logger *slog.Logger

	// Opened, Closed, Abnormal and Refused are the levels of a connection that was opened, that ended normally, that ended by an
	// error, and of a refused handshake. Nil: slog.LevelDebug, LevelInfo, LevelWarn and LevelWarn. Level is called for each line,
	// so a *slog.LevelVar may change.
	Opened, Closed, Abnormal, Refused slog.Leveler

	// Attributes are those that are logged. Zero: Default.
	Attributes Attributes
	// More returns further attributes for the lines of a connection, for example the user found in its Context. It is called
	// for each line that is logged, by many goroutines at once, and must not block. Nil: none.
	More func(*conn.Conn) []slog.Attr

	// Limit is the most lines a second for abnormal ends, and separately for refusals, which peers cause at little cost. The
	// attribute "suppressed" of the next line is the number of lines left out. Normal ends are not limited: they are a line for
	// each connection, as in an access log; set Closed to a level that is not logged to have none. Zero: DefaultLimit. Negative: no
	// limit.
	Limit int
}

// Observer is a [conn.Observer] that logs. One serves any number of connections of both roles, and its methods may be called by
// any number of goroutines. The zero value is that of New(Options{}).
type Observer struct {
	conn.NopObserver
	options  Options
	abnormal limiter
	refused  limiter
	live     track.Live[time.Time] // when they were opened
}

// New returns an observer that logs.
func New(o Options) *Observer {
	return &Observer{options: o, abnormal: limiter{limit: o.Limit}, refused: limiter{limit: o.Limit}}
}

func levelOr(l slog.Leveler, def slog.Level) slog.Level {
	if l == nil {
		return def
	}
	return l.Level()
}

// wants reports whether any of a set of attributes is to be logged.
func (o *Observer) wants(a Attributes) bool { return cmp.Or(o.options.Attributes, Default)&a != 0 }

// IgnoresMessages returns true: see [conn.MessageIgnorer].
func (o *Observer) IgnoresMessages() bool { return true }

// Opened logs "websocket opened".
func (o *Observer) Opened(c *conn.Conn) {
	added, ended := o.live.Add(c, time.Now())
	if !added {
		return
	}
	if log, level := o.logger(), levelOr(o.options.Opened, slog.LevelDebug); log.Enabled(context.Background(), level) {
		log.LogAttrs(c.Context(), level, "websocket opened", o.connection(c)...)
	}
	if ended != nil {
		o.closed(c, ended, 0)
	}
}

// Closed logs "websocket closed".
func (o *Observer) Closed(c *conn.Conn, why *conn.CloseError) {
	if since, ok := o.live.Remove(c); ok { // if not, Opened follows and finds that it has ended
		o.closed(c, why, time.Since(since))
	}
}

func (o *Observer) closed(c *conn.Conn, why *conn.CloseError, lasted time.Duration) {
	abnormal := track.Abnormal(why)
	level := levelOr(o.options.Closed, slog.LevelInfo)
	if abnormal {
		level = levelOr(o.options.Abnormal, slog.LevelWarn)
	}
	log := o.logger()
	if !log.Enabled(context.Background(), level) {
		return
	}
	var suppressed int64
	if abnormal {
		var ok bool
		if suppressed, ok = o.abnormal.allow(time.Now()); !ok {
			return
		}
	}
	by := "this side"
	if why.Remote {
		by = "peer"
	}
	closing := []any{slog.Int("code", int(why.Code)), slog.String("token", token(why.Token())), slog.String("by", by)}
	if o.wants(Reason) {
		closing = append(closing, reasons(why.Reason, why.Err)...)
	}
	attrs := append(o.connection(c), slog.Group("close", closing...), slog.Duration("duration", lasted))
	if o.wants(Counts) {
		attrs = append(attrs, counts(c.Stats()))
	}
	log.LogAttrs(c.Context(), level, "websocket closed", withSuppressed(attrs, suppressed)...)
}

// Refused logs "websocket handshake refused".
func (o *Observer) Refused(r *http.Request, why *conn.HandshakeError) {
	log, level := o.logger(), levelOr(o.options.Refused, slog.LevelWarn)
	if !log.Enabled(r.Context(), level) {
		return
	}
	suppressed, ok := o.refused.allow(time.Now())
	if !ok {
		return
	}
	refusal := []any{slog.Int("status", why.Status), slog.String("token", token(why.Token))}
	if o.wants(Reason) {
		refusal = append(refusal, reasons(why.Reason, why.Err)...)
	}
	kept, _ := observe.RequestOf(observe.WithRequest(context.Background(), r))
	request := o.request(kept)
	if o.wants(RemoteAddress) {
		request = append(request, text("remote", r.RemoteAddr)...)
	}
	attrs := []slog.Attr{slog.Group("request", request...), slog.Group("refusal", refusal...)}
	log.LogAttrs(r.Context(), level, "websocket handshake refused", withSuppressed(attrs, suppressed)...)
}

func (o *Observer) logger() *slog.Logger {
	if o.options.Logger != nil {
		return o.options.Logger
	}
	return slog.Default()
}

var _ conn.MessageIgnorer = (*Observer)(nil)
