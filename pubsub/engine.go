package pubsub

import (
	"context"
	"time"
)

// Engine carries topics between hubs, and keeps what has to outlive one of them: the order of a topic's messages, those that
// are kept, and who is there. It is for Options.Engine. Without one a hub does all that itself, for its own process; package
// pubsub/nats has one for many machines.
//
// An engine serves one hub. Its methods may be called by many goroutines at once. Their errors are shown to clients if
// they are an *Error, as [ErrUnavailable] is.
type Engine interface {
	// Follow begins to read a topic: it calls to.Begin with what is kept of it before it returns, and from then on to's other
	// methods, until Unfollow. It is called for topics that have subscribers, or are asked about, and for each once at a time. If
	// it returns an error it calls nothing any more.
	Follow(ctx context.Context, topic string, o TopicOptions, to Follower) error
	// Unfollow ends Follow. A call of the follower's that has begun may still be under way. It must not wait.
	Unfollow(topic string)
	// Publish gives a message its place in its topic, and returns it when the message cannot be lost any more. Followers get
	// the message, those of this hub among them. m has neither Offset nor Time.
	Publish(ctx context.Context, topic string, o TopicOptions, m Message) (Position, error)
	// Reached reports whether an offset was given to a message already. The hub asks it about a client that says to have more than
	// the hub has heard of.
	Reached(ctx context.Context, at Position) (bool, error)
	// Join tells the other hubs of a member whose first connection here has subscribed to a topic with Presence. It must not wait.
	Join(topic string, m Member)
	// Leave tells them that the last one has gone, and returns whether the member is there by another hub. It must not wait.
	Leave(topic, member string) (elsewhere bool)
}

// Follower is a hub's side of a topic that its engine reads. For each topic an engine makes one call at a time of Begin and
// Deliver, and one of Joined and Left.
type Follower interface {
	// Begin is called by Follow, and again when messages between the last one and those that will come are gone for good, or
	// when the topic has begun a new epoch: the subscribers are told of that.
	Begin(Start)
	// Deliver is called with every message, in the order of their offsets. One that was delivered before is ignored.
	Deliver(m Message)
	// Joined is called for each member whose first connection has subscribed by another hub, and for those who are there already.
	Joined(m Member)
	// Left is called when the last one has gone.
	Left(member string)
}

// Start is what is kept of a topic.
type Start struct {
	// Epoch names the series of offsets.
	Epoch string
	// Last is the offset of the last message; 0 if none is known.
	Last uint64
	// Messages are the kept ones, up to Last, the oldest first. They may be more than TopicOptions.History.
	Messages []Message
	// Whole says that the topic has never had others. If it is not known, it is false.
	Whole bool
}

// engineWait is how long a request of a client waits for the engine.
const engineWait = 10 * time.Second

// Begin is for the engine.
func (t *topic) Begin(s Start) {
	t.mu.Lock()
	defer t.mu.Unlock()
	again := t.epoch != ""
	if again && s.Epoch != t.epoch {
		for _, sub := range t.subscribers {
			sub.known = 0
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
		if err == nil { // an Encode of the server's own may leave it out
			t.sendToAll(p, toldKey, 0, 0)
		}
	}
}

// Deliver is for the engine.
func (t *topic) Deliver(m Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m.Offset > t.last {
		m.Topic = t.name
		_ = t.deliver(m) // what cannot be encoded here was published by a hub with another Encode
	}
}

// Joined is for the engine.
func (t *topic) Joined(m Member) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.members[m.ID] == nil {
		_ = t.joined(m, nil)
	}
}

// Left is for the engine.
func (t *topic) Left(member string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.members[member]; p != nil && p.here == 0 {
		t.left(p)
	}
}
