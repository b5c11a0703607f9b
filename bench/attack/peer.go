package main

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
)

// counted is a socket that counts what is written to it.
type counted struct {
	net.Conn
	out int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.out += int64(n)
	return n, err
}

// peer is an attacker's connection.
type peer struct {
	wire *counted // the socket
	nc   net.Conn // TLS over it, or itself
	in   *bufio.Reader
}

func (p *peer) close() { _ = p.wire.Close() }

// dial connects, and does no more.
func (a *arena) dial() (*peer, error) {
	nc, err := net.Dial("tcp", a.server.Addr)
	if err != nil {
		return nil, err
	}
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	wire := &counted{Conn: nc}
	return &peer{wire: wire, nc: wire, in: bufio.NewReader(wire)}, nil
}

// secure is dial with a TLS handshake, where the row has TLS.
func (a *arena) secure() (*peer, error) {
	p, err := a.dial()
	if err != nil || a.row.plain {
		return p, err
	}
	cfg, err := child.ClientTLS(a.cert)
	if err != nil {
		return nil, err
	}
	tc := tls.Client(p.wire, cfg)
	if err := tc.Handshake(); err != nil {
		p.close()
		return nil, err
	}
	p.nc, p.in = tc, bufio.NewReader(tc)
	return p, nil
}

// request is an opening request, without the empty line that ends it.
func (a *arena) request() string {
	offer := ""
	if a.row.deflate {
		offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
	}
	return "GET / HTTP/1.1\r\nHost: " + a.server.Addr + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + offer
}

// open is secure with the opening handshake.
func (a *arena) open() (*peer, error) {
	p, err := a.secure()
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(p.nc, a.request()+"\r\n"); err != nil {
		p.close()
		return nil, err
	}
	resp, err := http.ReadResponse(p.in, nil)
	if err != nil {
		p.close()
		return nil, err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		p.close()
		return nil, fmt.Errorf("the opening handshake was answered with %s", resp.Status)
	}
	if a.row.deflate && !strings.Contains(resp.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate") {
		p.close()
		return nil, errors.New("compression was not agreed on")
	}
	return p, nil
}

// Opcodes, and bits of a frame's first byte (RFC 6455 §5.2).
const (
	continuation = 0
	text         = 1
	bin          = 2
	ping         = 9
	fin          = 0x80
	rsv1         = 0x40
)

// frame appends a frame of a client's, whose masking key is zero.
func frame(b []byte, first byte, payload []byte) []byte {
	return append(header(b, first, len(payload)), payload...)
}

// header appends the header of such a frame.
func header(b []byte, first byte, n int) []byte {
	switch {
	case n < 126:
		b = append(b, first, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, first, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, first, 0x80|127), uint64(n))
	}
	return append(b, 0, 0, 0, 0)
}

// messages reads frames of the server's until n messages have ended.
func (p *peer) messages(n int) error {
	for n > 0 {
		var h [2]byte
		if _, err := io.ReadFull(p.in, h[:]); err != nil {
			return err
		}
		size := int64(h[1])
		var long [8]byte
		switch size {
		case 126:
			if _, err := io.ReadFull(p.in, long[6:]); err != nil {
				return err
			}
			size = int64(binary.BigEndian.Uint64(long[:]))
		case 127:
			if _, err := io.ReadFull(p.in, long[:]); err != nil {
				return err
			}
			size = int64(binary.BigEndian.Uint64(long[:]))
		}
		if _, err := io.CopyN(io.Discard, p.in, size); err != nil {
			return err
		}
		switch opcode := h[0] & 0xf; {
		case opcode == 8:
			return errClosed
		case opcode < 8 && h[0]&fin != 0:
			n--
		}
	}
	return nil
}

// errClosed says that the server sent a close frame.
var errClosed = errors.New("the server closed the connection")

// flood sends chunk again and again, total bytes in all, and then last, which is a message that is answered. It reads
// meanwhile, and returns when the answers are there, or when the server has put an end to it.
func (p *peer) flood(first, chunk []byte, total int, last []byte, answers int) (ended bool, err error) {
	done := make(chan error, 1)
	var over atomic.Bool
	go func() {
		err := p.messages(answers)
		over.Store(true)
		done <- err
	}()
	send := func(b []byte) bool {
		_, err := p.nc.Write(b)
		return err == nil && !over.Load()
	}
	sent := send(first)
	for n := 0; sent && n < total; n += len(chunk) {
		sent = send(chunk)
	}
	if sent {
		sent = send(last)
	}
	err = <-done
	if err != nil && (errors.Is(err, errClosed) || !sent) {
		return true, nil
	}
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
			return false, err
		}
	}
	return err != nil, nil
}
