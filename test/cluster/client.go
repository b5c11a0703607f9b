package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/pubsub"
)

// client is a user: it connects to one of the nodes, reconnects to any of them, resumes its topics, publishes, and logs what it
// receives.
type client struct {
	number int
	urls   []string
	tls    *tls.Config
	began  time.Time
	topics []string
	random *rand.Rand

	mu        sync.Mutex
	c         *conn.Conn
	up        chan struct{} // closed while all subscriptions of a connection have begun
	logs      map[string]*topicLog
	at        map[string]pubsub.Position
	begun     int // subscriptions that have begun on this connection
	publishes []publish
	waiting   map[int]chan reply
	lastID    int
	connects  int
}

// reply is a message of the server.
type reply struct {
	Type, Topic, Epoch, Code string
	ID                       int
	Offset                   uint64
	Recovered                *bool
	Data                     json.RawMessage
}

func newClient(number int, urls []string, config *tls.Config, topics []string, began time.Time) *client {
	c := &client{
		number: number, urls: urls, tls: config, began: began, topics: topics, random: rand.New(rand.NewPCG(uint64(number), 1)),
		up: make(chan struct{}), logs: map[string]*topicLog{}, at: map[string]pubsub.Position{}, waiting: map[int]chan reply{},
	}
	for _, t := range topics {
		c.logs[t] = &topicLog{Client: number, Topic: t}
	}
	return c
}

func userName(client int) string { return fmt.Sprintf("user%d", client) }

// members asks a node for the IDs of the members of a topic.
func members(ctx context.Context, url string, config *tls.Config, topic string) (names []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	nc, _, err := conn.Dial(ctx, url, &conn.DialOptions{TLS: config})
	if err != nil {
		return nil, err
	}
	defer nc.CloseNow()
	if err := write(ctx, nc, map[string]any{"type": "presence", "topic": topic}); err != nil {
		return nil, err
	}
	_, p, err := nc.Read(ctx)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Code    string
		Members []struct{ ID string }
	}
	if err := json.Unmarshal(p, &answer); err != nil || answer.Code != "" {
		return nil, fmt.Errorf("%s, %w", answer.Code, err)
	}
	for _, m := range answer.Members {
		names = append(names, m.ID)
	}
	return names, nil
}

// run connects, again and again, until the context ends.
func (c *client) run(ctx context.Context) {
	for ctx.Err() == nil {
		c.connectOnce(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(100+c.random.IntN(400)) * time.Millisecond):
		}
	}
}

// connectOnce connects to a node, subscribes, and reads until the connection ends.
func (c *client) connectOnce(ctx context.Context) {
	url := c.urls[c.random.IntN(len(c.urls))]
	dialing, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	nc, _, err := conn.Dial(dialing, url+"?name="+userName(c.number), &conn.DialOptions{
		TLS: c.tls, Subprotocols: []string{pubsub.Subprotocol}, PingInterval: time.Second, PongTimeout: 4 * time.Second,
	})
	if err != nil {
		return
	}
	defer nc.CloseNow()
	c.mu.Lock()
	c.c, c.begun = nc, 0
	c.connects++
	c.mu.Unlock()
	for _, topic := range c.topics {
		if err := c.subscribe(ctx, nc, topic); err != nil {
			return
		}
	}
	defer c.lost()
	for {
		_, p, err := nc.Read(ctx)
		if err != nil {
			return
		}
		var r reply
		if err := json.Unmarshal(p, &r); err != nil {
			panic(err)
		}
		if err := c.take(ctx, nc, r); err != nil {
			return
		}
	}
}

func (c *client) subscribe(ctx context.Context, nc *conn.Conn, topic string) error {
	request := map[string]any{"type": "subscribe", "topic": topic}
	c.mu.Lock()
	if at, known := c.at[topic]; known {
		request["since"] = at
	}
	c.mu.Unlock()
	return write(ctx, nc, request)
}

