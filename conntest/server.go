package conntest

import (
	"crypto/tls"
	"crypto/x509"
	"log"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/bubble"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// Server is an http.Server that listens in memory. It is made by NewServer and stops when the test ends. All methods may be
// called by any number of goroutines.
type Server struct {
	// URL is Options.URL, completed by scheme, host and path.
	URL string
	// HTTP is the http.Server, for example for Group.ShutdownServer.
	HTTP *http.Server

	t       testing.TB
	o       Options
	tls     *tls.Config // the server's; nil without TLS
	roots   *x509.CertPool
	addr    *net.TCPAddr
	log     *testLog
	running running // goroutines of Serve and of handlers
	bubble  bool    // the server belongs to a testing/synctest bubble

	mu       sync.Mutex
	listener *listener // nil while the server is down
	networks map[*network]*endpoint
	dials    int
}

// NewServer starts a server for h, which is closed when the test ends. To use it in a bubble, call NewServer in the bubble. A nil
// handler is http.DefaultServeMux, a nil o the defaults. For GOOS=js it skips the test, since connections are the browser's there.
func NewServer(t testing.TB, h http.Handler, o *Options) *Server {
	t.Helper()
	if runtime.GOOS == "js" {
		t.Skip("conntest: for GOOS=js, conn.Dial uses the browser")
	}
	if o == nil {
		o = &Options{}
	}
	s := &Server{t: t, o: *o, networks: map[*network]*endpoint{}, log: &testLog{t: t}, bubble: bubble.Inside()}
	u, err := s.parse(o.URL)
	if err != nil {
		t.Fatalf("conntest: %v", err)
	}
	s.URL = u.String()
	s.addr = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 80}
	if u.Scheme == "wss" {
		s.addr.Port = 443
		if err := s.configureTLS(u.Hostname()); err != nil {
			t.Fatalf("conntest: %v", err)
		}
	}
	if h == nil {
		h = http.DefaultServeMux
	}
	s.HTTP = &http.Server{
		Handler: h, TLSConfig: s.tls, ErrorLog: log.New(s.log, "", 0),
	}
	if o.Server != nil {
		o.Server(s.HTTP)
	}
	inner := s.HTTP.Handler
	s.HTTP.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.running.add(1)
		defer s.running.add(-1)
		inner.ServeHTTP(w, r)
	})
	s.Up()
	t.Cleanup(s.close)
	return s
}

// parse resolves a URL or path, against s.URL if it is set.
func (s *Server) parse(raw string) (*url.URL, error) {
	base := &url.URL{Scheme: "ws", Host: "localhost", Path: "/"}
	if s.URL != "" {
		base, _ = url.Parse(s.URL)
	}
	if raw == "" {
		return base, nil
	}
	u, err := base.Parse(raw)
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "http":
		u.Scheme = "ws"
	case "https":
		u.Scheme = "wss"
	}
	if u.Path == "" {
		u.Path = "/"
	}
	if u.Scheme != "ws" && u.Scheme != "wss" || u.Host == "" {
		return nil, &url.Error{Op: "parse", URL: raw, Err: errScheme}
	}
	return u, nil
}

func (s *Server) configureTLS(host string) error {
	if s.o.TLS != nil {
		s.tls = s.o.TLS.Clone()
		return nil
	}
	cert, pool, err := certificateFor(host)
	if err != nil {
		return err
	}
	s.roots = pool
	s.tls, err = tlsconf.Server(tlsconf.ServerOptions{
		Profile: tlsconf.Intermediate, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &cert, nil },
	})
	return err
}

// Down makes the server refuse new connections, as a host does on which the program does not run, and cuts the open ones. Handlers
// run until they notice. It does nothing if the server is down.
func (s *Server) Down(how Cut) {
	s.mu.Lock()
	l := s.listener
	s.listener = nil
	networks := make([]*network, 0, len(s.networks))
	for n := range s.networks {
		networks = append(networks, n)
	}
	s.mu.Unlock()
	if l == nil {
		return
	}
	_ = l.Close()
	for _, n := range networks {
		n.cutBoth(how)
	}
}

// Up makes the server listen again after Down. It does nothing if the server is up. A server that was shut down or closed through HTTP
// cannot listen again.
func (s *Server) Up() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return
	}
	l := newListener(s.addr)
	s.listener = l
	var ln net.Listener = l
	if !s.o.StockListener {
		ln = conn.NewListener(ln)
	}
	s.running.add(1)
	go func() {
		defer s.running.add(-1)
		if s.tls != nil {
			_ = s.HTTP.ServeTLS(ln, "", "")
		} else {
			_ = s.HTTP.Serve(ln)
		}
		_ = l.Close()
	}()
}

// Dials returns the number of connections that were attempted, including refused ones.
func (s *Server) Dials() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials
}

// Open returns the number of connections that the server has accepted or queued and not closed yet.
func (s *Server) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, e := range s.networks {
		if !e.isClosed() {
			n++
		}
	}
	return n
}

// handlerTimeout is how long handlers may take to return when their connections have been reset.
const handlerTimeout = 10 * time.Second

// close closes the server, resets its connections, and waits for its goroutines.
func (s *Server) close() {
	s.t.Helper()
	if bubble.Inside() != s.bubble {
		s.t.Error("conntest: the server was started in a bubble with the t of the test around it; use the t of the bubble")
		return // using the bubble's channels from outside would panic
	}
	s.mu.Lock()
	l := s.listener
	s.listener = nil
	networks := s.networks
	s.networks = nil
	s.mu.Unlock()
	if l != nil {
		_ = l.Close()
	}
	_ = s.HTTP.Close()
	for n := range networks {
		n.abort()
	}
	timeout := time.NewTimer(handlerTimeout)
	defer timeout.Stop()
	select {
	case <-s.running.none():
	case <-timeout.C:
		s.t.Errorf("conntest: a handler has not returned %v after its connection was reset", handlerTimeout)
	}
	// A connection that no goroutine reads from notices the reset late. In a bubble waiting takes no time.
	patience := 200 * time.Millisecond
	if s.bubble {
		patience = time.Hour
	}
	timeout.Reset(patience)
	for _, e := range networks {
		select {
		case <-e.closed:
		case <-timeout.C:
			s.log.stop()
			return
		}
	}
	s.log.stop()
}
