package slog

import (
	"crypto/tls"
	"log/slog"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/observe"
	"github.com/seed-c4549abd/wss/observe/internal/track"
)

// connection returns the attributes of a connection. Groups may be empty: handlers leave those out.
func (o *Observer) connection(c *conn.Conn) []slog.Attr {
	var group []any
	if o.wants(RemoteAddress) {
		group = append(group, text("remote", track.Address(c.RemoteAddr()))...)
	}
	if o.wants(LocalAddress) {
		group = append(group, text("local", track.Address(c.LocalAddr()))...)
	}
	if o.wants(Negotiated) {
		if state, ok := c.TLS(); ok {
			group = append(group, slog.String("tls", tls.VersionName(state.Version)))
		}
		group = append(group, text("subprotocol", c.Subprotocol())...)
		group = append(group, slog.Bool("compressed", c.Compressed()))
	}
	attrs := []slog.Attr{slog.Group("conn", group...)}
	if o.wants(Host | Path) {
		request, _ := observe.RequestOf(c.Context())
		attrs = append(attrs, slog.Group("request", o.request(request)...))
	}
	if o.options.More != nil {
		attrs = append(attrs, o.options.More(c)...)
	}
	return attrs
}

func (o *Observer) request(r observe.Request) (group []any) {
	if o.wants(Host) {
		group = text("host", r.Host)
	}
	if o.wants(Path) {
		group = append(group, text("path", r.Path)...)
	}
	return group
}

func reasons(reason string, err error) []any {
	group := text("reason", reason)
	if err != nil {
		group = append(group, text("error", err.Error())...)
	}
	return group
}

// text returns an attribute whose value a peer may have chosen; none if the value is empty.
func text(key, value string) []any {
	if value == "" {
		return nil
	}
	return []any{slog.String(key, track.Clean(value, track.MaxText))}
}

// token returns a token in a form that is safe to log: one of the program's Check may be any string.
func token(t string) string { return track.Clean(t, track.MaxToken) }

func counts(s conn.Stats) slog.Attr {
	group := []any{
		slog.Int64("messages_in", s.MessagesIn), slog.Int64("messages_out", s.MessagesOut),
		slog.Int64("payload_in", s.PayloadIn), slog.Int64("payload_out", s.PayloadOut),
		slog.Int64("wire_in", s.WireIn), slog.Int64("wire_out", s.WireOut),
	}
	if s.Dropped != 0 {
		group = append(group, slog.Int64("dropped", s.Dropped))
	}
	if s.Replaced != 0 {
		group = append(group, slog.Int64("replaced", s.Replaced))
	}
	if s.RoundTrip != 0 {
		group = append(group, slog.Duration("round_trip", s.RoundTrip))
	}
	return slog.Group("stats", group...)
}

func withSuppressed(attrs []slog.Attr, n int64) []slog.Attr {
	if n == 0 {
		return attrs
	}
	return append(attrs, slog.Int64("suppressed", n))
}
