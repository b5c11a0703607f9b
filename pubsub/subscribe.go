package pubsub

import (
	"context"

	"github.com/seed-c4549abd/wss/conn"
)

// Subscribed is what a subscription begins with.
type Subscribed struct {
	// Position is the last message before those that will come.
	Position Position
	// Recovered says that everything behind SubscribeOptions.Since comes, each message once. If it is false and Since was
	// given, some are gone, or the epoch is another: only new messages come, or what is left for the zero Position.
	Recovered bool
	// Members are those who had subscribed before, of a topic with Presence.
	Members []Member
}

// Subscribe subscribes a connection to a topic, until Unsubscribe or until the connection ends. What it has missed since
// SubscribeOptions.Since is sent to it before Subscribe returns, and what is published from then on behind that. The error
// is an *Error: ErrSubscribed, ErrBadTopic, or CodeTooMany; or it says that the connection has ended. Authorize is not asked.
func (h *Hub) Subscribe(c *conn.Conn, topicName string, o SubscribeOptions) (Subscribed, error) {
	return h.subscribe(c, topicName, o, nil)
}

// subscribe is Subscribe; begin, if it is not nil, sends what has to come before the missed messages.
func (h *Hub) subscribe(c *conn.Conn, name string, o SubscribeOptions, begin func(Subscribed) error) (result Subscribed, err error) {
	if err := checkTopic(name); err != nil {
		return Subscribed{}, err
	}
	var member Member
	if h.options.Member != nil {
		member = h.options.Member(c)
	}
	who := h.subscriberOf(c)
	who.mu.Lock()
	defer who.mu.Unlock()
	switch {
	case who.ended:
		return Subscribed{}, context.Cause(c.Context())
	case who.topics[name] != nil:
		return Subscribed{}, ErrSubscribed
	case len(who.topics) >= h.options.MaxSubscriptions:
		return Subscribed{}, &Error{CodeTooMany, "this connection has as many subscriptions as it may have"}
	}
	if len(member.ID) > MaxMemberID {
		return Subscribed{}, &Error{CodeBadRequest, "the member's ID is longer than 255 bytes"}
	}
	s := &subscription{conn: c, id: who.id, slow: o.Slow, most: o.maxPending()}
	ctx, cancel := context.WithTimeout(c.Context(), engineWait)
	defer cancel()
	if err := h.reached(ctx, name, &o); err != nil {
		return Subscribed{}, err
	}
	err = h.withTopic(ctx, name, true, func(t *topic) (err error) {
		result, err = t.subscribe(s, member, o, begin)
		return err
	})
	if err == nil {
		who.topics[s.topic.name] = s // one copy of the name, not one for each subscriber
	}
	return result, err
}

// subscribe adds a subscription, and sends it what it has missed. The lock is held.
func (t *topic) subscribe(s *subscription, member Member, o SubscribeOptions, begin func(Subscribed) error) (result Subscribed, err error) {
	missed, recovered := t.missed(o.Since, o.Slow)
	begins := t.position()
	if len(missed) > 0 {
		begins.Offset = missed[0].Offset - 1
	} else if recovered && o.Since.Offset > begins.Offset {
		begins.Offset = o.Since.Offset
	}
	s.known = begins.Offset
	result = Subscribed{Position: begins, Recovered: recovered, Members: t.membersBefore(member)}
	if err := t.add(s); err != nil {
		return result, err
	}
	added := false
	defer func() { // a function of the options may panic
		if !added {
			t.remove(s)
			t.leave(s)
		}
	}()
	if err := t.join(s, member); err != nil {
		return result, err
	}
	if begin != nil {
		if err := begin(result); err != nil {
			return result, err
		}
	}
	t.sendMissed(s, missed)
	added = true
	return result, nil
}

// reached asks the engine about a position that is beyond what this hub knows. If no message has had that offset yet, the engine has lost
// some, and the client's position is worth nothing.
func (h *Hub) reached(ctx context.Context, name string, o *SubscribeOptions) error {
	engine := h.options.Engine
	if engine == nil || o.Since == nil {
		return nil
	}
	var last Position
	if err := h.withTopic(ctx, name, true, func(t *topic) error { last = t.position(); return nil }); err != nil {
		return err
	}
	if o.Since.Epoch != last.Epoch || o.Since.Offset <= last.Offset {
		return nil
	}
	ok, err := engine.Reached(ctx, *o.Since)
	if err == nil && !ok {
		o.Since = &Position{Epoch: lostEpoch} // which is nobody's, so it is not recovered
	}
	return err
}

// lostEpoch is the epoch of no topic.
const lostEpoch = "-"

// sendMissed sends old messages to one subscriber. The lock is held.
func (t *topic) sendMissed(s *subscription, missed []Message) {
	for _, m := range missed {
		p, err := t.hub.encode(Event{Kind: Published, Topic: t.name, Message: m})
		if err == nil { // it could be encoded when it was published
			s.send(p, m.Key)
		}
	}
}

// membersBefore returns the members without one who is about to join. The lock is held.
func (t *topic) membersBefore(m Member) (members []Member) {
	for id, p := range t.members {
		if id != m.ID {
			members = append(members, p.member)
		}
	}
	return members
}

// Unsubscribe ends a subscription. What was queued for it may still come. The error is ErrNotSubscribed if there is none.
func (h *Hub) Unsubscribe(c *conn.Conn, topicName string) error {
	who := h.known(c)
	if who == nil {
		return ErrNotSubscribed
	}
	who.mu.Lock()
	defer who.mu.Unlock()
	s := who.topics[topicName]
	if s == nil {
		return ErrNotSubscribed
	}
	delete(who.topics, topicName)
	h.end(s)
	return nil
}

// known returns what is kept for a connection; nil if it has never subscribed, or has ended.
func (h *Hub) known(c *conn.Conn) *subscriber {
	h.connsMu.Lock()
	defer h.connsMu.Unlock()
	return h.conns[c]
}

// Subscriptions returns the topics that a connection has subscribed to.
func (h *Hub) Subscriptions(c *conn.Conn) (topics []string) {
	who := h.known(c)
	if who == nil {
		return nil
	}
	who.mu.Lock()
	defer who.mu.Unlock()
	for name := range who.topics {
		topics = append(topics, name)
	}
	return topics
}

// subscriberOf returns what is kept for a connection. It is forgotten when the connection ends.
func (h *Hub) subscriberOf(c *conn.Conn) *subscriber {
	h.connsMu.Lock()
	defer h.connsMu.Unlock()
	who := h.conns[c]
	if who == nil {
		h.lastID++
		who = &subscriber{id: h.lastID, topics: map[string]*subscription{}}
		h.conns[c] = who
		context.AfterFunc(c.Context(), func() { h.forget(c, who) })
	}
	return who
}

// forget ends the subscriptions of a connection that has ended.
func (h *Hub) forget(c *conn.Conn, who *subscriber) {
	who.mu.Lock()
	who.ended = true
	topics := who.topics
	who.topics = nil
	who.mu.Unlock()
	for _, s := range topics {
		h.end(s)
	}
	h.connsMu.Lock()
	delete(h.conns, c)
	h.connsMu.Unlock()
}

// end takes a subscription out of its topic.
func (h *Hub) end(s *subscription) {
	t := s.topic
	t.users.Add(1) // it has a subscriber, so it is not gone
	defer h.release(t)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(s)
	t.leave(s)
}
