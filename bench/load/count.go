package load

import (
	"fmt"
	"sync"
	"time"
)

// counter counts messages that a server sends by itself.
type counter struct {
	mu   sync.Mutex
	cond sync.Cond
	n    uint64
}

func (c *counter) add(k int) {
	c.mu.Lock()
	c.n += uint64(k)
	c.mu.Unlock()
	c.cond.Broadcast()
}

// Received returns how many messages have come that nobody asked for.
func (g *Group) Received() uint64 {
	g.counter.mu.Lock()
	defer g.counter.mu.Unlock()
	return g.counter.n
}

// WaitFor waits until n messages have come in all.
func (g *Group) WaitFor(n uint64) error {
	timeout := time.AfterFunc(patience, func() {
		g.fail(fmt.Errorf("%w: %d messages of %d", ErrStuck, g.Received(), n))
		g.counter.cond.Broadcast()
	})
	defer timeout.Stop()
	c := &g.counter
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.n < n {
		if err := g.Err(); err != nil {
			return err
		}
		c.cond.Wait()
	}
	return nil
}
