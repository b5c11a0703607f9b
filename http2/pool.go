package http2

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// Pool opens WebSockets as streams of HTTP/2 connections (RFC 8441), for [conn.DialOptions.Multiplexer]. Dials to one host and port
// whose DialOptions have the same TLS share a connection, made with the Proxy and NetDial of the first of them; another connection is made
// when the server allows no more streams. The zero value is ready. A Pool must not be copied, and may be used by any number of goroutines at once.
type Pool struct {
	// Require has Dial fail with an error that wraps ErrNotOffered where the server does not offer WebSockets over
	// HTTP/2. False: Dial uses HTTP/1.1, over a connection of its own.
	Require bool
	// IdleTimeout is how long a connection without streams is kept. Zero or less: 90 seconds.
	IdleTimeout time.Duration
	// MaxStreams is the most WebSockets on one connection. Zero or less: what the server allows.
	MaxStreams int

	mu      sync.Mutex
	closed  bool
	hosts   map[hostKey]*host
	lacking map[hostKey]time.Time // hosts that do not offer it, and until when that is believed
}

// hostKey is what dials must have in common to share a connection.
type hostKey struct {
	addr  string
	share any
}

// host is the connections to one host.
type host struct {
	conns   []*clientConn
	dialing chan struct{} // closed when the dial in progress has ended; nil: none is in progress
}

const (
	defaultIdleTimeout = 90 * time.Second
	// lackingFor is how long a host is not asked again whether it offers WebSockets over HTTP/2.
	lackingFor = 10 * time.Minute
	// maxAttempts is how often a request is sent that servers say they have not processed.
	maxAttempts = 3
)

// OpenStream is for [conn.Dial]: see [conn.Multiplexer].
func (p *Pool) OpenStream(ctx context.Context, r *conn.StreamRequest) (net.Conn, *http.Response, error) {
	for attempt := 1; ; attempt++ {
		c, err := p.connection(ctx, r)
		if err != nil {
			return nil, nil, p.explain(err)
		}
		nc, resp, err := c.open(ctx, r)
		if err == nil {
			return nc, resp, nil
		}
		if !errors.Is(err, errNotProcessed) || attempt == maxAttempts {
			return nil, nil, err
		}
	}
}

// explain keeps Dial from using HTTP/1.1 if that is not wanted.
func (p *Pool) explain(err error) error {
	if p.Require && errors.Is(err, conn.ErrNoStreams) {
		return fmt.Errorf("%w: %v", ErrNotOffered, err)
	}
	return err
}

// connection returns a connection on which a stream is reserved.
func (p *Pool) connection(ctx context.Context, r *conn.StreamRequest) (*clientConn, error) {
	key := hostKey{addr: r.URL.Host, share: r.Share}
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, ErrPoolClosed
		}
		if time.Now().Before(p.lacking[key]) {
			p.mu.Unlock()
			return nil, fmt.Errorf("%w (%s, as it was found to be before)", conn.ErrNoStreams, key.addr)
		}
		h := p.hosts[key]
		if h == nil {
			h = new(host)
			if p.hosts == nil {
				p.hosts = make(map[hostKey]*host)
			}
			p.hosts[key] = h
		}
		for _, c := range h.conns {
			if c.reserve() {
				p.mu.Unlock()
				return c, nil
			}
		}
		if h.dialing == nil {
			h.dialing = make(chan struct{})
			p.mu.Unlock()
			return p.dial(ctx, key, h, r)
		}
		wait := h.dialing
		p.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// dial makes a connection, with a stream reserved, and lets those go on that wait for it.
func (p *Pool) dial(ctx context.Context, key hostKey, h *host, r *conn.StreamRequest) (*clientConn, error) {
	c, err := p.connect(ctx, key, r)
	p.mu.Lock()
	defer p.mu.Unlock()
	close(h.dialing)
	h.dialing = nil
	switch {
	case errors.Is(err, conn.ErrNoStreams):
		if p.lacking == nil {
			p.lacking = make(map[hostKey]time.Time)
		}
		p.lacking[key] = time.Now().Add(lackingFor)
	case err == nil && p.closed:
		c.shutdown(ErrPoolClosed)
		err = ErrPoolClosed
	case err == nil:
		h.conns = append(h.conns, c)
	}
	if len(h.conns) == 0 {
		delete(p.hosts, key)
	}
	return c, err
}

// connect makes a connection and waits for the server's SETTINGS.
func (p *Pool) connect(ctx context.Context, key hostKey, r *conn.StreamRequest) (*clientConn, error) {
	nc, err := r.Dial(ctx)
	if err != nil {
		return nil, err
	}
	r.TLS.NextProtos = []string{"h2", "http/1.1"}
	tc := tls.Client(nc, r.TLS)
	if err := tc.HandshakeContext(ctx); err != nil {
		_ = nc.Close()
		return nil, err
	}
	if proto := tc.ConnectionState().NegotiatedProtocol; proto != "h2" {
		_ = nc.Close()
		return nil, fmt.Errorf("%w: %s does not speak HTTP/2 (ALPN: %q)", conn.ErrNoStreams, key.addr, proto)
	}
	c := newClientConn(tc, p.MaxStreams, positiveOr(p.IdleTimeout, defaultIdleTimeout), r.MaxHeaderBytes)
	c.forget = func() { p.forget(key, c) }
	go c.read()
	go c.write()
	select {
	case <-c.settled:
	case <-c.done:
		return nil, c.err()
	case <-ctx.Done():
		c.shutdown(ctx.Err())
		return nil, ctx.Err()
	}
	if !c.takesWebSockets() {
		c.shutdown(conn.ErrNoStreams)
		return nil, fmt.Errorf("%w: %s does not send SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 §3)", conn.ErrNoStreams, key.addr)
	}
	if !c.reserve() {
		c.shutdown(errIdle)
		return nil, fmt.Errorf("http2: %s allows no streams", key.addr)
	}
	return c, nil
}

// forget removes a connection that takes no more streams.
func (p *Pool) forget(key hostKey, c *clientConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.hosts[key]
	if h == nil {
		return
	}
	for i, other := range h.conns {
		if other == c {
			h.conns = append(h.conns[:i], h.conns[i+1:]...)
			break
		}
	}
	if len(h.conns) == 0 && h.dialing == nil {
		delete(p.hosts, key)
	}
}

// Close ends all connections, and with them all WebSockets that are open on them, without closing handshakes. Dials fail from now on.
// It returns ErrPoolClosed if it was called before.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return ErrPoolClosed
	}
	p.closed = true
	var all []*clientConn
	for _, h := range p.hosts {
		all = append(all, h.conns...)
	}
	p.mu.Unlock()
	for _, c := range all {
		c.shutdown(ErrPoolClosed)
		<-c.ended
	}
	return nil
}

func positiveOr(d, other time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return other
}
