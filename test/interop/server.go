package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// messageLimit is the longest message of the checks, 1 MiB.
const messageLimit = 1 << 20

// server is our server, for clients of others. Its path says what it does with
// messages, and the query's id under which the end of the connection is noted.
type server struct {
	url  string
	mux  *http.ServeMux
	http *http.Server

	mu   sync.Mutex
	ends map[string]chan *conn.CloseError
}

// behaviours are the paths of our server, and of the peers' servers.
var behaviours = map[string]func(ctx context.Context, c *conn.Conn, r *http.Request) error{
	"/echo":   echo,
	"/stream": stream,
	"/ping":   ping,
	"/close":  closeAfterOne,
}

func startServer(ca *tlsconf.DevCA) (*server, error) {
	cfg, err := tlsconf.Server(tlsconf.ServerOptions{Profile: tlsconf.Intermediate, GetCertificate: ca.GetCertificate})
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{
		url:  fmt.Sprintf("wss://localhost:%d", ln.Addr().(*net.TCPAddr).Port),
		ends: make(map[string]chan *conn.CloseError),
		mux:  http.NewServeMux(),
	}
	for path, behave := range behaviours {
		s.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, behave) })
	}
	// A client that refuses our certificate is one of the checks, and no news.
	s.http = &http.Server{Handler: s.mux, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = s.http.Serve(tls.NewListener(conn.NewListener(ln), cfg)) }()
	return s, nil
}

func (s *server) close() error { return s.http.Close() }

func (s *server) serve(w http.ResponseWriter, r *http.Request, behave func(context.Context, *conn.Conn, *http.Request) error) {
	c, err := conn.Accept(w, r, &conn.AcceptOptions{Subprotocols: []string{"echo"}, MessageLimit: messageLimit})
	if err != nil {
		return // Accept has answered
	}
	defer c.CloseNow()
	ctx := c.Context()
	_ = behave(ctx, c, r) // how the connection ended says more
	_ = c.CloseNow()
	why, _ := errors.AsType[*conn.CloseError](context.Cause(ctx))
	s.end(r.URL.Query().Get("id")) <- why
}

// end returns the channel for how the connection of an id ended.
func (s *server) end(id string) chan *conn.CloseError {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ends[id] == nil {
		s.ends[id] = make(chan *conn.CloseError, 64)
	}
	return s.ends[id]
}

// sawClose checks how the connection of an id ended, as our server saw it; without a
// reason, any will do.
func (s *server) sawClose(ctx context.Context, id string, code conn.StatusCode, reason string) error {
	select {
	case why := <-s.end(id):
		if why == nil || why.Code != code || reason != "" && why.Reason != reason {
			return fmt.Errorf("our server saw %v, want code %d, reason %q", why, code, reason)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("our server saw no end: %w", context.Cause(ctx))
	}
}

func echo(ctx context.Context, c *conn.Conn, _ *http.Request) error {
	return c.Serve(ctx, func(c *conn.Conn, m conn.Message) error { return c.Write(ctx, m.Type, m.Data) })
}

// stream sends each message back in fragments of 1000 bytes.
func stream(ctx context.Context, c *conn.Conn, _ *http.Request) error {
	for m, err := range c.Messages(ctx) {
		if err != nil {
			return err
		}
		if err := writeFragments(ctx, c, m); err != nil {
			return err
		}
	}
	return nil
}

// writeFragments sends a message in fragments of 1000 bytes.
func writeFragments(ctx context.Context, c *conn.Conn, m conn.Message) error {
	w, err := c.Writer(ctx, m.Type)
	if err != nil {
		return err
	}
	for data := m.Data; len(data) > 0; {
		n := min(len(data), 1000)
		if _, err := w.Write(data[:n]); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
		data = data[n:]
	}
	return w.Close()
}

// ping waits for a message, pings the peer, and sends "answered" after its pong.
func ping(ctx context.Context, c *conn.Conn, _ *http.Request) error {
	if _, _, err := c.Read(ctx); err != nil {
		return err
	}
	reading := c.CloseRead(ctx)
	if _, err := c.Ping(ctx); err != nil {
		return err
	}
	err := c.Write(ctx, conn.Text, []byte("answered"))
	<-reading.Done()
	return err
}

// closeAfterOne closes after the first message, with the query's code and reason.
func closeAfterOne(ctx context.Context, c *conn.Conn, r *http.Request) error {
	if _, _, err := c.Read(ctx); err != nil {
		return err
	}
	code, err := strconv.ParseUint(r.URL.Query().Get("code"), 10, 16)
	if err != nil {
		return err
	}
	return c.Close(conn.StatusCode(code), r.URL.Query().Get("reason"))
}
