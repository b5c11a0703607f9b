package pubsub

import (
	"context"

	"github.com/seed-c4549abd/wss/conn"
)

// Subscribed says where a subscription begins.
type Subscribed struct {
	// Position is the last message before those that will come.
	Position Position
	// Recovered says that all messages after SubscribeOptions.Since come, each once. If it is false and Since was given, some are
	// not kept any more, or the epoch is another: then only new messages come, and for the zero Position those that are left.
	Recovered bool
	// Members are the other members, of a topic with Presence.
	Members []Member
}

// Subscribe subscribes a connection to a topic, until Unsubscribe or until the connection ends. The messages after
// SubscribeOptions.Since are queued before Subscribe returns, and new ones after them. Authorize is not called.
//
// The error is an *Error: ErrBadTopic, ErrSubscribed, CodeTooMany for a limit, CodeBadRequest for a member's ID that is too long; what the
// Engine returns, such as ErrUnavailable; or why the connection has ended.
func (h *Hub) Subscribe(c *conn.Conn, topicName string, o SubscribeOptions) (Subscribed, error) {
	return h.subscribe(c, topicName, o, nil)
}

// subscribe is Subscribe. confirm, if it is not nil, is called before the missed messages are queued.
func (h *Hub) subscribe(c *conn.Conn, name string, o SubscribeOptions, confirm func(Subscribed) error) (result Subscribed, err error) {
	if err := checkTopic(name); err != nil {
		return Subscribed{}, err
	}
	var member Member
	if h.options.Member != nil {
		member = h.options.Member(c)
	}
	owner := h.addSubscriber(c)
	owner.mu.Lock()
	defer owner.mu.Unlock()
	switch {
	case owner.ended:
		return Subscribed{}, context.Cause(c.Context())
	case owner.topics[name] != nil:
		return Subscribed{}, ErrSubscribed
	case len(owner.topics) >= h.options.MaxSubscriptions:
		return Subscribed{}, &Error{CodeTooMany, "this connection has as many subscriptions as it may have"}
	}
	if len(member.ID) > MaxMemberID {
		return Subscribed{}, &Error{CodeBadRequest, "the member's ID is longer than 255 bytes"}
	}
	s := &subscription{conn: c, id: owner.id, slow: o.Slow, maxPending: o.maxPending()}
	ctx, cancel := context.WithTimeout(c.Context(), engineTimeout)
	defer cancel()
	if err := h.checkSince(ctx, name, &o); err != nil {
		return Subscribed{}, err
	}
	err = h.withTopic(ctx, name, true, func(t *topic) (err error) {
		result, err = t.subscribe(s, member, o, confirm)
		return err
	})
	if err == nil {
		owner.topics[s.topic.name] = s // one copy of the name, not one for each subscriber
	}
	return result, err
}

// subscribe adds a subscription, and sends it the missed messages. The lock is held.
func (t *topic) subscribe(s *subscription, member Member, o SubscribeOptions, confirm func(Subscribed) error) (result Subscribed, err error) {
	missed, recovered := t.missed(o.Since, o.Slow)
	start := t.position()
	if len(missed) > 0 {
		start.Offset = missed[0].Offset - 1
	} else if recovered && o.Since.Offset > start.Offset {
		start.Offset = o.Since.Offset
	}
	s.received = start.Offset
	result = Subscribed{Position: start, Recovered: recovered, Members: t.otherMembers(member)}
	if err := t.add(s); err != nil {
		return result, err
	}
	added := false
	defer func() { // also if a function of the options panics
		if !added {
			t.remove(s)
			t.leave(s)
		}
	}()
	if err := t.join(s, member); err != nil {
		return result, err
	}
	if confirm != nil {
		if err := confirm(result); err != nil {
			return result, err
		}
	}
	t.sendMissed(s, missed)
	added = true
	return result, nil
}

// checkSince asks the engine about a Since beyond the last message that this hub has. If no message has had that offset, the engine has lost
// messages, and checkSince replaces Since by a position that is not recovered.
func (h *Hub) checkSince(ctx context.Context, name string, o *SubscribeOptions) error {
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
		o.Since = &Position{Epoch: lostEpoch}
	}
	return err
}

// lostEpoch is an epoch that no topic has.
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

// otherMembers returns all members except one. The lock is held.
func (t *topic) otherMembers(m Member) (members []Member) {
	for id, p := range t.members {
		if id != m.ID {
			members = append(members, p.member)
		}
	}
	return members
}

// Unsubscribe ends a subscription. Messages that are queued already are still sent. The error is ErrNotSubscribed, or nil.
func (h *Hub) Unsubscribe(c *conn.Conn, topicName string) error {
	owner := h.subscriber(c)
	if owner == nil {
		return ErrNotSubscribed
	}
	owner.mu.Lock()
	defer owner.mu.Unlock()
	s := owner.topics[topicName]
	if s == nil {
		return ErrNotSubscribed
	}
	delete(owner.topics, topicName)
	h.endSubscription(s)
	return nil
}

// subscriber returns the subscriber of a connection; nil if it has never subscribed, or has ended.
func (h *Hub) subscriber(c *conn.Conn) *subscriber {
	h.connsMu.Lock()
	defer h.connsMu.Unlock()
	return h.conns[c]
}

// Subscriptions returns the names of the topics that a connection has subscribed to, in no order.
func (h *Hub) Subscriptions(c *conn.Conn) (topics []string) {
	owner := h.subscriber(c)
	if owner == nil {
		return nil
	}
	owner.mu.Lock()
	defer owner.mu.Unlock()
	for name := range owner.topics {
		topics = append(topics, name)
	}
	return topics
}

// addSubscriber returns the subscriber of a connection. If there is none it adds one, until the connection ends.
func (h *Hub) addSubscriber(c *conn.Conn) *subscriber {
	h.connsMu.Lock()
	defer h.connsMu.Unlock()
	owner := h.conns[c]
	if owner == nil {
		h.lastID++
		owner = &subscriber{id: h.lastID, topics: map[string]*subscription{}}
		h.conns[c] = owner
		context.AfterFunc(c.Context(), func() { h.removeSubscriber(c, owner) })
	}
	return owner
}

// removeSubscriber ends the subscriptions of a connection that has ended.
func (h *Hub) removeSubscriber(c *conn.Conn, owner *subscriber) {
	owner.mu.Lock()
	owner.ended = true
	topics := owner.topics
	owner.topics = nil
	owner.mu.Unlock()
	for _, s := range topics {
		h.endSubscription(s)
	}
	h.connsMu.Lock()
	delete(h.conns, c)
	h.connsMu.Unlock()
}

// endSubscription removes a subscription from its topic.
func (h *Hub) endSubscription(s *subscription) {
	t := s.topic
	t.users.Add(1) // safe without lookUp: a topic with subscribers is not removed
	defer h.release(t)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(s)
	t.leave(s)
}
