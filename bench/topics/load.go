package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/bench/load"
)

// dialers is how many connections are made at once.
const dialers = 16

// clients are the connections of all subscribers of a server. They are the same for every server but for the protocol.
type clients struct {
	protocol protocol
	patience time.Duration // for answers, and for messages that do not come
	all      []*client

	answers   atomic.Int64 // to requests
	delivered atomic.Int64 // messages
	bytes     atomic.Int64 // of the frames that they came in
	failed    chan error   // the first error
	closing   atomic.Bool
	readers   sync.WaitGroup
}

// connect makes connections, with what the protocol begins with.
func connect(ctx context.Context, target load.Target, p protocol, conns int, patience time.Duration) (*clients, error) {
	g := &clients{protocol: p, patience: patience, failed: make(chan error, 1)}
	made := make(chan *client, conns)
	var wg sync.WaitGroup
	var next atomic.Int64
	for range dialers {
		wg.Go(func() {
			for next.Add(1) <= int64(conns) {
				c, err := g.dial(ctx, target)
				if err != nil {
					g.fail(err)
					return
				}
				made <- c
			}
		})
	}
	wg.Wait()
	close(made)
	for c := range made {
		g.all = append(g.all, c)
	}
	var err error
	if p.hello != "" && len(g.all) == conns {
		err = g.await(ctx, &g.answers, int64(conns), "connections welcomed")
	}
	if err = errors.Join(g.failure(), err); err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// dial makes one connection, and begins to read.
func (g *clients) dial(ctx context.Context, target load.Target) (*client, error) {
	nc, _, rest, err := target.Connect(ctx)
	if err != nil {
		return nil, err
	}
	c := &client{nc: nc, last: map[int]int{}}
	if g.protocol.hello != "" {
		if err := c.ask(g.protocol.welcome, g.protocol.hello); err != nil {
			_ = nc.Close()
			return nil, err
		}
	}
	g.readers.Go(func() {
		if err := c.read(g, rest); !g.closing.Load() {
			g.fail(err)
		}
	})
	return c, nil
}

// subscribe subscribes every connection to the topics that are its own, and returns how many subscriptions that are.
func (g *clients) subscribe(ctx context.Context, topicsOf func(conn int) []int) (int, error) {
	before, sum := g.answers.Load(), 0
	for i, c := range g.all {
		var requests []string
		for number, topic := range topicsOf(i) {
			c.follow(topic)
			requests = append(requests, g.protocol.subscribe(number+1, topicName(topic)))
		}
		if err := c.ask(g.protocol.subscribed, requests...); err != nil {
			return sum, err
		}
		sum += len(requests)
	}
	return sum, g.await(ctx, &g.answers, before+int64(sum), "answers")
}

// awaitMessages waits until so many messages have been delivered in all.
func (g *clients) awaitMessages(ctx context.Context, total int64) error {
	return g.await(ctx, &g.delivered, total, "messages delivered")
}

// await waits until a count has reached its goal. An error of any connection ends it.
func (g *clients) await(ctx context.Context, count *atomic.Int64, goal int64, of string) error {
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		if err := g.failure(); err != nil {
			return err
		}
		switch n := count.Load(); {
		case n == goal:
			return nil
		case n > goal:
			return fmt.Errorf("%d %s, and there should be %d", n, of, goal)
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Since(began) > g.patience:
			return fmt.Errorf("%w: %d of %d %s after %v", errMissing, n, goal, of, g.patience)
		}
	}
}

// errMissing says that something has not come.
var errMissing = errors.New("some are missing")

// fail keeps an error, if it is the first one.
func (g *clients) fail(err error) {
	select {
	case g.failed <- err:
	default:
	}
}

// failure returns the first error, again and again.
func (g *clients) failure() error {
	select {
	case err := <-g.failed:
		g.fail(err)
		return err
	default:
		return nil
	}
}

// close ends all connections.
func (g *clients) close() {
	g.closing.Store(true)
	for _, c := range g.all {
		_ = c.nc.Close()
	}
	g.readers.Wait()
}

// client is one connection.
type client struct {
	nc net.Conn

	mu     sync.Mutex
	answer string      // what the answers hold that are awaited
	await  int         // how many these are
	last   map[int]int // the number of the last message, for each topic that it follows
}

// follow says that messages of a topic are to come.
func (c *client) follow(topic int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last[topic] = 0
}

// ask sends requests at once, and says what the answer to each holds.
func (c *client) ask(answer string, requests ...string) error {
	var b []byte
	for _, r := range requests {
		b = appendText(b, r)
	}
	c.mu.Lock()
	c.answer = answer
	c.await += len(requests)
	c.mu.Unlock()
	_, err := c.nc.Write(b)
	return err
}

// read reads frames until the connection ends, and says why it did.
func (c *client) read(g *clients, rest []byte) error {
	in := newFrames(c.nc, rest)
	for {
		text, size, err := in.next()
		if err != nil {
			return err
		}
		messages, answers, err := c.take(text)
		if err != nil {
			return err
		}
		g.bytes.Add(int64(size))
		g.answers.Add(int64(answers))
		g.delivered.Add(int64(messages))
	}
}

// take counts what is in a frame's text. Every message has to be the next one of its topic.
func (c *client) take(text []byte) (messages, answers int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.await > 0 {
		answers = bytes.Count(text, []byte(c.answer))
		if c.await -= answers; c.await < 0 {
			return 0, 0, fmt.Errorf("an answer that nobody has asked for: %.200q", text)
		}
	}
	for rest := text; ; messages++ {
		var topic, number int
		var found bool
		if topic, number, rest, found = nextMessage(rest); !found {
			break
		}
		switch last, follows := c.last[topic]; {
		case !follows:
			return 0, 0, fmt.Errorf("a message of %s, without a subscription", topicName(topic))
		case number > last+1:
			return 0, 0, fmt.Errorf("%w: message %d of %s came behind %d", errMissing, number, topicName(topic), last)
		case number <= last:
			return 0, 0, fmt.Errorf("message %d of %s came again, behind %d", number, topicName(topic), last)
		}
		c.last[topic] = number
	}
	if messages+answers == 0 {
		return 0, 0, fmt.Errorf("neither a message nor an answer: %.200q", text)
	}
	return messages, answers, nil
}
