package suite

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/handshake"
)

// openTimeout bounds connecting and the opening handshake together.
const openTimeout = 10 * time.Second

// opened is a connection after its opening handshake.
type opened struct {
	conn              net.Conn
	early             []byte // what came behind the response's head
	agreement         *handshake.Agreement
	compression       *compression // nil: none
	request, response string       // the two heads as they were on the wire
	server            bool         // the suite is the server
	ended             bool         // the peer has ended the stream; see rest
}

// dial connects and performs the opening handshake (RFC 6455 §4.1). What was read and sent is returned with an error too.
func dial(ctx context.Context, o *Options, c *Case) (*opened, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	at := &opened{}
	u, err := url.Parse(o.URL)
	if err != nil {
		return at, err
	}
	request, err := handshake.NewRequest(u, &handshake.ClientOptions{
		Extensions: extensions(c.offers), Header: o.fields(),
	})
	if err != nil {
		return at, err
	}
	err = at.reach(ctx, o, u, request)
	at.request = o.shown(at.request)
	if err == nil {
		if at.compression, err = agreed(c.offers, at.agreement.Extensions); err == errNotGranted && !c.exact {
			err = nil
		}
	}
	if err != nil && at.conn != nil {
		_ = at.conn.Close()
	}
	return at, err
}

// reach connects and performs the opening handshake.
func (at *opened) reach(ctx context.Context, o *Options, u *url.URL, request *handshake.ClientRequest) (err error) {
	if o.OpenStream != nil {
		return at.openStream(ctx, o, request)
	}
	if at.conn, err = connect(ctx, u, o.TLS); err != nil {
		return &unreachableError{err}
	}
	return at.shake(ctx, request)
}

// fields returns the fields of a request beside those of the handshake.
func (o *Options) fields() http.Header {
	h := o.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	if h["User-Agent"] == nil {
		h.Set("User-Agent", "wss-suite")
	}
	return h
}

// shown returns a request's head for reports, which others read: without the values of the user's fields.
func (o *Options) shown(head string) string {
	lines := strings.Split(head, "\r\n")
	for i, line := range lines {
		if name, _, ok := strings.Cut(line, ":"); ok && o.Header[http.CanonicalHeaderKey(name)] != nil {
			lines[i] = name + ": (not shown)"
		}
	}
	return strings.Join(lines, "\r\n")
}

// connect opens the connection that the scheme asks for.
func connect(ctx context.Context, u *url.URL, c *tls.Config) (net.Conn, error) {
	secure := u.Scheme == "wss" || u.Scheme == "https"
	port := u.Port()
	if port == "" {
		port = map[bool]string{true: "443", false: "80"}[secure]
	}
	address := net.JoinHostPort(u.Hostname(), port)
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil || !secure {
		return conn, err
	}
	conn = socket{conn}
	if c == nil {
		c = &tls.Config{}
	}
	c = c.Clone()
	c.NextProtos = []string{"http/1.1"} // RFC 6455 §4.1 is about HTTP/1.1
	// Chops of an octet shall be records of their own, and records as long as they can be.
	c.DynamicRecordSizingDisabled = true
	if c.ServerName == "" {
		c.ServerName = u.Hostname()
	}
	secured := tls.Client(conn, c)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secured, nil
}

// socket is a TCP connection below TLS. crypto/tls takes its end for that of the TLS stream, where close_notify has to come
// before (RFC 8446 §6.1): here the two are told apart.
type socket struct{ net.Conn }

var errTruncated = errors.New("the TCP connection ended without close_notify")

func (s socket) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	if err == io.EOF {
		err = errTruncated
	}
	return n, err
}

func (s socket) CloseWrite() error {
	if half, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

func (at *opened) shake(ctx context.Context, request *handshake.ClientRequest) error {
	stop := context.AfterFunc(ctx, func() { _ = at.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	head := request.Append(nil)
	at.request = string(head)
	if _, err := at.conn.Write(head); err != nil {
		return err
	}
	return at.readResponse(request)
}

// readResponse reads the server's head, and checks it against the request (RFC 6455 §4.1).
func (at *opened) readResponse(request *handshake.ClientRequest) error {
	reader := handshake.NewResponseReader(handshake.Limits{})
	buf := make([]byte, 4<<10)
	for {
		n, err := at.conn.Read(buf)
		used, done, bad := reader.Feed(buf[:n])
		at.response += string(buf[:used])
		if bad != nil {
			return bad
		}
		if done {
			at.early = append(at.early, buf[used:n]...)
			at.agreement, err = request.Check(reader.Response())
			return err
		}
		if err != nil {
			return fmt.Errorf("no answer to the opening handshake: %w", err)
		}
	}
}