func write(ctx context.Context, nc *conn.Conn, v any) error {
	p, err := json.Marshal(v)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return nc.Write(ctx, conn.Text, p)
}

// lost ends the publishes that wait for an answer on the connection.
func (c *client) lost() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, w := range c.waiting {
		close(w)
		delete(c.waiting, id)
	}
	select {
	case <-c.up:
		c.up = make(chan struct{})
	default:
	}
}

// take logs a message of the server, or passes it to the publish that waits for it.
func (c *client) take(ctx context.Context, nc *conn.Conn, r reply) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	log := c.logs[r.Topic]
	switch r.Type {
	case "subscribed":
		log.Entries = append(log.Entries, entry{Begins: true, Recovered: r.Recovered, Epoch: r.Epoch, Offset: r.Offset})
		at, known := c.at[r.Topic]
		if !known || r.Recovered == nil || !*r.Recovered || at.Epoch != r.Epoch || at.Offset < r.Offset {
			c.at[r.Topic] = pubsub.Position{Epoch: r.Epoch, Offset: r.Offset}
		}
		if c.begun++; c.begun == len(c.topics) {
			close(c.up)
		}
	case "message":
		var data string
		if err := json.Unmarshal(r.Data, &data); err != nil {
			panic(err)
		}
		epoch := c.at[r.Topic].Epoch
		log.Entries = append(log.Entries, entry{Epoch: epoch, Offset: r.Offset, Data: data})
		c.at[r.Topic] = pubsub.Position{Epoch: epoch, Offset: r.Offset}
	case "error":
		if r.ID == 0 { // of a subscription: connect to another node
			return errors.New(r.Code)
		}
	}
	if w := c.waiting[r.ID]; w != nil && r.ID != 0 {
		w <- r
		delete(c.waiting, r.ID)
	}
	return nil
}

// publishAlways publishes messages one after the other, with pauses of this length on average, until the context ends.
func (c *client) publishAlways(ctx context.Context, pause time.Duration) {
	random := rand.New(rand.NewPCG(uint64(c.number), 2))
	for n := 0; ctx.Err() == nil; n++ {
		c.publish(ctx, c.topics[random.IntN(len(c.topics))], fmt.Sprintf("%d/%d", c.number, n))
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(random.Int64N(int64(2 * pause)))):
		}
	}
}

// publish waits for a connection, publishes one message, and logs the outcome.
func (c *client) publish(ctx context.Context, topic, data string) {
	c.mu.Lock()
	up := c.up
	c.mu.Unlock()
	select {
	case <-up:
	case <-ctx.Done():
		return
	}
	c.mu.Lock()
	nc := c.c
	c.lastID++
	id, answer := c.lastID, make(chan reply, 1)
	c.waiting[id] = answer
	c.mu.Unlock()
	p := publish{Client: c.number, Topic: topic, Data: data, Outcome: unknown, Call: int64(time.Since(c.began))}
	// Wait for the answer after the context ends, too: check needs it.
	waiting, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	if err := write(waiting, nc, map[string]any{"type": "publish", "id": id, "topic": topic, "data": data}); err == nil {
		select {
		case r, ok := <-answer:
			switch {
			case !ok:
			case r.Type == "published":
				p.Outcome, p.Return, p.Offset, p.Epoch = acknowledged, int64(time.Since(c.began)), r.Offset, r.Epoch
			case r.Code != pubsub.CodeUnavailable:
				p.Outcome = refused
			}
		case <-waiting.Done():
		}
	}
	c.mu.Lock()
	delete(c.waiting, id)
	c.publishes = append(c.publishes, p)
	c.mu.Unlock()
}

// reached reports whether the client has received the messages of all topics up to these offsets.
func (c *client) reached(last map[string]uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for topic, offset := range last {
		if c.at[topic].Offset < offset {
			return false
		}
	}
	return true
}
