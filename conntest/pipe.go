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

// Client is a connected client. Its methods, besides those of Conn, may be called by any number of goroutines.
type Client struct {
	// Conn is the connection.
	*conn.Conn
	// ToServer and ToClient are the directions of its network.
	ToServer, ToClient *Link

	network    *network
	transcript *transcript
	tls        *tls.Conn // if it is not Conn's own
}

// Pipe starts a server for h and returns a client that is connected to it. If the handshake is refused, the test fails:
// use Dial to test refusals. Several calls with the same handler make several servers, whose connections can share a
// conn.Group. A nil handler is http.DefaultServeMux, a nil o the defaults. When the test ends, everything does.
func Pipe(t testing.TB, h http.Handler, o *Options) *Client {
	t.Helper()
	return NewServer(t, h, o).Connect("", nil)
}

// Dial is Pipe that returns what conn.Dial does: the response, and the error of a handshake that was refused. After an
// error the client holds nothing but the transcript. The handshake is bounded by Options.Dial.HandshakeTimeout.
func Dial(t testing.TB, h http.Handler, o *Options) (*Client, *http.Response, error) {
	t.Helper()
	return NewServer(t, h, o).Dial(context.Background(), "", nil)
}

// Cut cuts the network at once, in both directions. Link.CutAfter cuts it at a byte.
func (c *Client) Cut(how Cut) {
	if c.network != nil {
		c.network.cutNow(how)
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

// Transcript returns what was sent in both directions so far, a line for each frame, as the client wrote and read it:
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
// Masking keys are not shown, and long payloads are cut short: see Options.ShowPayload. A stream that ends without a
// close frame is a line as well. A frame of the client's has a line when it is written, though the network may be cut
// in the middle of it; one of the server's when the client has read it whole, so that frames which nobody reads are
// missing.
//
// For golden files, test in a bubble with a latency above zero, as the default is. Then the lines come in the same
// order each time if the client is used by one goroutine; what several goroutines do at the same instant has no certain
// order.
//
// Over TLS the transcript is the same. To see plaintext, TLS is done between conn.Dial and the network and not by
// conn.Dial (see conn.DialOptions.NetDialTLS). So the client's Stats count no TLS, and a write of the client's that is
// cancelled while the server does not read ends the connection. The server's side is as in production.
// Options.NoTranscript changes that; then the transcript is empty.
func (c *Client) Transcript() string { return c.transcript.String(false) }

// TranscriptWithTimes is Transcript with the time since the first line before each line.
func (c *Client) TranscriptWithTimes() string { return c.transcript.String(true) }
