package conntest

import (
	"io"
	"net"
)

// tapped is the client's connection, whose plaintext the transcript is made of.
type tapped struct {
	net.Conn      // end, or the *tls.Conn over it
	below    *end // what Close closes: a tls.Conn would wait to send an alert
	unsent   int  // bytes that are noted and were not written; one goroutine at a time writes
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

// Write notes the bytes first, so that an answer cannot be noted before them. What is not written is written by the next
// call.
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
