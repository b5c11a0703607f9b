// Package hostpool keeps connections that carry several streams, by the host that they lead to.
package hostpool

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// ErrNotProcessed says that the server has not looked at a request (RFC 9113 §8.7, RFC 9114 §4.1.1), or that its connection, of which
// nothing had been heard for some time, is dead: the request may be sent again.
var ErrNotProcessed = errors.New("websocket: the server has not processed the request")

// Conn is a connection.
type Conn interface {
	comparable
	// Reserve promises a stream, if the connection takes another one. The pool's lock is held.
	Reserve() bool
	// Open opens a stream that was reserved, and returns the response to r. If the request may be sent again, on another
	// connection, the error wraps ErrNotProcessed.
	Open(ctx context.Context, r *conn.StreamRequest) (net.Conn, *http.Response, error)
	// Shutdown ends the connection because of err. It does not wait, and does not call the pool.
	Shutdown(err error)
	// Await waits until the connection has ended.
	Await()
}

// Pool is the connections to hosts. The zero value is ready.
type Pool[C Conn] struct {
	mu      sync.Mutex
	closed  error
	hosts   map[key]*host[C]
	lacking map[key]time.Time // hosts that do not take streams, and until when that is believed
}

// key is what requests must have in common to share a connection.
type key struct {
	addr  string
	share any
}

type host[C Conn] struct {
	conns   []C
	dialing chan struct{} // closed when the dial in progress has ended; nil: none is in progress
}

const (
	// lackingFor is how long a host that does not take streams is not asked again.
	lackingFor = 10 * time.Minute
	// maxAttempts is how often a request is sent that servers say they have not processed.
	maxAttempts = 3
)

// Open opens a stream on a connection to the request's host. dial makes one if there is none with room; forget, which it is given, is to be
// called when the connection takes no more streams, and not before dial has returned.
func (p *Pool[C]) Open(ctx context.Context, r *conn.StreamRequest, dial func(forget func(C)) (C, error)) (net.Conn, *http.Response, error) {
	k := key{addr: r.URL.Host, share: r.Share}
	for attempt := 1; ; attempt++ {
		c, err := p.connection(ctx, k, dial)
		if err != nil {
			return nil, nil, err
		}
		nc, resp, err := c.Open(ctx, r)
		if err == nil {
			return nc, resp, nil
		}
		if !errors.Is(err, ErrNotProcessed) || attempt == maxAttempts {
			return nil, nil, err
		}
	}
}

// connection returns a connection on which a stream is reserved.
func (p *Pool[C]) connection(ctx context.Context, k key, dial func(forget func(C)) (C, error)) (C, error) {
	var none C
	for {
		p.mu.Lock()
		if p.closed != nil {
			p.mu.Unlock()
			return none, p.closed
		}
		if time.Now().Before(p.lacking[k]) {
			p.mu.Unlock()
			return none, fmt.Errorf("%w (%s, as it was found to be before)", conn.ErrNoStreams, k.addr)
		}
		h := p.host(k)
		for _, c := range h.conns {
			if c.Reserve() {
				p.mu.Unlock()
				return c, nil
			}
		}
		wait := h.dialing
		if wait == nil {
			h.dialing = make(chan struct{})
		}
		p.mu.Unlock()
		if wait == nil {
			c, err := dial(func(c C) { p.forget(k, c) })
			return c, p.dialed(k, h, c, err)
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return none, ctx.Err()
		}
	}
}

// host returns the host of a key. The lock is held.
func (p *Pool[C]) host(k key) *host[C] {
	h := p.hosts[k]
	if h == nil {
		h = new(host[C])
		if p.hosts == nil {
			p.hosts = make(map[key]*host[C])
		}
		p.hosts[k] = h
	}
	return h
}

// dialed notes what has become of a dial, and lets those go on that wait for it. The connection has a stream reserved.
func (p *Pool[C]) dialed(k key, h *host[C], c C, err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(h.dialing)
	h.dialing = nil
	switch {
	case errors.Is(err, conn.ErrNoStreams):
		if p.lacking == nil {
			p.lacking = make(map[key]time.Time)
		}
		p.lacking[k] = time.Now().Add(lackingFor)
	case err == nil && p.closed != nil:
		c.Shutdown(p.closed)
		err = p.closed
	case err == nil:
		h.conns = append(h.conns, c)
	}
	p.tidy(k, h)
	return err
}

// forget removes a connection that takes no more streams.
func (p *Pool[C]) forget(k key, c C) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if h := p.hosts[k]; h != nil {
		h.conns = slices.DeleteFunc(h.conns, func(other C) bool { return other == c })
		p.tidy(k, h)
	}
}

// tidy removes a host without connections. The lock is held.
func (p *Pool[C]) tidy(k key, h *host[C]) {
	if len(h.conns) == 0 && h.dialing == nil {
		delete(p.hosts, k)
	}
}

// Close ends all connections because of err, which Open returns from now on, and waits until they have. If it was called before, it
// returns the error of then.
func (p *Pool[C]) Close(err error) error {
	p.mu.Lock()
	if p.closed != nil {
		defer p.mu.Unlock()
		return p.closed
	}
	p.closed = err
	var all []C
	for _, h := range p.hosts {
		all = append(all, h.conns...)
	}
	p.mu.Unlock()
	for _, c := range all {
		c.Shutdown(err)
	}
	for _, c := range all {
		c.Await()
	}
	return nil
}
