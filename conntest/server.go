package conntest

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/bubble"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// Options configure Pipe, Dial and NewServer. The zero value, and nil, are a ws connection to ws://localhost/ over a
// network with a latency of one millisecond. Options may be shared by any number of calls, and must not be changed
// meanwhile.
type Options struct {
	// URL is what the client dials. Its scheme says whether there is TLS: ws or wss. A URL that begins with a slash is a
	// path of ws://localhost. Zero: ws://localhost/.
	URL string
	// Dial are the client's options: header, subprotocols, compression, limits. NetDial, NetDialTLS and Proxy are
	// replaced, and TLS is given RootCAs that trust the server if it has none and TLS below is nil. Nil: the defaults.
	Dial *conn.DialOptions
	// TLS is the server's configuration for wss. Nil: a certificate for the URL's host.
	TLS *tls.Config
	// Server is called before the server starts, to set its timeouts, BaseContext and the like. Do not start or
	// shut down the server in it. ErrorLog is the test's log. Nil: nothing is changed.
	Server func(*http.Server)
	// StockListener leaves conn.NewListener out, for what a program without it does.
	StockListener bool

	// ToServer and ToClient are the network of every connection.
	ToServer, ToClient Direction
	// ClientIP is the address that the server sees, with a port that counts up. Zero: 192.0.2.1.
	ClientIP netip.Addr

	// ShowHeader names the fields of request and response that the transcript shows. Nil: none.
	ShowHeader []string
	// ShowPayload is the most bytes of a payload that the transcript shows. Zero: DefaultShowPayload. Negative: all of them.
	// Of binary payloads 16 bytes are shown unless it is negative.
	ShowPayload int
	// NoTranscript leaves the client's TLS to conn.Dial: see Client.Transcript. Without TLS nothing but the transcript is
	// lost.
	NoTranscript bool
}

// DefaultShowPayload is what zero in Options.ShowPayload means, in bytes.
const DefaultShowPayload = 256

// Server is a handler behind an http.Server that listens in memory. It stops when the test ends. All methods may be called
// by any number of goroutines.
type Server struct {
	// URL is the server's, as in Options, with scheme, host and path.
	URL string
	// HTTP is the http.Server, for Group.ShutdownServer for example.
	HTTP *http.Server

	t       testing.TB
	o       Options
	tls     *tls.Config // the server's; nil without TLS
	roots   *x509.CertPool
	addr    *net.TCPAddr
	log     *testLog
	running running // Serve, and handlers
	bubble  bool    // the server belongs to a testing/synctest bubble

	mu       sync.Mutex
	listener *listener // nil while the server is down
	networks map[*network]*end
	dials    int
}

// NewServer starts a server. It is closed when the test ends; see the package's documentation. In a bubble, call it
// there. In a program for GOOS=js the test is skipped: there, connections are the browser's.
func NewServer(t testing.TB, h http.Handler, o *Options) *Server {
	t.Helper()
	if runtime.GOOS == "js" {
		t.Skip("conntest: for GOOS=js, conn.Dial uses the browser")
	}
	if o == nil {
		o = &Options{}
	}
	s := &Server{t: t, o: *o, networks: map[*network]*end{}, log: &testLog{t: t}, bubble: bubble.Inside()}
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

// parse returns the URL to dial.
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

// Down has the server refuse connections, as a host does whose program is not running, and cuts those that there are.
// Handlers go on until they notice. It does nothing if the server is down.
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
		n.cutNow(how)
	}
}

// Up has the server listen again after Down. It does nothing if the server is up. After HTTP was shut down or closed, it
// cannot be started again.
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

// Dials returns how many connections were attempted, refused ones included.
func (s *Server) Dials() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials
}

// Open returns how many connections the server has not closed yet.
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

// NetDial connects to the server, whatever network and address are: for conn.DialOptions.NetDial, or
// http.Transport.DialContext. It takes one round trip. A server that is down refuses with syscall.ECONNREFUSED.
func (s *Server) NetDial(ctx context.Context, network, addr string) (net.Conn, error) {
	e, err := s.connect(ctx, nil)
	if err != nil {
		return nil, err
	}
	return e, nil
}

