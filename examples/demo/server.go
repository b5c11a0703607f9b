package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// server serves the page and the echo.
type server struct {
	host   string     // as in a URL, with the port
	failed chan error // why serving ended, if nobody asked for it

	http  *http.Server
	spare spares
	out   *log.Logger

	// net/http knows nothing of a connection once it is a WebSocket, so ending
	// them, and waiting for that, is up to us.
	ending context.Context
	end    context.CancelFunc
	open   sync.WaitGroup
}

// start listens on address and serves in the background until shutdown.
func start(address string, ca *tlsconf.DevCA, out *log.Logger) (*server, error) {
	cfg, err := tlsconf.Server(tlsconf.ServerOptions{GetCertificate: ca.GetCertificate})
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	s := &server{host: net.JoinHostPort("localhost", port), failed: make(chan error, 1), out: out}
	s.ending, s.end = context.WithCancel(context.Background())

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", servePage)
	mux.HandleFunc("GET /echo", s.serveEcho)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ErrorLog: out, ConnState: s.spare.note}

	// NewListener goes below TLS: that is what makes idle connections cheap.
	secure := tls.NewListener(conn.NewListener(ln), cfg)
	go func() {
		if err := s.http.Serve(secure); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	return s, nil
}

// serveEcho sends every message back.
func (s *server) serveEcho(w http.ResponseWriter, r *http.Request) {
	s.open.Add(1)
	defer s.open.Done()
	c, err := conn.Accept(w, r, &conn.AcceptOptions{Subprotocols: []string{"echo"}})
	if err != nil {
		s.out.Printf("refused     %s: %v", r.RemoteAddr, err)
		return // Accept has answered
	}
	stop := context.AfterFunc(s.ending, func() { _ = c.Close(conn.StatusGoingAway, "the server is shutting down") })
	defer stop()

	s.out.Printf("opened      %s", c.RemoteAddr())
	ctx := c.Context()
	_ = c.Serve(ctx, func(c *conn.Conn, m conn.Message) error {
		return c.Write(ctx, m.Type, m.Data)
	})
	s.out.Printf("closed      %s: %v", c.RemoteAddr(), context.Cause(ctx))
}

// shutdown takes no more connections, closes those that are open with 1001, and
// waits for their end, until ctx ends.
func (s *server) shutdown(ctx context.Context) error {
	s.end()
	s.spare.close()
	err := s.http.Shutdown(ctx)
	closed := make(chan struct{})
	go func() {
		s.open.Wait()
		close(closed)
	}()
	select {
	case <-closed:
		return err
	case <-ctx.Done():
		return errors.Join(err, fmt.Errorf("connections were still open: %w", ctx.Err()))
	}
}

// spares are the connections that have asked for nothing yet. A browser likes to keep
// one in reserve, and http.Server.Shutdown would wait five seconds for its request.
type spares struct {
	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool // and so is every further one
}

// note is the server's ConnState.
func (s *spares) note(nc net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(s.conns, nc)
	case s.closed:
		_ = nc.Close()
	default:
		if s.conns == nil {
			s.conns = make(map[net.Conn]struct{})
		}
		s.conns[nc] = struct{}{}
	}
}

func (s *spares) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for nc := range s.conns {
		_ = nc.Close()
	}
}
