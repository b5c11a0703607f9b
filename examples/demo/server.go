package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/http2"
	_ "github.com/seed-c4549abd/wss/http2/enable"
	"github.com/seed-c4549abd/wss/pubsub"
	"github.com/seed-c4549abd/wss/pubsub/client"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// server is one node: it serves the pages, the topics that they use, and the echo.
type server struct {
	host   string     // as in a URL, with the port
	failed chan error // why serving ended, if nobody asked for it

	http  *http.Server
	spare spares
	out   *log.Logger
	group *conn.Group // of all WebSocket connections, which net/http knows nothing of
	tasks sync.WaitGroup
	open  sync.WaitGroup // handlers of echoes
	end   context.CancelFunc
}

// nodeOptions are the options of one of several nodes. The zero value is a single node.
type nodeOptions struct {
	name    string
	servers []string      // wss:// and host of all nodes; none: this one
	engine  pubsub.Engine // shares topics between nodes; nil: a single node
	nodes   func() int    // how many there are
}

// start listens on address and serves in the background until shutdown.
func start(address string, ca *tlsconf.DevCA, out *log.Logger, o nodeOptions) (*server, error) {
	cfg, err := tlsconf.Server(tlsconf.ServerOptions{GetCertificate: ca.GetCertificate, HTTP2: true})
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
	s := &server{host: net.JoinHostPort("localhost", port), failed: make(chan error, 1), out: out, group: &conn.Group{MaxConns: 2000, MaxPerAddress: 500}}
	if o.servers == nil {
		o.servers, o.nodes, o.name = []string{"wss://" + s.host}, func() int { return 1 }, s.host
	}
	trips := new(roundTrips)
	feeds := localHub(s.group)
	s.http = &http.Server{
		Handler: s.routes(o, feeds, trips), TLSConfig: cfg, ReadHeaderTimeout: 10 * time.Second, ErrorLog: out, ConnState: s.spare.note,
	}
	if err := http2.Configure(s.http); err != nil && !errors.Is(err, http2.ErrNotEnabled) {
		return nil, errors.Join(err, ln.Close())
	}

	ctx, end := context.WithCancel(context.Background())
	s.end = end
	s.tasks.Go(func() { trade(ctx, feeds) })
	s.tasks.Go(func() { watch(ctx, feeds, trips, o.name, o.nodes) })
	// NewListener goes below TLS: that is what makes idle connections cheap.
	go func() {
		if err := s.http.ServeTLS(conn.NewListener(ln), "", ""); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	return s, nil
}

// routes returns the handler of all paths.
func (s *server) routes(o nodeOptions, feeds *pubsub.Hub, trips *roundTrips) http.Handler {
	mux := http.NewServeMux()
	servers := append([]string{"wss://" + s.host}, slices.DeleteFunc(slices.Clone(o.servers), func(url string) bool { return url == "wss://"+s.host })...)
	for path, page := range pages {
		mux.Handle("GET "+path, servePage(page, servers))
	}
	mux.Handle("GET /style.css", serveFile("style.css", "text/css"))
	for _, name := range []string{"common.js", "chat.js", "market.js", "game.js", "monitor.js", "echo.js"} {
		mux.Handle("GET /"+name, serveFile(name, "text/javascript"))
	}
	mux.Handle("GET /pubsub.js", client.Script())
	accept := &conn.AcceptOptions{Observer: trips, ConnContext: withUser, MessageLimit: 16 << 10}
	for _, url := range servers { // pages of one node may connect to another
		accept.OriginPatterns = append(accept.OriginPatterns, strings.TrimPrefix(url, "wss://"))
	}
	// Without a method, as over HTTP/2 it is CONNECT.
	mux.Handle("/topics", sharedHub(s.group, o.engine).Handler(accept))
	mux.Handle("/feeds", feeds.Handler(accept))
	mux.HandleFunc("/echo", s.serveEcho)
	return mux
}

// serveEcho sends every message back.
func (s *server) serveEcho(w http.ResponseWriter, r *http.Request) {
	s.open.Add(1)
	defer s.open.Done()
	c, err := conn.Accept(w, r, &conn.AcceptOptions{Subprotocols: []string{"echo"}, Group: s.group})
	if err != nil {
		s.out.Printf("refused     %s: %v", r.RemoteAddr, err)
		return // Accept has answered
	}
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
	s.spare.close()
	err := s.group.ShutdownServer(ctx, s.http, conn.ShutdownOptions{Code: conn.StatusGoingAway, Reason: "the server is shutting down"})
	s.end()
	s.tasks.Wait()
	if err == nil { // all connections have ended, so their handlers are about to
		s.open.Wait()
	}
	return err
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
