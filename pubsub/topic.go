package pubsub

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// topic has the subscribers, the history and the members of one topic. Its lock is held while a message is sent to all subscribers,
// so that all get the messages in the same order. Sending does not wait for a peer.
type topic struct {
	name      string
	options   TopicOptions
	hub       *Hub
	users     atomic.Int32  // calls between lookUp and release, during which it is not removed
	lingers   atomic.Bool   // a timer runs that removes it if it is idle then
	followed  chan struct{} // closed when Engine.Follow has returned; nil without engine
	followErr error         // of Engine.Follow; set before begun is closed

	mu          sync.Mutex
	epoch       string
	last        uint64 // offset
	history     history
	subscribers []*subscription
	members     map[string]*presence
}

// presence is a member of a topic.
type presence struct {
	member Member
	local  int
}

// subscription is the subscription of one connection to one topic.
type subscription struct {
	conn       *conn.Conn
	id         uint64 // of the connection, in this hub
	topic      *topic
	index      int    // in topic.subscribers
	received   uint64 // offset up to which the peer has all messages: these are not sent
	slow       Slow
	maxPending int64  // bytes that may be queued, for DropSlow
	member     string // ID; "" for nobody
}

// send queues an event for the peer, and reports whether DropSlow has dropped it. Errors are ignored: the connection has ended, and
// is unsubscribed.
func (s *subscription) send(p *conn.Prepared, key string) (dropped bool) {
	ctx := context.Background()
	switch s.slow {
	case NewestSlow:
		_ = s.conn.SendLatest(ctx, s.topic.name+"\x00"+key, p)
	case DropSlow:
		if pending := s.conn.Stats().Pending; pending > 0 && pending+int64(p.Len()) > s.maxPending {
			return true
		}
		_ = s.conn.Send(ctx, p)
	default:
		_ = s.conn.Send(ctx, p)
	}
	return false
}

// publish gives a message its offset and time, and delivers it. The lock is held.
func (t *topic) publish(m Message) (Position, error) {
	m.Topic, m.Offset, m.Time = t.name, t.last+1, time.Now()
	err := t.deliver(m)
	return t.position(), err
}

// deliver adds a message to the history, and sends it to all subscribers but its origin. The lock is held.
func (t *topic) deliver(m Message) error {
	p, err := t.hub.encode(Event{Kind: Published, Topic: t.name, Message: m})
	if err != nil {
		return err
	}
	t.last = m.Offset
	t.history.add(m)
	t.sendToAll(p, m.Key, m.Offset, t.hub.localID(m.Origin))
	return nil
}

// sendToAll sends an event to all subscribers except one, and except those that have the message of this offset already. An offset or
// except of 0 excludes nobody. The lock is held.
func (t *topic) sendToAll(p *conn.Prepared, key string, offset, except uint64) {
	delivered, dropped := int64(0), int64(0)
	for _, s := range t.subscribers {
		if s.id == except || offset != 0 && offset <= s.received {
			continue
		}
		if s.send(p, key) {
			dropped++
		} else {
			delivered++
		}
	}
	t.hub.counts.delivered.Add(delivered)
	t.hub.counts.dropped.Add(dropped)
}

// position returns the position of the last message. The lock is held.
func (t *topic) position() Position { return Position{Epoch: t.epoch, Offset: t.last} }

// missed returns the messages that a subscriber has missed since a position, and whether these are all. If they are not, it returns none,
// except for the zero Position, which asks for all that history has. The lock is held.
func (t *topic) missed(since *Position, slow Slow) (messages []Message, recovered bool) {
	if since == nil {
		return nil, false
	}
	t.history.expire(time.Now())
	if (*since == Position{}) {
		messages, recovered = t.history.since(0, 0)
		first := len(messages) - len(newestWithin(messages, t.hub.options.MaxRecovery))
		return messages[first:], recovered && first == 0
	}
	if since.Epoch != t.epoch {
		return nil, false
	}
	if t.hub.options.Engine != nil && since.Offset > t.last {
		return nil, true // from another hub (see checkSince): this one has not received those messages yet
	}
	messages, recovered = t.history.since(since.Offset, 0)
	if recovered && slow == NewestSlow {
		// A newer message replaces an older one in the queue, so the peer may lack messages before its last one.
		all, _ := t.history.since(0, 0)
		messages = newestOfEachKey(all)
	}
	if !recovered || totalSize(messages) > t.hub.options.MaxRecovery {
		return nil, false
	}
	return messages, true
}

