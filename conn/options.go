package conn

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
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

	// ConnContext returns the parent of Conn.Context, whose values handlers, observers and the
	// filter of a broadcast see then: the user of the request, for example. It is called when the
	// request is accepted. Do not return the request's own context, which ends with the handler
	// (context.WithoutCancel of it does not). If the parent ends, Conn.Context does, and the
	// connection stays. Nil, and a nil context: context.Background.
	ConnContext func(r *http.Request) context.Context

	// Group is the group that the connection joins. It may refuse the request with 503 or
	// 429, before any other check. Nil: no group.
	Group *Group
	// Observer is told what happens on the connection. Nil means no observer.
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
	// MaxUnsent bounds the bytes that the kernel holds for the connection and has not sent, which
	// cannot be replaced or taken back any more: by TCP_NOTSENT_LOWAT on Linux and macOS, else by
	// the size of the send buffer; what is no socket has no bound. Zero: the system's, and
	// DefaultMaxUnsent from the first SendLatest on. Negative: the system's, and SendLatest does not
	// hold messages back for peers that do not read.
	MaxUnsent int
	// MinRate is the least bytes a second, TLS included, at which a message that has
	// begun must arrive while somebody reads, measured over five seconds and again. A
	// slower peer's connection is closed with 1008. Messages that take less than five
	// seconds, and the time between messages, do not count; fragments that their sender
	// spaces out do. Zero or less: no such limit.
	MinRate int
	// CloseTimeout bounds the closing handshake. Zero or less: DefaultCloseTimeout.
	CloseTimeout time.Duration
	// PingInterval is the time without messages after which a ping is sent. No ping is sent
	// between the fragments of a compressed message, because some peers then misread it: as
	// long as such a message is open, only a peer that accepts nothing is given up. Zero:
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
		pacing(o.MinRate).queueing(o.QueueLimit, o.WhenFull).unsent(o.MaxUnsent)
}

