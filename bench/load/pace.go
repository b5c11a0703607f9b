package load

import (
	"time"
)

// Pace sends rate messages a second for a time, from connection to connection, whether
// they are answered or not, and waits for the last reply. Round trips count from when a
// message was due.
func (g *Group) Pace(rate int, d time.Duration) (Result, error) {
	r := newRound(1, d, 0)
	r.paced = true
	for _, c := range g.Conns {
		c.mu.Lock()
		c.round, c.over = r, true
		c.mu.Unlock()
	}
	start := time.Now()
	var sent uint64
	for k := 0; ; {
		now := time.Since(start)
		if now >= d {
			break
		}
		for due := uint64(now.Seconds() * float64(rate)); sent < due; sent++ {
			c := g.Conns[k]
			k = (k + 1) % len(g.Conns)
			at := start.Add(time.Duration(sent) * time.Second / time.Duration(rate))
			if err := c.post(at); err != nil {
				return Result{}, err
			}
		}
		time.Sleep(time.Millisecond)
	}
	for end := time.Now().Add(patience); r.messages.Load() < sent; time.Sleep(time.Millisecond) {
		if err := g.Err(); err != nil {
			return Result{}, err
		}
		if time.Now().After(end) {
			return Result{}, ErrStuck
		}
	}
	return r.result(time.Since(start)), nil
}

// post sends a message that was due at a time.
func (c *Conn) post(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outstanding++
	c.batches = append(c.batches, batch{1, at})
	frames := c.ring.frames(c.sent, 1)
	c.sent++
	_, err := c.nc.Write(frames)
	return err
}
