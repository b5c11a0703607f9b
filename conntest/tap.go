package conntest

import (
	"io"
	"net"
)

// tapped is the client's net.Conn, and passes the plaintext to the transcript.
type tapped struct {
	net.Conn           // the endpoint, or the *tls.Conn over it
	below    *endpoint // Close closes it directly: tls.Conn.Close may wait to send an alert
	unsent   int       // bytes that the transcript has and Write did not write; one goroutine at a time writes
	t        *transcript
}

func (c *tapped) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.t.received(p[:n])
	}
	if err == io.EOF {
		c.t.ended(server)
	}
	return n, err
}

// Write passes p to the transcript before it writes, so that the answer's line comes later. Bytes that are not written now come again
// with the next call.
func (c *tapped) Write(p []byte) (int, error) {
	if c.unsent < len(p) {
		c.t.sent(p[c.unsent:])
	}
	n, err := c.Conn.Write(p)
	c.unsent = max(c.unsent, len(p)) - n
	return n, err
}

func (c *tapped) CloseWrite() error {
	c.t.ended(client)
	return c.Conn.(interface{ CloseWrite() error }).CloseWrite()
}

func (c *tapped) Close() error {
	c.t.ended(client)
	return c.below.Close()
}
