package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
)

// talk runs nodes and clients, with the faults, and checks what the clients have received.
func talk(ctx context.Context, o options, out io.Writer) (verdict, error) {
	c := &cluster{options: o, out: out, began: time.Now()}
	config, err := c.prepare()
	if err != nil {
		return verdict{}, err
	}
	defer c.end()
	for i := range c.configs {
		if err := c.start(ctx, i); err != nil {
			return verdict{}, err
		}
	}
	for i := range c.configs {
		if err := c.ready(ctx, i); err != nil {
			return verdict{}, err
		}
	}
	c.say("%d nodes are ready", len(c.nodes))

	var urls, topics []string
	for _, n := range c.configs {
		urls = append(urls, "wss://"+n.Listen+"/")
	}
	for i := range o.topics {
		topics = append(topics, fmt.Sprintf("room/%d", i))
	}
	running, stopRunning := context.WithCancel(ctx)
	publishing, stopPublishing := context.WithCancel(ctx)
	defer stopPublishing()
	var clients []*client
	var readers, writers sync.WaitGroup
	defer readers.Wait()
	defer stopRunning()
	for i := range o.clients {
		u := newClient(i, urls, config, topics, c.began)
		clients = append(clients, u)
		readers.Go(func() { u.run(running) })
		writers.Go(func() { u.publishAlways(publishing, o.pause) })
	}
	err = c.faults(ctx)
	stopPublishing()
	writers.Wait()
	if err != nil {
		return verdict{}, err
	}
	h := c.settle(ctx, clients)
	c.say("checking %d publishes", len(h.Publishes))
	v := check(h)
	c.say("asking every node who is there")
	v.Faults = append(v.Faults, c.checkMembers(ctx, urls, config, topics)...)
	return v, ctx.Err()
}

// settle waits until all clients have received every acknowledged message, for a minute at most, and returns the history.
func (c *cluster) settle(ctx context.Context, clients []*client) (h history) {
	last := map[string]uint64{}
	for _, u := range clients {
		u.mu.Lock()
		h.Publishes = append(h.Publishes, u.publishes...)
		u.mu.Unlock()
	}
	for _, p := range h.Publishes {
		if p.Outcome == acknowledged {
			last[p.Topic] = max(last[p.Topic], p.Offset)
		}
	}
	c.say("waiting for all clients to have %d topics up to their ends", len(last))
	for deadline := time.Now().Add(time.Minute); ; {
		behind := slices.IndexFunc(clients, func(u *client) bool { return !u.reached(last) })
		if behind < 0 || time.Now().After(deadline) || sleep(ctx, 100*time.Millisecond) != nil {
			break
		}
	}
	// Messages without an acknowledgement may still arrive.
	_ = sleep(ctx, 7*time.Second)
	connects := 0
	for _, u := range clients {
		u.mu.Lock()
		connects += u.connects
		for _, topic := range slices.Sorted(maps.Keys(u.logs)) {
			l := *u.logs[topic]
			l.Entries = slices.Clone(l.Entries)
			h.Logs = append(h.Logs, l)
		}
		u.mu.Unlock()
	}
	c.say("%d clients have connected %d times", len(clients), connects)
	return h
}

// checkMembers asks every node for the members of every topic: these have to be all clients, and nobody else.
func (c *cluster) checkMembers(ctx context.Context, urls []string, config *tls.Config, topics []string) (faults []string) {
	want := map[string]bool{}
	for i := range c.options.clients {
		want[userName(i)] = true
	}
	for i, url := range urls {
		for _, topic := range topics {
			var got []string
			var err error
			for range 20 { // other nodes hear of a client that has just reconnected a little later
				if got, err = members(ctx, url, config, topic); err == nil && len(got) == len(want) {
					break
				}
				_ = sleep(ctx, 500*time.Millisecond)
			}
			missing := maps.Clone(want)
			for _, name := range got {
				if !want[name] {
					faults = append(faults, fmt.Sprintf("node %d, %s: %s is not there any more", i, topic, name))
				}
				delete(missing, name)
			}
			if err != nil || len(missing) > 0 {
				faults = append(faults, fmt.Sprintf("node %d, %s: it does not know of %v (%v)", i, topic, slices.Sorted(maps.Keys(missing)), err))
			}
		}
	}
	return faults
}
