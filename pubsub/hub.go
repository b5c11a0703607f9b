package pubsub

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seed-c4549abd/wss/conn"
)

// Hub holds topics. New makes one. All methods may be called by any number of goroutines, and in callbacks of connections, but
// not in [conn.Observer]'s MessageOut, which is called while a topic's message is sent.
type Hub struct {
	options Options
	group   *conn.Group
	name    string // among all hubs
	counts  struct{ published, delivered, dropped atomic.Int64 }

	mu     sync.RWMutex // taken before a topic's lock
	topics map[string]*topic
	swept  time.Time // when topics were last looked through for those that may go

	connsMu sync.Mutex // taken before mu
	conns   map[*conn.Conn]*subscriber
	lastID  uint64
}

// subscriber is a connection that has subscriptions.
type subscriber struct {
	id     uint64     // from 1, in this hub
	mu     sync.Mutex // taken before connsMu, mu and topics' locks
	ended  bool       // no subscription is added any more
	topics map[string]*subscription
}

// New makes a hub without topics. It runs no goroutine, and needs no closing. A nil o is the defaults.
func New(o *Options) *Hub {
	h := &Hub{name: rand.Text()[:10], topics: map[string]*topic{}, conns: map[*conn.Conn]*subscriber{}}
	if o != nil {
		h.options = *o
	}
	if h.options.Authorize == nil {
		h.options.Authorize = readOnly
	}
	if h.options.Encode == nil {
		h.options.Encode = encodeJSON
	}
	h.group = h.options.Group
	if h.group == nil {
		h.group = new(conn.Group)
	}
	h.options.MaxSubscriptions = orDefault(h.options.MaxSubscriptions, DefaultMaxSubscriptions)
	h.options.MaxTopics = orDefault(h.options.MaxTopics, DefaultMaxTopics)
	h.options.MaxRecovery = orDefault(h.options.MaxRecovery, DefaultMaxRecovery)
	if h.options.RequestRate == 0 {
		h.options.RequestRate = DefaultRequestRate
	}
	return h
}

// Group is the group that Handler's connections join: for its counts, and for Shutdown.
func (h *Hub) Group() *conn.Group { return h.group }

// Stats are the counts of a hub since it was made.
type Stats struct {
	Topics        int   // that there are
	Subscribers   int   // connections with subscriptions
	Subscriptions int   // of all connections
	Published     int64 // messages
	Delivered     int64 // messages and events that were given to connections, each counted for each of them
	Dropped       int64 // those that DropSlow has dropped
}

// Stats returns the hub's counts. It asks every topic, so it is for a look now and then.
func (h *Hub) Stats() Stats {
	s := Stats{Published: h.counts.published.Load(), Delivered: h.counts.delivered.Load(), Dropped: h.counts.dropped.Load()}
	h.connsMu.Lock()
	s.Subscribers = len(h.conns)
	h.connsMu.Unlock()
	h.mu.RLock()
	topics := slices.Collect(maps.Values(h.topics))
	h.mu.RUnlock()
	s.Topics = len(topics)
	for _, t := range topics {
		t.mu.Lock()
		s.Subscriptions += len(t.subscribers)
		t.mu.Unlock()
	}
	return s
}

// checkTopic returns ErrBadTopic for a name that no topic can have.
func checkTopic(name string) error {
	if name == "" || len(name) > MaxTopicName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return ErrBadTopic
	}
	return nil
}

