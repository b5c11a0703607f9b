package load

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// sampleEvery is how often a reply is compared in every byte; its length is always
// looked at.
const sampleEvery = 64

// Conn is a connection of the load. It reads all the time, as pings want to be answered
// between rounds too.
type Conn struct {
	nc       net.Conn
	Response string // the response's head
	ring     *Ring
	parser   parser
	group    *Group
	// apart says that writing is left to a goroutine of its own, because a batch may
	// not fit into what the kernel holds: both sides would wait for each other.
	apart  bool
	credit chan int

	mu          sync.Mutex
	round       *round
	sent        uint64
	outstanding int
	batches     []batch // sent, and not yet answered
	over        bool    // its part of the round is over
}

// batch is frames that were written at once.
type batch struct {
	n  int
	at time.Time
}

// together is the most bytes that may be in flight while one goroutine does all.
const together = 32 << 10

// Group is the connections to one server.
type Group struct {
	Conns []*Conn

	mu      sync.Mutex
	err     error
	failed  chan struct{}
	closing bool
	counter counter
}

// Plan says what the connections of a group are for.
type Plan struct {
	Target Target
	Conns  int
	// Window is how many messages may be in flight on each.
	Window int
	// Ring is what is sent.
	Ring *Ring
	// Expect is what every message of the server says; nil: what the ring says, or
	// anything if the messages are compressed.
	Expect []byte
	// MakeRing is asked for the ring of each connection with the response to its
	// handshake. Nil: Ring.
	MakeRing func(response string) (*Ring, error)
}

// Open connects a group, a few connections at a time.
func Open(ctx context.Context, p Plan) (*Group, error) {
	g := &Group{Conns: make([]*Conn, p.Conns), failed: make(chan struct{})}
	g.counter.cond.L = &g.counter.mu
	var wg sync.WaitGroup
	errs := make(chan error, p.Conns)
	slots := make(chan struct{}, 16)
	for i := range p.Conns {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			c, err := p.open(ctx, g)
			if err != nil {
				errs <- err
				return
			}
			g.Conns[i] = c
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		g.Close()
		return nil, err
	default:
	}
	for _, c := range g.Conns {
		go c.read(p.Window)
		if c.apart {
			go c.write()
		}
	}
	return g, nil
}

func (p *Plan) open(ctx context.Context, g *Group) (*Conn, error) {
	nc, response, rest, err := p.Target.Connect(ctx)
	if err != nil {
		return nil, err
	}
	c := &Conn{nc: nc, Response: response, ring: p.Ring, group: g}
	if p.MakeRing != nil {
		if c.ring, err = p.MakeRing(response); err != nil {
			_ = nc.Close()
			return nil, err
		}
	}
	switch {
	case p.Target.Raw && p.Expect == nil:
		c.parser = &byteParser{ring: c.ring, every: sampleEvery}
	case p.Target.Raw:
		c.parser = &byteParser{ring: plain(p.Expect), every: sampleEvery}
	default:
		f := &frameParser{every: sampleEvery, onControl: c.control}
		if p.Expect != nil {
			f.want = func(uint64) []byte { return p.Expect }
		} else if c.ring != nil && c.ring.once == 0 && c.ring.buf[0]&rsv1 == 0 {
			f.want = c.ring.payload
		}
		c.parser = f
	}
	if c.ring != nil && p.Window*c.ring.frameSize() > together {
		c.apart, c.credit = true, make(chan int, 2*p.Window)
	}
	if len(rest) > 0 {
		if _, err := c.parser.feed(rest); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// plain is a ring for counting what a bare server sends by itself.
func plain(data []byte) *Ring {
	return &Ring{buf: data, at: []int{0, len(data)}, cycle: 1, payloads: [][]byte{data}}
}

// control answers pings, and takes a close frame for the failure that it is here.
func (c *Conn) control(op byte, payload []byte) error {
	switch op {
	case opPing:
		_, err := c.nc.Write(AppendFrame(nil, opPong, payload, 0x12345678))
		return err
	case opClose:
		return fmt.Errorf("the server closed the connection: %q", payload)
	}
	return nil
}

// read is the connection's goroutine.
func (c *Conn) read(window int) {
	size := 64 << 10
	if window <= 4 && c.ring != nil && c.ring.frameSize() < 1<<10 {
		size = 4 << 10
	}
	buf := make([]byte, size)
	for {
		n, err := c.nc.Read(buf)
		if n > 0 {
			k, perr := c.parser.feed(buf[:n])
			if k > 0 && perr == nil {
				perr = c.replied(k)
			}
			if perr != nil {
				err = perr
			}
		}
		if err != nil {
			c.group.fail(err)
			return
		}
	}
}

// fail notes the first error, unless the connections are being closed.
func (g *Group) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil && !g.closing {
		g.err = err
		close(g.failed)
	}
	g.counter.cond.Broadcast()
}

// Err returns what went wrong.
func (g *Group) Err() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// Close ends all connections.
func (g *Group) Close() {
	g.mu.Lock()
	g.closing = true
	g.mu.Unlock()
	for _, c := range g.Conns {
		if c == nil {
			continue
		}
		_ = c.nc.SetDeadline(time.Now().Add(time.Second))
		_ = c.nc.Close()
		if c.apart {
			close(c.credit)
		}
	}
}
