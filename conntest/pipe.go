package conntest

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
)

var errScheme = errors.New("want ws:// or wss:// and a host, or a path that begins with a slash")

// Client is a connected client. Its own methods may be called by any number of goroutines; those of Conn as package conn says.
type Client struct {
	// Conn is the connection.
	*conn.Conn
	// ToServer and ToClient are the two directions of its network.
	ToServer, ToClient *Link

	network    *network
	transcript *transcript
	tls        *tls.Conn // made by dialTLS; nil: Conn has done the handshake, or there is no TLS
}

// Pipe starts a server for h and returns a client that is connected to it. If the handshake is refused, the test fails; use Dial to
// test refusals. Each call starts another server. A nil handler is http.DefaultServeMux, a nil o the defaults. Client and server
// are closed when the test ends.
func Pipe(t testing.TB, h http.Handler, o *Options) *Client {
	t.Helper()
	return NewServer(t, h, o).Connect("", nil)
}

// Dial is Pipe, but returns the response and the error of conn.Dial. After an error only Transcript of the client can be used. The
// handshake is bounded by Options.Dial.HandshakeTimeout.
func Dial(t testing.TB, h http.Handler, o *Options) (*Client, *http.Response, error) {
	t.Helper()
	return NewServer(t, h, o).Dial(context.Background(), "", nil)
}

// Cut cuts both directions of the network at once. Link.CutAfter cuts it at a given byte.
func (c *Client) Cut(how Cut) {
	if c.network != nil {
		c.network.cutBoth(how)
	}
}

// TLS returns the state of the client's TLS connection, and false if there is none.
func (c *Client) TLS() (tls.ConnectionState, bool) {
	switch {
	case c.tls != nil:
		return c.tls.ConnectionState(), true
	case c.Conn == nil:
		return tls.ConnectionState{}, false
	}
	return c.Conn.TLS()
}

// Transcript returns the frames sent so far in both directions, as the client wrote and read them, one line for each:
//
//	client: GET / HTTP/1.1
//	server: HTTP/1.1 101 Switching Protocols
//	client: text "hello"
//	server: text, not final "hel"
//	server: continuation "lo"
//	server: binary 1024 bytes: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f …
//	client: ping 00 00 00 00 00 00 00 01
//	client: text, compressed "what it inflates to"
//	client: close 1000 (normal closure) "bye"
//	server: close 1000 (normal closure) "bye"
//	network: reset
//
// Masking keys are not shown, and long payloads are truncated: see Options.ShowPayload. A stream that ends without a close frame
// has a line too. A frame of the client is added when the client writes it, even if the network is cut in the middle of it; a frame of
// the server is added when the client has read all of it, so frames that the client does not read are missing.
//
// For golden files, test in a bubble with a latency above zero, as the default is. Then the order of the lines is certain if one
// goroutine uses the client; actions of several goroutines at the same instant have no certain order.
//
// Over TLS the transcript is the same. To see the plaintext, conntest does the client's TLS below conn.Dial (see
// conn.DialOptions.NetDialTLS). So the client's Stats do not count TLS, and cancelling a write of the client while the server
// does not read ends the connection. The server's side is as in production. With Options.NoTranscript the client's side is as in
// production too, and the transcript is empty.
func (c *Client) Transcript() string { return c.transcript.String(false) }

// TranscriptWithTimes is Transcript with the time since the first line at the beginning of each line.
func (c *Client) TranscriptWithTimes() string { return c.transcript.String(true) }
