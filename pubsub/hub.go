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

// Hub holds topics and their subscribers. New makes one. Its methods may be called by many goroutines at once, and in callbacks of
// connections, but not in [conn.Observer]'s MessageOut, which runs while a topic's lock is held.
type Hub struct {
	options Options
	group   *conn.Group
	name    string // unique among all hubs, for Message.Origin
	counts  struct{ published, delivered, dropped atomic.Int64 }

	mu     sync.RWMutex // taken before a topic's lock
	topics map[string]*topic
	swept  time.Time // when sweep last looked at all topics

	connsMu sync.Mutex // taken before mu
	conns   map[*conn.Conn]*subscriber
	lastID  uint64
}

// subscriber is a connection that has subscriptions.
type subscriber struct {
	id     uint64     // from 1, unique in this hub
	mu     sync.Mutex // taken before connsMu, mu and topics' locks
	ended  bool       // the connection has ended, so no subscription may be added
	topics map[string]*subscription
}

// New makes a hub without topics. A nil o stands for the defaults. A hub needs no closing; an Engine does.
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

// Group returns the group of Handler's connections, for its counts and for Shutdown.
func (h *Hub) Group() *conn.Group { return h.group }

// Stats are the counts of a hub: of the moment, or since New.
type Stats struct {
	Topics        int   // at the moment
	Subscribers   int   // connections that have subscribed, until they end
	Subscriptions int   // of all connections, at the moment
	Published     int64 // messages that Publish has accepted at this hub
	Delivered     int64 // messages and events queued for connections, counted once for each connection
	Dropped       int64 // those that DropSlow has dropped, counted the same way
}

// Stats returns the hub's counts. It takes the lock of every topic one after the other, so call it every second at most.
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

// withTopic calls f with the topic of this name locked. If there is none it makes one, or does not call f if create is false. With an
// engine it waits until the topic is followed.
func (h *Hub) withTopic(ctx context.Context, name string, create bool, f func(t *topic) error) error {
	t, err := h.lookUp(name, create)
	if t == nil || err != nil {
		return err
	}
	defer h.release(t)
	if t.followed != nil {
		if err := t.waitUntilFollowed(ctx); err != nil {
			return err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return f(t)
}

// lookUp returns the topic of this name, which release has to be called with afterwards. If there is none it makes one, or returns nil
// if create is false.
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
			t.followed = make(chan struct{})
			t.users.Add(1)
			go h.follow(t)
		}
	}
	t.users.Add(1)
	return t, nil
}

// topicOptions returns the options of the topic of this name.
func (h *Hub) topicOptions(name string) (o TopicOptions) {
	if h.options.Topic != nil {
		o = h.options.Topic(name)
	}
	return o
}

// release ends the use of a topic that lookUp has begun, and removes the topic if it is idle.
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
		// Keep its epoch until clients that lost their connections are back.
		if t.lingers.CompareAndSwap(false, true) {
			time.AfterFunc(lingerTime, func() {
				t.lingers.Store(false)
				h.removeTopic(t)
			})
		}
	default:
		h.removeTopic(t)
	}
}

// lingerTime is how long a topic with History keeps its epoch when it has neither messages nor subscribers.
const lingerTime = time.Minute

// follow has the engine follow a topic. It counts as a user of the topic until that is done.
func (h *Hub) follow(t *topic) {
	ctx, cancel := context.WithTimeout(context.Background(), engineTimeout)
	defer cancel()
	if err := h.options.Engine.Follow(ctx, t.name, t.options, t); err != nil {
		t.followErr = err
		h.mu.Lock()
		delete(h.topics, t.name) // the next lookUp makes another one
		h.mu.Unlock()
	}
	close(t.followed)
	h.release(t)
}

// waitUntilFollowed waits until Engine.Follow has returned, and returns its error.
func (t *topic) waitUntilFollowed(ctx context.Context) error {
	select {
	case <-t.followed:
		return t.followErr
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// removeTopic removes a topic if it is idle.
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

// forgetTopic removes an idle topic. The hub's lock is held, so no use of it can begin.
func (h *Hub) forgetTopic(t *topic) {
	delete(h.topics, t.name)
	if h.options.Engine != nil {
		h.options.Engine.Unfollow(t.name)
	}
}

// sweep removes the idle topics. It looks at all topics, so it does that once a second at most, however often clients ask for new topics.
// The hub's lock is held.
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

// encode returns the frame that is sent for an event.
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

// PublishOption is an option of Publish: Key or Except.
type PublishOption func(*publishing)

type publishing struct {
	key    string
	except *conn.Conn
}

// Key gives a message a key, of at most MaxKey bytes. For subscriptions with NewestSlow the message replaces a queued one of the same
// key. Without this option the key is "".
func Key(key string) PublishOption { return func(p *publishing) { p.key = key } }

// Except does not send the message to this connection, usually the sender's. A connection without subscriptions, or nil, changes nothing.
func Except(c *conn.Conn) PublishOption { return func(p *publishing) { p.except = c } }

// Publish sends data to the subscribers of a topic, and returns the message's position. It does not wait for peers. With an Engine it
// waits until the message is stored. If the topic keeps history, data must not be changed afterwards.
//
// The error is the context's, or an *Error: ErrBadTopic, ErrBadKey, ErrBadData if the data is not JSON (with the JSON protocol), CodeTooMany
// if the hub has MaxTopics; and what the Engine returns, such as ErrUnavailable.
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
	at, err := h.publish(ctx, topicName, m)
	if err == nil {
		h.counts.published.Add(1)
	}
	return at, err
}

// publish publishes a message through the engine, or in its topic if there is none.
func (h *Hub) publish(ctx context.Context, topicName string, m Message) (at Position, err error) {
	if engine := h.options.Engine; engine != nil {
		// What cannot be encoded is refused here, before the other hubs get it.
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

// originOf returns the name of a connection, unique among all hubs; "" for one that has no subscriptions.
func (h *Hub) originOf(c *conn.Conn) string {
	if c == nil {
		return ""
	}
	owner := h.subscriber(c)
	if owner == nil {
		return ""
	}
	return h.name + "." + strconv.FormatUint(owner.id, 10)
}

// localID undoes originOf: it returns the subscriber's ID, or 0 if the connection is of another hub.
func (h *Hub) localID(origin string) uint64 {
	number, ours := strings.CutPrefix(origin, h.name+".")
	if !ours {
		return 0
	}
	id, _ := strconv.ParseUint(number, 10, 64)
	return id
}

// History returns the messages of a topic after a position, the oldest first, at most limit of them if that is positive, and the
// topic's own position. complete is false if some of them are not kept any more, or if the position is of another epoch: then all kept
// messages are returned. The error is the context's, ErrBadTopic, or the Engine's.
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

// Presence returns the members who have subscribed to a topic, sorted by ID; none if the topic is without TopicOptions.Presence. The error
// is the context's, ErrBadTopic, or the Engine's.
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
