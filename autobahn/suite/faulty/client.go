package faulty

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-c4549abd/wss/handshake"
)

// Dial connects to a ws URL, echoes what comes with a fault, and returns when the connection has ended. An error says that
// the connection was not opened.
func Dial(ctx context.Context, address string, f Fault) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	request, err := handshake.NewRequest(u, &handshake.ClientOptions{Header: http.Header{"User-Agent": {"faulty"}}})
	if err != nil {
		return err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	s := &session{fault: f, conn: conn, in: bufio.NewReader(conn), client: true}
	if err := s.request(request); err != nil {
		return fmt.Errorf("faulty: %w", err)
	}
	s.serve()
	return nil
}

// request performs the opening handshake.
func (s *session) request(request *handshake.ClientRequest) error {
	if _, err := s.conn.Write(request.Append(nil)); err != nil {
		return err
	}
	response, err := http.ReadResponse(s.in, nil)
	if err != nil {
		return err
	}
	_, err = request.Check(response)
	return err
}

// awaitEnd leaves it to the server to end the connection (RFC 6455 §7.1.1).
func (s *session) awaitEnd() {
	_ = s.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, _ = io.Copy(io.Discard, s.in)
}
