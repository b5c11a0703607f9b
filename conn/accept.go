package conn

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// AcceptOptions configures the server's side of a connection. The zero value, and
// nil, are the safe defaults. Options may be shared by any number of calls, and
// must not be changed meanwhile.
type AcceptOptions struct {
	// Subprotocols lists what the server speaks, in its order of preference. The
	// first that the client offers is chosen; without a common one the connection
	// has none (RFC 6455 §1.9). Zero: none.
	Subprotocols []string
	// SelectSubprotocol chooses in place of Subprotocols: one of those offered, or
	// "". An error refuses the handshake. Zero: Subprotocols decides.
	SelectSubprotocol func(r *http.Request, offered []string) (string, error)

	// OriginPatterns lists origins that browsers may connect from besides the
	// server's own, as "https://example.com" or "*.example.com"; see
	// [handshake.ServerOptions]. What cannot be used is refused by Validate. Zero: same
	// origin only.
	OriginPatterns []string
	// AllowAnyOrigin lets pages of any site connect with their users' cookies. Only
	// for services that do not authenticate by cookie. Zero: same origin only.
	AllowAnyOrigin bool

	// Header is sent with the response that accepts, Set-Cookie for example. What
	// was set on the ResponseWriter is sent as well. Zero: nothing more.
	Header http.Header
	// Check may refuse a request: with the status and body of a *HandshakeError,
	// or 403 for any other error. It runs after the handshake's own checks. Zero:
	// no further check.
	Check func(r *http.Request) error

	// Group is the group that the connection joins. It may refuse the request with 503 or
	// 429, before any other check. Nil: no group.
	Group *Group
	// Observer is told what happens on the connection. Zero: nobody is.
	Observer Observer

	// HandshakeTimeout bounds sending the response, and in Upgrade the whole
	// handshake. (An http.Server has timeouts of its own for the request.) Zero or less:
	// DefaultHandshakeTimeout.
	HandshakeTimeout time.Duration
	// MaxHeaderBytes limits the request head that Upgrade reads, in bytes, from the request
	// line to the blank line. A line may be as long as that; the number of fields is limited
	// to the larger of 128 and MaxHeaderBytes/512. Over the limit the request is refused
	// with 414 or 431. Under net/http set http.Server.MaxHeaderBytes instead. Zero or less:
	// 64 KiB in all, 8 KiB a line.
	MaxHeaderBytes int

	// Compression configures permessage-deflate. Zero: off.
	Compression Compression

	// MessageLimit is the most bytes of a received message, inflated if it was
	// compressed. A longer one closes the connection with 1009. Zero: DefaultMessageLimit. Negative: no limit;
	// memory then follows what is received, not what a header declares.
	MessageLimit int64
	// QueueLimit is the most bytes of messages that Send lets wait for a peer that does
	// not take them; a longer message passes when nothing waits. Zero or less:
	// DefaultQueueLimit.
	QueueLimit int
	// WhenFull says what Send does at QueueLimit. Zero: it closes the connection.
	WhenFull FullPolicy
	// MinRate is the least bytes a second, TLS included, at which a message that has
	// begun must arrive while somebody reads, measured over five seconds and again. A
	// slower peer's connection is closed with 1008. Messages that take less than five
	// seconds, and the time between messages, do not count; fragments that their sender
	// spaces out do. Zero or less: no such limit.
	MinRate int
	// CloseTimeout bounds the closing handshake. Zero or less: DefaultCloseTimeout.
	CloseTimeout time.Duration
	// PingInterval is the time without messages after which a ping is sent. Zero:
	// DefaultPingInterval. Negative: no pings.
	PingInterval time.Duration
	// PongTimeout is how long to wait for the pong before the connection ends with
	// ErrPingTimeout. It runs only while somebody reads. It restarts as long as the peer's
	// host acknowledges data sent before the ping, and once if that host has not
	// acknowledged the ping (Linux; elsewhere what our socket has taken counts).
	// Separately, a peer whose socket accepts nothing is given up after PingInterval +
	// PongTimeout, at most an eighth later; without pings DefaultPingInterval stands for
	// PingInterval. Zero or less: DefaultPongTimeout.
	PongTimeout time.Duration
}

func (o *AcceptOptions) settings() settings {
	return newSettings(o.MessageLimit, o.CloseTimeout, o.PingInterval, o.PongTimeout).
		pacing(o.MinRate).queueing(o.QueueLimit, o.WhenFull)
}

