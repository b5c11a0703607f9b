package conntest

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/bubble"
	"github.com/seed-c4549abd/wss/tlsconf"
)

var errBubble = errors.New("conntest: a server that was started outside of a bubble cannot be dialed inside, nor the other way round; " +
	"call NewServer in the bubble")

// NetDial connects to the server and ignores network and addr. It is a value for conn.DialOptions.NetDial and
// http.Transport.DialContext. It takes one round trip. If the server is down, the error wraps syscall.ECONNREFUSED.
func (s *Server) NetDial(ctx context.Context, network, addr string) (net.Conn, error) {
	e, err := s.connect(ctx, nil)
	if err != nil {
		return nil, err
	}
	return e, nil
}

func (s *Server) connect(ctx context.Context, c *Client) (*endpoint, error) {
	if bubble.Inside() != s.bubble {
		return nil, errBubble
	}
	n := newNetwork(s.o.ToServer, s.o.ToClient)
	s.mu.Lock()
	s.dials++
	port := 49151 + s.dials%16384
	s.mu.Unlock()
	if err := bubble.Sleep(ctx, n.toServer.latency+n.toClient.latency); err != nil {
		return nil, err
	}
	ip := s.o.ClientIP
	if !ip.IsValid() {
		ip = netip.AddrFrom4([4]byte{192, 0, 2, 1})
	}
	local := &net.TCPAddr{IP: ip.AsSlice(), Port: port, Zone: ip.Zone()}
	near, far := newEndpoint(&n.toClient, &n.toServer, local, s.addr), newEndpoint(&n.toServer, &n.toClient, s.addr, local)
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

// DialOptions returns a copy of o with which conn.Dial connects to the server, for code that calls conn.Dial itself. A nil o is
// Options.Dial.
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

// Connect dials the server and returns the client. path is a URL, or a path and query on the host of Server.URL if it begins with a
// slash; empty: Server.URL. A nil o is Options.Dial. If the handshake fails, the test fails at once: call Connect from the test's
// goroutine.
func (s *Server) Connect(path string, o *conn.DialOptions) *Client {
	s.t.Helper()
	c, _, err := s.Dial(context.Background(), path, o)
	if err != nil {
		s.t.Fatalf("conntest: %v", err)
	}
	return c
}

// Dial is Connect, but returns the response and the error of conn.Dial. After an error only Transcript of the client can be used.
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

// dialTLS connects and does the client's TLS handshake, so that the transcript sees the plaintext.
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
