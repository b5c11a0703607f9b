package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// broadcast sends a numbered message to all subscribers, again and again. Its connection
// number is 0.
func (v *server) broadcast(ctx context.Context, seed uint64, every time.Duration) error {
	r := rand.New(rand.NewPCG(seed, 1))
	tick := time.NewTicker(every)
	defer tick.Stop()
	var buf []byte
	for seq := uint32(0); ; seq++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		buf = v.s.corpus.append(buf[:0], 0, seq, r.IntN(2<<10))
		p, err := conn.Prepare(typeOf(0, seq), buf)
		if err != nil {
			return fmt.Errorf("preparing broadcast %d: %w", seq, err)
		}
		v.group.Broadcast(ctx, func(c *conn.Conn) bool { return v.offer(c, seq) }, p)
	}
}

// offer notes that a subscriber is about to be sent a broadcast.
func (v *server) offer(c *conn.Conn, seq uint32) bool {
	x, ok := v.subscribers.Load(c)
	if !ok {
		return false
	}
	l := x.(*life)
	if l.offered.Add(1) == 1 {
		l.opening.Store(int64(seq))
	}
	return true
}