// withTopic calls f with a topic locked. If there is none it is made, unless create is false: then f is not called.
func (h *Hub) withTopic(ctx context.Context, name string, create bool, f func(t *topic) error) error {
	t, err := h.lookUp(name, create)
	if t == nil || err != nil {
		return err
	}
	defer h.release(t)
	if t.begun != nil {
		if err := t.waitUntilBegun(ctx); err != nil {
			return err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return f(t)
}

// lookUp returns a topic, for a use that release ends. If there is none it is made, unless create is false: then nil is returned.
func (h *Hub) lookUp(name string, create bool) (*topic, error) {
	h.mu.RLock()
	t := h.topics[name]
	if t != nil {
		t.users.Add(1)
	}
	h.mu.RUnlock()
	if t != nil || !create {
		return t, nil
	}
	o := h.topicOptions(name)
	h.mu.Lock()
	defer h.mu.Unlock()
	if t = h.topics[name]; t == nil {
		if len(h.topics) >= h.options.MaxTopics {
			h.sweep()
		}
		if len(h.topics) >= h.options.MaxTopics {
			return nil, &Error{CodeTooMany, "there are as many topics as there may be"}
		}
		t = &topic{name: name, options: o, hub: h, history: newHistory(o)}
		h.topics[name] = t
		if h.options.Engine == nil {
			t.epoch = rand.Text()[:10]
		} else {
			t.begun = make(chan struct{})
			t.users.Add(1)
			go h.follow(t)
		}
	}
	t.users.Add(1)
	return t, nil
}

func (h *Hub) topicOptions(name string) (o TopicOptions) {
	if h.options.Topic != nil {
		o = h.options.Topic(name)
	}
	return o
}

// release ends a use of a topic, and removes it if nothing would be lost.
func (h *Hub) release(t *topic) {
	if t.users.Add(-1) > 0 {
		return
	}
	t.mu.Lock()
	idle := t.idle()
	t.mu.Unlock()
	switch {
	case !idle:
	case t.options.History > 0 && h.options.Engine == nil:
		// Its epoch should last until those who lost their connections are back.
		if t.lingers.CompareAndSwap(false, true) {
			time.AfterFunc(lingering, func() {
				t.lingers.Store(false)
				h.removeTopic(t)
			})
		}
	default:
		h.removeTopic(t)
	}
}

// lingering is how long a topic with history, which has neither messages nor subscribers, keeps its epoch.
const lingering = time.Minute

// follow lets the engine begin a topic. Until then the topic has this as a user.
func (h *Hub) follow(t *topic) {
	ctx, cancel := context.WithTimeout(context.Background(), engineWait)
	defer cancel()
	if err := h.options.Engine.Follow(ctx, t.name, t.options, t); err != nil {
		t.err = err
		h.mu.Lock()
		delete(h.topics, t.name) // who comes now tries again
		h.mu.Unlock()
	}
	close(t.begun)
	h.release(t)
}

// waitUntilBegun waits for the engine.
func (t *topic) waitUntilBegun(ctx context.Context) error {
	select {
	case <-t.begun:
		return t.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// removeTopic removes a topic of which nothing is left.
func (h *Hub) removeTopic(t *topic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t.mu.Lock()
	idle := t.idle()
	t.mu.Unlock()
	if idle && h.topics[t.name] == t {
		h.forgetTopic(t)
	}
}

// forgetTopic takes a topic out of the hub. The hub's lock is held, so nobody begins to use it, and it has no user.
func (h *Hub) forgetTopic(t *topic) {
	delete(h.topics, t.name)
	if h.options.Engine != nil {
		h.options.Engine.Unfollow(t.name)
	}
}

// sweep removes the topics whose history has become too old. It looks at all topics, so it does that once a second at most: a client
// may ask for new topics all the time. The lock is held.
func (h *Hub) sweep() {
	now := time.Now()
	if now.Sub(h.swept) < time.Second {
		return
	}
	h.swept = now
	for _, t := range h.topics {
		t.mu.Lock()
		idle := t.idle()
		t.mu.Unlock()
		if idle {
			h.forgetTopic(t)
		}
	}
}

// encode makes the message that is sent for an event.
func (h *Hub) encode(e Event) (*conn.Prepared, error) {
	typ, data, err := h.options.Encode(e)
	if err != nil {
		return nil, err
	}
	p, err := conn.Prepare(typ, data)
	if errors.Is(err, conn.ErrInvalidUTF8) {
		return nil, ErrBadData
	}
	return p, err
}

// PublishOption changes how a message is published.
type PublishOption func(*publishing)

type publishing struct {
	key    string
	except *conn.Conn
}

// Key gives a message a key, of at most MaxKey bytes: for subscriptions with NewestSlow it replaces those of the same key that still wait.
func Key(key string) PublishOption { return func(p *publishing) { p.key = key } }

// Except leaves a connection out: the sender's.
func Except(c *conn.Conn) PublishOption { return func(p *publishing) { p.except = c } }

// Publish sends data to the subscribers of a topic, and returns the message's position. With the JSON protocol data has to be
// JSON, else the error is ErrBadData. With an Engine it waits until the message cannot be lost any more. It does not wait for peers. data is not to be changed afterwards if the topic keeps
// history.
func (h *Hub) Publish(ctx context.Context, topicName string, data []byte, options ...PublishOption) (Position, error) {
	if err := ctx.Err(); err != nil {
		return Position{}, err
	}
	if err := checkTopic(topicName); err != nil {
		return Position{}, err
	}
	var p publishing
	for _, o := range options {
		o(&p)
	}
	if len(p.key) > MaxKey {
		return Position{}, ErrBadKey
	}
	m := Message{Key: p.key, Data: data, Origin: h.originOf(p.except)}
	at, err := h.place(ctx, topicName, m)
	if err == nil {
		h.counts.published.Add(1)
	}
	return at, err
}

// place gives a message its place in its topic, and sends it.
func (h *Hub) place(ctx context.Context, topicName string, m Message) (at Position, err error) {
	if engine := h.options.Engine; engine != nil {
		// All hubs would have to leave out what cannot be encoded.
		if _, err := h.encode(Event{Kind: Published, Topic: topicName, Message: m}); err != nil {
			return Position{}, err
		}
		return engine.Publish(ctx, topicName, h.topicOptions(topicName), m)
	}
	err = h.withTopic(ctx, topicName, true, func(t *topic) (err error) {
		at, err = t.publish(m)
		return err
	})
	return at, err
}

// originOf returns the name of a connection that has subscriptions, among all hubs; "" for one that has none.
func (h *Hub) originOf(c *conn.Conn) string {
	if c == nil {
		return ""
	}
	who := h.known(c)
	if who == nil {
		return ""
	}
	return h.name + "." + strconv.FormatUint(who.id, 10)
}

// connectionOf returns the connection of this hub that has a name; 0 if there is none.
func (h *Hub) connectionOf(origin string) uint64 {
	number, ours := strings.CutPrefix(origin, h.name+".")
	if !ours {
		return 0
	}
	id, _ := strconv.ParseUint(number, 10, 64)
	return id
}

// History returns the messages of a topic behind a position, the oldest first, at most limit of them if that is positive, and
// the position that the topic is at. complete is false if some are gone, or if the position is of another epoch: then
// all messages are returned that there are.
func (h *Hub) History(ctx context.Context, topicName string, since Position, limit int) (messages []Message, at Position, complete bool, err error) {
	if err := errors.Join(ctx.Err(), checkTopic(topicName)); err != nil {
		return nil, Position{}, false, err
	}
	complete = since == Position{}
	err = h.withTopic(ctx, topicName, h.options.Engine != nil, func(t *topic) error {
		at = t.position()
		offset := since.Offset
		if since.Epoch != t.epoch {
			offset = 0
		}
		t.history.expire(time.Now())
		messages, complete = t.history.since(offset, limit)
		complete = complete && (since.Epoch == t.epoch || since == Position{})
		return nil
	})
	return messages, at, complete, err
}

// Presence returns who has subscribed to a topic, in the order of their IDs; nobody if the topic does not keep presence.
func (h *Hub) Presence(ctx context.Context, topicName string) (members []Member, err error) {
	if err := errors.Join(ctx.Err(), checkTopic(topicName)); err != nil {
		return nil, err
	}
	err = h.withTopic(ctx, topicName, h.options.Engine != nil, func(t *topic) error {
		for _, id := range slices.Sorted(maps.Keys(t.members)) {
			members = append(members, t.members[id].member)
		}
		return nil
	})
	return members, err
}
