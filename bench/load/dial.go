package load

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Target is where the load goes.
type Target struct {
	Addr string
	Host string // Host field; empty: Addr
	Path string // empty: /
	// TLS is nil for plain TCP.
	TLS *tls.Config
	// Raw echoes bytes, without an opening handshake.
	Raw bool
	// Offer is the value of Sec-WebSocket-Extensions; empty: none.
	Offer string
	// Local is the address to dial from; nil: any.
	Local net.Addr
}

// Connect makes a connection, with its opening handshake. rest are bytes that came behind
// the response.
func (t *Target) Connect(ctx context.Context) (nc net.Conn, response string, rest []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	d := net.Dialer{LocalAddr: t.Local, KeepAlive: -1}
	nc, err = d.DialContext(ctx, "tcp", t.Addr)
	if err != nil {
		return nil, "", nil, err
	}
	if t.TLS != nil {
		tc := tls.Client(nc, t.TLS)
		if err := tc.HandshakeContext(ctx); err != nil {
			_ = nc.Close()
			return nil, "", nil, err
		}
		nc = tc
	}
	if t.Raw {
		return nc, "", nil, nil
	}
	_ = nc.SetDeadline(time.Now().Add(30 * time.Second))
	response, rest, err = t.upgrade(nc)
	if err != nil {
		_ = nc.Close()
		return nil, "", nil, err
	}
	return nc, response, rest, nc.SetDeadline(time.Time{})
}

// request is the same for every library, but for Host.
func (t *Target) request() string {
	host, path, offer := t.Host, t.Path, ""
	if host == "" {
		host = t.Addr
	}
	if path == "" {
		path = "/"
	}
	if t.Offer != "" {
		offer = "Sec-WebSocket-Extensions: " + t.Offer + "\r\n"
	}
	return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://" + host + "\r\n" + offer + "\r\n"
}

// acceptKey answers the key of the request above; RFC 6455 §1.3 has the pair.
const acceptKey = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

func (t *Target) upgrade(nc net.Conn) (response string, rest []byte, err error) {
	if _, err := io.WriteString(nc, t.request()); err != nil {
		return "", nil, err
	}
	head, rest, err := readHead(nc)
	if err != nil {
		return "", nil, err
	}
	if !strings.HasPrefix(head, "HTTP/1.1 101 ") || !strings.Contains(head, acceptKey) {
		return "", nil, fmt.Errorf("the opening handshake was answered with %.200q", head)
	}
	return head, rest, nil
}

func readHead(nc net.Conn) (head string, rest []byte, err error) {
	buf := make([]byte, 0, 4096)
	for len(buf) < cap(buf) {
		n, err := nc.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if i := bytes.Index(buf, []byte("\r\n\r\n")); i >= 0 {
			return string(buf[:i+4]), buf[i+4:], nil
		}
		if err != nil {
			return "", nil, fmt.Errorf("reading the response: %w", err)
		}
	}
	return "", nil, errors.New("the response has more than 4 KiB")
}
