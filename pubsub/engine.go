package pubsub

import (
	"context"
	"time"
)

// Engine shares topics between hubs. It keeps the order of each topic's messages, its history and its members. It is for
// Options.Engine. Without one a hub does all that itself, for its own process; package pubsub/nats has one for many machines.
//
// An engine serves one hub. Its methods may be called by many goroutines at once. Clients are sent the code and text of their errors if
// these are an *Error, as [ErrUnavailable] is.
type Engine interface {
	// Follow begins to read a topic: it calls to.Begin with the kept messages before it returns, and from then on to's other
	// methods, until Unfollow. The hub follows topics that have subscribers or are asked about, each once at a time. After an
	// error no method of to is called. ctx ends after ten seconds.
	Follow(ctx context.Context, topic string, o TopicOptions, to Follower) error
	// Unfollow ends Follow. A call of the follower's methods that has begun may still be running. It must not wait.
	Unfollow(topic string)
	// Publish gives a message its offset, and returns its position when the message is stored. All followers get the message, this
	// hub's included. m has neither Topic, Offset nor Time.
	Publish(ctx context.Context, topic string, o TopicOptions, m Message) (Position, error)
	// Reached reports whether a message has been given this offset, or a later one. The hub asks it when a client subscribes with a
	// position beyond the hub's last message.
	Reached(ctx context.Context, at Position) (bool, error)
	// Join tells the other hubs that a member's first connection at this hub has subscribed to a topic with Presence. It must not
	// wait: a topic's lock is held.
	Join(topic string, m Member)
	// Leave tells the other hubs that the last one has left, and returns whether the member is connected to another hub. It must
	// not wait.
	Leave(topic, member string) (elsewhere bool)
}

// Follower receives the messages and members of one topic from an engine. The hub implements it. For each topic an engine makes one call
// at a time of Begin and Deliver, and one of Joined and Left.
type Follower interface {
	// Begin is called by Follow, and again when messages after the last delivered one are lost, or when the topic has a new epoch:
	// then subscribers are sent a Missed event.
	Begin(Start)
	// Deliver is called with every message, in the order of their offsets. Messages up to the last offset are ignored.
	Deliver(m Message)
	// Joined is called for each member who is connected to another hub: for those before Follow, and for those who join later.
	Joined(m Member)
	// Left is called when a member is not connected to any other hub any more.
	Left(member string)
}

// Start is the state of a topic at Follower.Begin.
type Start struct {
	// Epoch names the series of offsets.
	Epoch string
	// Last is the offset of the last message; 0 if there is none or it is not known.
	Last uint64
	// Messages are the kept messages up to Last, the oldest first. They may be more than TopicOptions.History.
	Messages []Message
	// Whole says that Messages are all that the topic has ever had. False if that is not known.
	Whole bool
}

// engineTimeout is how long a client's request, and Follow, wait for the engine.
const engineTimeout = 10 * time.Second

// Begin implements Follower.
func (t *topic) Begin(s Start) {
	t.mu.Lock()
	defer t.mu.Unlock()
	again := t.epoch != ""
	if again && s.Epoch != t.epoch {
		for _, sub := range t.subscribers {
			sub.received = 0
		}
	}
	t.epoch, t.last = s.Epoch, s.Last
	t.history = newHistory(t.options)
	if len(s.Messages) > 0 || s.Last == 0 {
		t.history.gap = !s.Whole
	} else {
		t.history.before = s.Last
	}
	for _, m := range s.Messages {
		m.Topic = t.name
		t.history.add(m)
	}
	if again {
		p, err := t.hub.encode(Event{Kind: Missed, Topic: t.name, Position: t.position()})
		if err == nil { // Options.Encode may refuse to encode it
			t.sendToAll(p, eventKey, 0, 0)
		}
	}
}

// Deliver implements Follower.
func (t *topic) Deliver(m Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m.Offset > t.last {
		m.Topic = t.name
		_ = t.deliver(m) // fails only if a hub with another Options.Encode has published it
	}
}

// Joined implements Follower.
func (t *topic) Joined(m Member) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.members[m.ID] == nil {
		_ = t.joined(m, nil)
	}
}

// Left implements Follower.
func (t *topic) Left(member string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.members[member]; p != nil && p.local == 0 {
		t.left(p)
	}
}
