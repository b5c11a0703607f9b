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

// topic is the subscribers of one name, with its history and its members. Its lock is held while a message is sent to
// all: that is what keeps their order. Sending does not wait for a peer.
type topic struct {
	name    string
	options TopicOptions
	hub     *Hub
	users   atomic.Int32  // calls that have looked it up: it stays until they are done
	lingers atomic.Bool   // a timer will remove it, if it is idle then
	begun   chan struct{} // closed when the engine has called Begin, or could not; nil without engine
	err     error         // why it could not, when begun is closed

	mu          sync.Mutex
	epoch       string
	last        uint64 // offset
	history     history
	subscribers []*subscription
	members     map[string]*presence
}

// presence is a member with the number of its subscriptions in this hub.
type presence struct {
	member Member
	here   int
}

// subscription is one connection's to one topic.
type subscription struct {
	conn   *conn.Conn
	id     uint64 // of the connection, in this hub
	topic  *topic
	index  int    // in topic.subscribers
	known  uint64 // offset up to which the peer has the messages already
	slow   Slow
	most   int64  // bytes that may wait, with DropSlow
	member string // ID; "" for nobody
}

// send sends an event. Its error is not ours to handle: the connection has ended, and unsubscribes.
func (s *subscription) send(p *conn.Prepared, key string) (dropped bool) {
	ctx := context.Background()
	switch s.slow {
	case NewestSlow:
		_ = s.conn.SendLatest(ctx, s.topic.name+"\x00"+key, p)
	case DropSlow:
		if pending := s.conn.Stats().Pending; pending > 0 && pending+int64(p.Len()) > s.most {
			return true
		}
		_ = s.conn.Send(ctx, p)
	default:
		_ = s.conn.Send(ctx, p)
	}
	return false
}

// publish gives a message its offset, and delivers it. The lock is held.
func (t *topic) publish(m Message) (Position, error) {
	m.Topic, m.Offset, m.Time = t.name, t.last+1, time.Now()
	err := t.deliver(m)
	return t.position(), err
}

// deliver keeps a message, and sends it to all subscribers but its origin. The lock is held.
func (t *topic) deliver(m Message) error {
	p, err := t.hub.encode(Event{Kind: Published, Topic: t.name, Message: m})
	if err != nil {
		return err
	}
	t.last = m.Offset
	t.history.add(m)
	t.sendToAll(p, m.Key, m.Offset, t.hub.connectionOf(m.Origin))
	return nil
}

// sendToAll sends an event to all subscribers but one connection, and but those who have a message of that offset already. The
// lock is held.
func (t *topic) sendToAll(p *conn.Prepared, key string, offset, except uint64) {
	delivered, dropped := int64(0), int64(0)
	for _, s := range t.subscribers {
		if s.id == except || offset != 0 && offset <= s.known {
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

// position is where the topic is. The lock is held.
func (t *topic) position() Position { return Position{Epoch: t.epoch, Offset: t.last} }

// size is about how many bytes messages take on their way.
func size(messages []Message) (n int) {
	for _, m := range messages {
		n += messageSize(m)
	}
	return n
}

func messageSize(m Message) int { return len(m.Data) + len(m.Key) + len(m.Topic) + 100 }

// newest returns the last messages that take at most so many bytes.
func newest(messages []Message, most int) []Message {
	i := len(messages)
	for i > 0 && most >= messageSize(messages[i-1]) {
		i--
		most -= messageSize(messages[i])
	}
	return messages[i:]
}

// newestOfEachKey returns the last message of each key, in their order.
func newestOfEachKey(messages []Message) (newest []Message) {
	seen := map[string]bool{}
	for _, m := range slices.Backward(messages) {
		if !seen[m.Key] {
			seen[m.Key] = true
			newest = append(newest, m)
		}
	}
	slices.Reverse(newest)
	return newest
}

// missed returns what a subscriber has missed since a position, and whether that is all of it. If it is not, there is nothing, but
// for the zero position, which asks for all that there is. The lock is held.
func (t *topic) missed(since *Position, slow Slow) (messages []Message, recovered bool) {
	if since == nil {
		return nil, false
	}
	t.history.expire(time.Now())
	if (*since == Position{}) {
		messages, recovered = t.history.since(0, 0)
		begins := len(messages) - len(newest(messages, t.hub.options.MaxRecovery))
		return messages[begins:], recovered && begins == 0
	}
	if since.Epoch != t.epoch {
		return nil, false
	}
	if t.hub.options.Engine != nil && since.Offset > t.last {
		return nil, true // it was told by another hub (see reached): this one is a little behind, and leaves out what the client has
	}
	messages, recovered = t.history.since(since.Offset, 0)
	if recovered && slow == NewestSlow {
		// A newer message takes the place of an older one in the queue, so the peer may lack some that are before its last.
		all, _ := t.history.since(0, 0)
		messages = newestOfEachKey(all)
	}
	if !recovered || size(messages) > t.hub.options.MaxRecovery {
		return nil, false
	}
	return messages, true
}

// add adds a subscription. The lock is held.
func (t *topic) add(s *subscription) error {
	if most := t.options.MaxSubscribers; most > 0 && len(t.subscribers) >= most {
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

// join counts a subscription of a member's, and tells the others if it is the first. The lock is held.
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
	p.here++
	s.member = m.ID
	if engine := t.hub.options.Engine; engine != nil && p.here == 1 {
		engine.Join(t.name, m)
	}
	return nil
}

// leave counts that a member's subscription has ended, and tells the others if it was the last. The lock is held.
func (t *topic) leave(s *subscription) {
	p := t.members[s.member]
	if s.member == "" || p == nil {
		return
	}
	if p.here--; p.here > 0 {
		return
	}
	if engine := t.hub.options.Engine; engine != nil && engine.Leave(t.name, s.member) {
		return
	}
	t.left(p)
}

// toldKey keeps what is told of members and of missed messages apart from messages, for NewestSlow.
const toldKey = "\x00"

// joined adds a member, and tells all subscribers but one. The lock is held.
func (t *topic) joined(m Member, but *subscription) error {
	event, err := t.hub.encode(Event{Kind: Joined, Topic: t.name, Member: m})
	if err != nil {
		return fmt.Errorf("pubsub: the member %q cannot be encoded: %s", m.ID, err) // the server's fault, not the client's
	}
	if t.members == nil {
		t.members = map[string]*presence{}
	}
	t.members[m.ID] = &presence{member: m}
	except := uint64(0)
	if but != nil {
		except = but.id
	}
	t.sendToAll(event, toldKey+m.ID, 0, except)
	return nil
}

// left removes a member, and tells the subscribers. The lock is held.
func (t *topic) left(p *presence) {
	delete(t.members, p.member.ID)
	event, err := t.hub.encode(Event{Kind: Left, Topic: t.name, Member: p.member})
	if err == nil { // it could be encoded when the member joined
		t.sendToAll(event, toldKey+p.member.ID, 0, 0)
	}
}

// idle reports whether nothing would be lost without the topic. What an engine keeps is not lost. The lock is held.
func (t *topic) idle() bool {
	if t.users.Load() > 0 || len(t.subscribers) > 0 {
		return false
	}
	t.history.expire(time.Now())
	return t.hub.options.Engine != nil || t.history.count == 0
}
