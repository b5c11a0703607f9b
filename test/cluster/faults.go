package main

import (
	"cmp"
	"context"
	"fmt"
	"syscall"
	"time"
)

var faultNames = []string{"kill", "pause", "cut", "silence", "restart"}

// faults has each fault happen to one node after the other, as often as the flags say.
func (c *cluster) faults(ctx context.Context) error {
	victim := 0
	for range c.options.rounds {
		for _, fault := range c.options.faults {
			if err := sleep(ctx, 4*time.Second); err != nil {
				return err
			}
			if err := c.fault(ctx, fault, victim); err != nil {
				return fmt.Errorf("%s of node %d: %w", fault, victim, err)
			}
			victim = (victim + 1) % len(c.nodes)
		}
	}
	return sleep(ctx, 4*time.Second)
}

// fault has one fault happen to node i, and returns when that is over.
func (c *cluster) fault(ctx context.Context, fault string, i int) error {
	n := c.nodes[i]
	switch fault {
	case "kill":
		c.say("node %d is killed", i)
		if err := n.process.Signal(syscall.SIGKILL); err != nil {
			return err
		}
		<-n.process.Done()
		if err := sleep(ctx, 6*time.Second); err != nil {
			return err
		}
		c.say("node %d starts again", i)
		if err := c.start(ctx, i); err != nil {
			return err
		}
		return c.ready(ctx, i)
	case "pause":
		c.say("node %d is paused", i)
		if err := n.process.Signal(syscall.SIGSTOP); err != nil {
			return err
		}
		err := sleep(ctx, 12*time.Second)
		c.say("node %d goes on", i)
		return cmp.Or(n.process.Signal(syscall.SIGCONT), err)
	case "cut", "silence":
		how := map[string]state{"cut": cut, "silence": silent}[fault]
		c.say("the links of node %d: %s", i, fault)
		c.links.isolate(i, how)
		err := sleep(ctx, 12*time.Second)
		c.say("the links of node %d are whole", i)
		c.links.isolate(i, whole)
		return err
	}
	return c.restart(ctx)
}

// restart ends and starts all nodes, one after the other.
func (c *cluster) restart(ctx context.Context) error {
	for i := range c.nodes {
		c.say("node %d is asked to end", i)
		if status := c.nodes[i].process.Stop(); status != 0 {
			return fmt.Errorf("it ended with %d:\n%s", status, c.nodes[i].journal.Tail())
		}
		c.say("node %d starts again", i)
		if err := c.start(ctx, i); err != nil {
			return err
		}
		if err := c.ready(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// sleep waits for a time, or until the context ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