func (s *Server) connect(ctx context.Context, c *Client) (*end, error) {
	if bubble.Inside() != s.bubble {
		return nil, errBubble
	}
	n := newNetwork(s.o.ToServer, s.o.ToClient)
	s.mu.Lock()
	s.dials++
	port := 49151 + s.dials%16384
	s.mu.Unlock()
	roundTrip := time.NewTimer(n.toServer.latency + n.toClient.latency)
	defer roundTrip.Stop()
	select {
	case <-roundTrip.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ip := s.o.ClientIP
	if !ip.IsValid() {
		ip = netip.AddrFrom4([4]byte{192, 0, 2, 1})
	}
	local := &net.TCPAddr{IP: ip.AsSlice(), Port: port, Zone: ip.Zone()}
	near, far := newEnd(&n.toClient, &n.toServer, local, s.addr), newEnd(&n.toServer, &n.toClient, s.addr, local)
	if c != nil {
		c.ToServer, c.ToClient, c.network = &n.toServer, &n.toClient, n
		c.transcript.connected()
		n.onCut = c.transcript.noteCut
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil || !s.listener.offer(far) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: s.addr, Err: syscall.ECONNREFUSED}
	}
	for n, e := range s.networks {
		if e.isClosed() {
			delete(s.networks, n)
		}
	}
	s.networks[n] = far
	return near, nil
}

// DialOptions returns a copy of o with which conn.Dial connects to the server: for programs that dial by themselves. Nil:
// those of Options.
func (s *Server) DialOptions(o *conn.DialOptions) *conn.DialOptions {
	if o == nil {
		o = cmp.Or(s.o.Dial, &conn.DialOptions{})
	}
	d := *o
	d.Proxy, d.NetDialTLS, d.NetDial = nil, nil, s.NetDial
	if s.tls != nil && s.roots != nil && (d.TLS == nil || d.TLS.RootCAs == nil) {
		if d.TLS == nil {
			d.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		} else {
			d.TLS = d.TLS.Clone()
		}
		d.TLS.RootCAs = s.roots
	}
	return &d
}

// Connect dials the server and returns the client. path is a URL or, if it begins with a slash, a path of Server.URL with a
// query perhaps; zero is Server.URL. o are the client's options; nil: those of Options. If the handshake fails, the
// test does.
func (s *Server) Connect(path string, o *conn.DialOptions) *Client {
	s.t.Helper()
	c, _, err := s.Dial(context.Background(), path, o)
	if err != nil {
		s.t.Fatalf("conntest: %v", err)
	}
	return c
}

// Dial is Connect that returns the error of conn.Dial, and the response. After an error the client holds nothing but the
// transcript.
func (s *Server) Dial(ctx context.Context, path string, o *conn.DialOptions) (*Client, *http.Response, error) {
	u, err := s.parse(path)
	if err != nil {
		return &Client{transcript: newTranscript(&s.o)}, nil, err
	}
	c := &Client{transcript: newTranscript(&s.o)}
	d := s.DialOptions(o)
	d.NetDial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		e, err := s.connect(ctx, c)
		if err != nil {
			return nil, err
		}
		if s.o.NoTranscript || u.Scheme == "wss" {
			return e, nil
		}
		return &tapped{Conn: e, below: e, t: c.transcript}, nil
	}
	if !s.o.NoTranscript {
		d.NetDialTLS = func(ctx context.Context, _, addr string) (net.Conn, error) { return s.dialTLS(ctx, c, addr, d.TLS) }
	}
	wsc, resp, err := conn.Dial(ctx, u.String(), d)
	if err != nil {
		return c, resp, err
	}
	c.Conn = wsc
	s.t.Cleanup(func() {
		if bubble.Inside() == s.bubble {
			_ = wsc.CloseNow()
		}
	})
	return c, resp, nil
}

// dialTLS does the client's TLS, so that the plaintext can be seen.
func (s *Server) dialTLS(ctx context.Context, c *Client, addr string, cfg *tls.Config) (net.Conn, error) {
	e, err := s.connect(ctx, c)
	if err != nil {
		return nil, err
	}
	if cfg = tlsconf.ForWebSocket(cfg); cfg.ServerName == "" {
		cfg.ServerName, _, _ = net.SplitHostPort(addr)
	}
	tc := tls.Client(e, cfg)
	if err := tlsconf.Explain(tc.HandshakeContext(ctx)); err != nil {
		_ = e.Close()
		return nil, err
	}
	c.tls = tc
	return &tapped{Conn: tc, below: e, t: c.transcript}, nil
}

// handlerTimeout is how long handlers may take to return when their connections have been reset.
const handlerTimeout = 10 * time.Second

// close ends everything, and waits for it.
func (s *Server) close() {
	s.t.Helper()
	if bubble.Inside() != s.bubble {
		s.t.Error("conntest: the server was started in a bubble with the t of the test around it; use the t of the bubble")
		return // whatever follows would end the program
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
	// A connection that nobody reads from notices late: in a bubble that takes no time.
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

var errBubble = errors.New("conntest: a server that was started outside of a bubble cannot be dialed inside, nor the other way round; " +
	"call NewServer in the bubble")
