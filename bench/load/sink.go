package load

import (
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
)

// Sink is a server that answers the opening handshake by hand, and counts what it is
// sent. It takes one connection.
type Sink struct {
	*Group
	ln  net.Listener
	raw bool
}

// NewSink listens, without TLS if cfg is nil. Every message is to say want; raw counts bytes
// in place of messages.
func NewSink(cfg *tls.Config, want []byte, raw bool) (*Sink, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if cfg != nil {
		ln = tls.NewListener(ln, cfg)
	}
	s := &Sink{Group: &Group{failed: make(chan struct{})}, ln: ln, raw: raw}
	s.counter.cond.L = &s.counter.mu
	go func() {
		if err := s.serve(want); err != nil {
			s.fail(err)
		}
	}()
	return s, nil
}

// Addr is where it listens.
func (s *Sink) Addr() string { return s.ln.Addr().String() }

// Close ends it, with its connection.
func (s *Sink) Close() {
	s.Group.Close()
	_ = s.ln.Close()
}

func (s *Sink) serve(want []byte) error {
	nc, err := s.ln.Accept()
	if err != nil {
		return err
	}
	head, rest, err := readHead(nc)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(nc, response(head)); err != nil {
		return err
	}
	c := &Conn{nc: nc, group: s.Group}
	if s.raw {
		c.parser = &byteParser{ring: plain(want), every: sampleEvery}
	} else {
		c.parser = &frameParser{every: sampleEvery, want: func(uint64) []byte { return want }, onControl: c.answer}
	}
	if len(rest) > 0 {
		return fmt.Errorf("%d bytes came before the response", len(rest))
	}
	s.Conns = append(s.Conns, c)
	c.read(64)
	return nil
}

// answer is control for a server: what it sends is not masked.
func (c *Conn) answer(op byte, payload []byte) error {
	if op == opPing {
		_, err := c.nc.Write(append([]byte{0x80 | opPong, byte(len(payload))}, payload...))
		return err
	}
	return c.control(op, payload)
}

// response accepts a request (RFC 6455 §4.2.2).
func response(head string) string {
	key := ""
	for line := range strings.SplitSeq(head, "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && textproto.CanonicalMIMEHeaderKey(name) == "Sec-Websocket-Key" {
			key = strings.TrimSpace(value)
		}
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"
}