// handshake returns the options of the opening handshake; what comes of compression
// is stored in params when it takes place.
func (o *AcceptOptions) handshake(params *handshake.DeflateParams) (*handshake.ServerOptions, error) {
	if problem := o.Group.problem(); problem != "" {
		return nil, &HandshakeError{Status: http.StatusInternalServerError, Token: "server_bug", Reason: problem}
	}
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

// connContext returns the parent of the connection's context, or nil.
func (o *AcceptOptions) connContext(r *http.Request) context.Context {
	if o.ConnContext == nil {
		return nil
	}
	return o.ConnContext(r)
}

func (o *AcceptOptions) timeout() time.Duration {
	return positiveOr(o.HandshakeTimeout, DefaultHandshakeTimeout)
}

// DialOptions configures the client's side of a connection. The zero value, and
// nil, are the safe defaults. Options may be shared by any number of calls, and
// must not be changed meanwhile.
type DialOptions struct {
	// Subprotocols lists what the client speaks, in its order of preference
	// (RFC 6455 §1.9). Zero: none.
	Subprotocols []string
	// Header is sent with the request: Authorization, Cookie, Origin. The
	// handshake's own fields are refused. Zero: nothing more.
	Header http.Header
	// Host is the Host field, if it is not the URL's. Zero: the URL's.
	Host string

	// TLS configures wss. It is cloned; ALPN is set to http/1.1, or to what Multiplexer speaks. See tlsconf.Client
	// for pins and client certificates. Zero: TLS 1.2 or later, the system's roots.
	TLS *tls.Config
	// Proxy returns the proxy for a request whose URL is the dialed one with the scheme http
	// or https, without user and password; nil is a direct connection. http.ProxyURL makes
	// such a function. It is called for every redirect too. The proxy's scheme is http or
	// https (CONNECT, in clear or over TLS, also for ws) or socks5, which is the same as socks5h:
	// the proxy resolves the host's name. User and password in the proxy's URL are sent to it, for
	// HTTP by Basic authentication. Conn.RemoteAddr is the proxy's. A failure is a
	// *ProxyError. Zero: ProxyFromEnvironment, or no proxy if NetDial or NetDialTLS is set.
	Proxy func(*http.Request) (*url.URL, error)
	// ProxyTLS configures the TLS connection to an https proxy; TLS configures the connection to
	// the host inside it. Zero: TLS 1.2 or later, the system's roots, the proxy's host.
	ProxyTLS *tls.Config
	// NetDial makes the connection to the host, or to the proxy if Proxy returns one; for a
	// unix socket it ignores addr. For wss Dial does TLS with the URL's host over whatever it
	// returns, a *tls.Conn to a proxy included. It should have deadlines that work; where it
	// has none, a call that is cancelled closes the connection. Zero: a net.Dialer.
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)
	// NetDialTLS makes the connection for a wss URL with TLS already done, by another
	// implementation for example. TLS is ignored, and Dial sends the request, credentials
	// included, as it is. It must not agree on h2. Conn.TLS reports a *tls.Conn only. As in
	// net/http it is not used for ws or through a proxy; NetDial is, and Dial does TLS. Zero:
	// NetDial and TLS.
	NetDialTLS func(ctx context.Context, network, addr string) (net.Conn, error)

	// Multiplexer opens wss connections as streams of connections that carry several: an http2.Pool
	// (RFC 8441) or an http3.Pool (RFC 9220). Where the server does not offer that, Dial uses HTTP/1.1, unless the
	// Multiplexer refuses to. It cannot be combined with NetDialTLS; ws and Client ignore it.
	// Conn.HTTPVersion tells what came. Nil: HTTP/1.1.
	Multiplexer Multiplexer

	// Jar supplies cookies for the http or https URL that corresponds to the dialed one,
	// besides those in Header, and is given those of every response of the server. Zero: no jar.
	Jar http.CookieJar
	// MaxRedirects is how many redirects (301, 302, 303, 307, 308) Dial follows; http and https
	// in a Location mean ws and wss. One from wss to ws is never followed. To another origin
	// (scheme, host or port), and from then on, only User-Agent, Accept-Language and Origin of
	// Header are sent, and neither Host, the URL's user and password nor client certificates;
	// Subprotocols and Jar's cookies for it are. One that is not followed is a
	// *HandshakeError with the token "too_many_redirects" or "bad_redirect". Zero or less: none, and
	// the token is "bad_status".
	MaxRedirects int

	// HandshakeTimeout bounds dialing, the proxy, the TLS handshakes, the opening handshake and
	// redirects together. Zero or less: DefaultHandshakeTimeout.
	HandshakeTimeout time.Duration
	// MaxHeaderBytes limits the head of the server's answer, and of a proxy's, in bytes, from its
	// status line to the blank line, interim responses before it included. A line may be as long as
	// that; the number of fields is limited to the larger of 128 and MaxHeaderBytes/512. A
	// longer head is a *HandshakeError with the token "header_too_large". Zero or less: 64
	// KiB.
	MaxHeaderBytes int

	// The rest means the same for both roles: see the fields of [AcceptOptions].

	Observer     Observer      // nil means no observer
	Compression  Compression   // zero: off
	MessageLimit int64         // zero: DefaultMessageLimit; negative: no limit
	QueueLimit   int           // zero or less: DefaultQueueLimit
	WhenFull     FullPolicy    // zero: the connection is closed
	MaxUnsent    int           // zero: the system's, until SendLatest is used
	MinRate      int           // zero or less: no such limit
	CloseTimeout time.Duration // zero or less: DefaultCloseTimeout
	PingInterval time.Duration // zero: DefaultPingInterval; negative: no pings
	PongTimeout  time.Duration // zero or less: DefaultPongTimeout
}

func (o *DialOptions) settings() settings {
	return newSettings(o.MessageLimit, o.CloseTimeout, o.PingInterval, o.PongTimeout).
		pacing(o.MinRate).queueing(o.QueueLimit, o.WhenFull).unsent(o.MaxUnsent)
}
