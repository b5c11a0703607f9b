package conntest

import (
	"crypto/tls"
	"net/http"
	"net/netip"

	"github.com/seed-c4549abd/wss/conn"
)

// Options configure Pipe, Dial and NewServer. The zero value, and nil, are a ws connection to ws://localhost/ over a
// network with a latency of one millisecond. Options may be shared by any number of calls, and must not be changed
// meanwhile.
type Options struct {
	// URL is the URL that the client dials. With the scheme wss there is TLS, with ws there is none. A URL that begins with a
	// slash is a path of ws://localhost. Empty: ws://localhost/.
	URL string
	// Dial holds the client's options, for example its header, subprotocols and limits. NetDial, NetDialTLS and Proxy are
	// replaced. If Dial.TLS has no RootCAs and TLS below is nil, its RootCAs trust the server. Nil: the defaults.
	Dial *conn.DialOptions
	// TLS is the server's configuration for wss. Nil: a certificate for the URL's host.
	TLS *tls.Config
	// Server is called before the server starts, to set its timeouts or BaseContext for example. It must not start or shut
	// down the server. ErrorLog is the test's log. Nil: not called.
	Server func(*http.Server)
	// StockListener leaves conn.NewListener out, as a program does that does not use it.
	StockListener bool

	// ToServer and ToClient describe the network of every connection.
	ToServer, ToClient Direction
	// ClientIP is the client's address as the server sees it; each connection has another port. Zero: 192.0.2.1.
	ClientIP netip.Addr

	// ShowHeader names the header fields of request and response that the transcript shows. Nil: none.
	ShowHeader []string
	// ShowPayload is the most bytes of a payload that the transcript shows. Of a binary payload it shows at most 16. Zero:
	// DefaultShowPayload. Negative: all bytes, of binary payloads too.
	ShowPayload int
	// NoTranscript turns the transcript off. Then conn.Dial does the client's TLS itself, as in production: see
	// Client.Transcript.
	NoTranscript bool
}

// DefaultShowPayload is the value of Options.ShowPayload, in bytes, if it is zero.
const DefaultShowPayload = 256
