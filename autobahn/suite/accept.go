package suite

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/seed-c4549abd/wss/handshake"
)

// serverConfig is a server's configuration as the suite needs it: HTTP/1.1 alone, and chops that are records of their own.
func serverConfig(c *tls.Config) *tls.Config {
	c = c.Clone()
	c.NextProtos = []string{"http/1.1"}
	c.DynamicRecordSizingDisabled = true
	return c
}

// accept performs the server's part of the opening handshake (RFC 6455 §4.2). What o refuses is answered with its error.
// respond may change the response.
func accept(ctx context.Context, conn net.Conn, o *handshake.ServerOptions, respond func() *Opening) (*opened, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if secured, ok := conn.(*tls.Conn); ok {
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, err
		}
	}
	at := &opened{conn: conn, server: true}
	err := at.answer(o, respond)
	if refusal, ok := errors.AsType[*handshake.Error](err); ok {
		refuse(conn, refusal)
	}
	return at, err
}

// answer reads the request and sends the response.
func (at *opened) answer(o *handshake.ServerOptions, respond func() *Opening) error {
	request, err := at.readRequest()
	if err != nil {
		return err
	}
	if at.agreement, err = handshake.Accept(request, o); err != nil {
		return err
	}
	response := at.agreement.AppendResponse(nil)
	g := respond()
	if g == nil {
		g = &Opening{}
	}
	at.response = g.head(response)
	return g.write(at.conn, at.response)
}

func (at *opened) readRequest() (*http.Request, error) {
	reader := handshake.NewRequestReader(handshake.Limits{})
	buf := make([]byte, 4<<10)
	for {
		n, err := at.conn.Read(buf)
		used, done, bad := reader.Feed(buf[:n])
		at.request += string(buf[:used])
		if bad != nil {
			return nil, bad
		}
		if done {
			at.early = append(at.early, buf[used:n]...)
			return reader.Request(), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// refuse sends a refusal and gives the client a moment to read it.
func refuse(conn net.Conn, refusal *handshake.Error) {
	_ = conn.SetDeadline(time.Now().Add(lingerTime))
	if _, err := conn.Write(refusal.AppendResponse(nil)); err != nil {
		return
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(conn, 64<<10))
}