// add adds a subscription. The lock is held.
func (t *topic) add(s *subscription) error {
	if limit := t.options.MaxSubscribers; limit > 0 && len(t.subscribers) >= limit {
		return &Error{CodeTooMany, "this topic has as many subscribers as it may have"}
	}
	s.topic, s.index = t, len(t.subscribers)
	t.subscribers = append(t.subscribers, s)
	return nil
}

// remove removes a subscription. The lock is held.
func (t *topic) remove(s *subscription) {
	last := len(t.subscribers) - 1
	t.subscribers[s.index] = t.subscribers[last]
	t.subscribers[s.index].index = s.index
	t.subscribers[last] = nil
	t.subscribers = t.subscribers[:last]
	if cap(t.subscribers) > 64 && len(t.subscribers) < cap(t.subscribers)/4 {
		t.subscribers = slices.Clone(t.subscribers)
	}
}

// join counts a subscription of a member, and tells the other subscribers if it is the first. The lock is held.
func (t *topic) join(s *subscription, m Member) error {
	if !t.options.Presence || m.ID == "" {
		return nil
	}
	if t.members[m.ID] == nil {
		if err := t.joined(m, s); err != nil {
			return err
		}
	}
	p := t.members[m.ID]
	p.local++
	s.member = m.ID
	if engine := t.hub.options.Engine; engine != nil && p.local == 1 {
		engine.Join(t.name, m)
	}
	return nil
}

// leave counts the end of a member's subscription, and tells the other subscribers if it was the last. The lock is held.
func (t *topic) leave(s *subscription) {
	p := t.members[s.member]
	if s.member == "" || p == nil {
		return
	}
	if p.local--; p.local > 0 {
		return
	}
	if engine := t.hub.options.Engine; engine != nil && engine.Leave(t.name, s.member) {
		return
	}
	t.left(p)
}

// eventKey begins the keys of events other than Published, so that they do not replace messages with NewestSlow.
const eventKey = "\x00"

// joined adds a member, and tells all subscribers except one. The lock is held.
func (t *topic) joined(m Member, except *subscription) error {
	event, err := t.hub.encode(Event{Kind: Joined, Topic: t.name, Member: m})
	if err != nil {
		return fmt.Errorf("pubsub: the member %q cannot be encoded: %s", m.ID, err) // the server's fault, not the client's
	}
	if t.members == nil {
		t.members = map[string]*presence{}
	}
	t.members[m.ID] = &presence{member: m}
	id := uint64(0)
	if except != nil {
		id = except.id
	}
	t.sendToAll(event, eventKey+m.ID, 0, id)
	return nil
}

// left removes a member, and tells the subscribers. The lock is held.
func (t *topic) left(p *presence) {
	delete(t.members, p.member.ID)
	event, err := t.hub.encode(Event{Kind: Left, Topic: t.name, Member: p.member})
	if err == nil { // it could be encoded when the member joined
		t.sendToAll(event, eventKey+p.member.ID, 0, 0)
	}
}

// idle reports whether the topic can be removed: it is not used, and has neither subscribers nor messages. Messages that an engine
// keeps do not count. The lock is held.
func (t *topic) idle() bool {
	if t.users.Load() > 0 || len(t.subscribers) > 0 {
		return false
	}
	t.history.expire(time.Now())
	return t.hub.options.Engine != nil || t.history.count == 0
}