// handshake returns the options of the opening handshake; what comes of compression
// is stored in params when it takes place.
func (o *AcceptOptions) handshake(params *handshake.DeflateParams) (*handshake.ServerOptions, error) {
	ho := &handshake.ServerOptions{
		Subprotocols: o.Subprotocols, SelectSubprotocol: o.SelectSubprotocol,
		OriginPatterns: o.OriginPatterns, AllowAnyOrigin: o.AllowAnyOrigin,
		Header: o.Header, Check: o.Check,
	}
	if o.Compression.Mode == CompressionOff {
		return ho, nil
	}
	policy, err := o.Compression.policy(frame.Server)
	if err != nil {
		bad := *err.(*HandshakeError) // policy returns no other
		bad.Status = http.StatusInternalServerError
		return nil, &bad
	}
	ho.Extensions = func(offers []handshake.Extension) []handshake.Extension {
		accepted, agreed, ok := policy.Accept(offers)
		if !ok {
			return nil
		}
		*params = agreed
		return []handshake.Extension{accepted}
	}
	return ho, nil
}

func (o *AcceptOptions) timeout() time.Duration {
	return bounded(o.HandshakeTimeout, DefaultHandshakeTimeout)
}

// Accept makes a WebSocket connection of an HTTP request (RFC 6455 §4.2). If the
// request is not acceptable, Accept answers it, has the server close the
// connection, and returns a *HandshakeError; the handler has only to return. It
// works behind any middleware whose ResponseWriter offers Unwrap.
//
// After Accept the ResponseWriter must not be used. The connection outlives the
// handler: when it returns is up to you, but somebody has to read until the connection
// ends (Serve, Go, CloseRead, or calls of Read). When the handler has returned, or
// panicked, and nobody has read for PingInterval, the connection is closed with 1011
// (ErrUnread).
func Accept(w http.ResponseWriter, r *http.Request, o *AcceptOptions) (*Conn, error) {
	if o == nil {
		o = &AcceptOptions{}
	}
	place, err := o.Group.admit(r)
	if err != nil {
		return nil, refuse(w, r, o, nil, err)
	}
	defer place.abandon() // unless it is taken; a callback may panic
	c, err := hijack(w, r, o, place)
	if err == nil {
		c.watchHandler(r.Context())
	}
	return c, err
}

func hijack(w http.ResponseWriter, r *http.Request, o *AcceptOptions, place *member) (*Conn, error) {
	var params handshake.DeflateParams
	ho, err := o.handshake(&params)
	if err != nil {
		return nil, refuse(w, r, o, place, err)
	}
	ho.Header = merged(o.Header, w.Header())
	agreed, err := handshake.Accept(r, ho)
	if err != nil {
		return nil, refuse(w, r, o, place, err)
	}
	nc, brw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, refuse(w, r, o, place, &HandshakeError{
			Status: http.StatusInternalServerError, Token: "no_hijack",
			Reason: "the connection cannot be taken over: serve HTTP/1.1, through ResponseWriters that offer Unwrap",
			Err:    err,
		})
	}
	rest, _ := brw.Reader.Peek(brw.Reader.Buffered())
	return accepted(nc, agreed, o, params, rest, place)
}

// refuse answers a request that was not accepted. Its place is given back before: the client may come
// again as soon as it has the answer.
func refuse(w http.ResponseWriter, r *http.Request, o *AcceptOptions, place *member, err error) error {
	place.abandon()
	e, ok := err.(*HandshakeError)
	if !ok {
		e = &HandshakeError{Status: http.StatusInternalServerError, Token: "internal", Err: err}
	}
	reported.report(r.Context(), e)
	observeRefused(o.Observer, r, e)
	e.ServeHTTP(w, r)
	return e
}

// merged adds the header that middleware has set, cookies for example, to own,
// which comes first. What describes a body, or is the handshake's, stays away.
func merged(own, set http.Header) http.Header {
	if len(set) == 0 {
		return own
	}
	all := own.Clone()
	if all == nil {
		all = http.Header{}
	}
	for name, values := range set {
		switch name = http.CanonicalHeaderKey(name); {
		case strings.HasPrefix(name, "Content-"), strings.HasPrefix(name, "Sec-Websocket-"),
			name == "Connection", name == "Upgrade", name == "Transfer-Encoding", name == "Trailer":
		case all[name] == nil:
			all[name] = values
		case name == "Set-Cookie":
			all[name] = append(all[name], values...)
		}
	}
	return all
}

// accepted makes the connection and sends the response. The connection is in its group, and can be
// sent to, before the client learns that it is open.
func accepted(nc net.Conn, agreed *handshake.Agreement, o *AcceptOptions, params handshake.DeflateParams, rest []byte, place *member) (*Conn, error) {
	t := transport.New(nc)
	_ = nc.SetDeadline(time.Time{})
	set := o.settings()
	c := opened{
		t: t, role: frame.Server, subprotocol: agreed.Subprotocol, set: set,
		zip:      newCompression(frame.Server, &o.Compression, params, set.messageLimit),
		received: rest, response: agreed.AppendResponse(nil),
		observer: o.Observer, place: place,
	}.conn()
	ctx, cancel := within(o.timeout())
	defer cancel()
	if err := c.send.flush(ctx); err != nil {
		c.abort(err)
		return nil, fmt.Errorf("websocket: sending the handshake's response: %w", err)
	}
	return c, nil
}
