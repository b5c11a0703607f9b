package pubsub

import (
	"errors"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// Defaults of the options.
const (
	DefaultMaxSubscriptions = 128     // of one connection
	DefaultMaxTopics        = 100_000 // of a hub
	DefaultMaxPending       = 256 << 10
	DefaultRequestRate      = 100       // a second, of one connection
	DefaultMaxRecovery      = 512 << 10 // bytes
)

// The longest name of a topic, key of a message, ID of a member, and id of a request, in bytes.
const (
	MaxTopicName = 255
	MaxKey       = 255
	MaxMemberID  = 255
	maxRequestID = 255
)

// Options configure a hub. The zero value, and nil, are the defaults. They must not be changed once they are used. The
// functions are called by many goroutines at once.
type Options struct {
	// Authorize says whether a connection may do something with a topic: nil if it may. The client is told of the error's
	// text if it is an *Error, and else only that it is forbidden. It is not asked about what the server itself does. Nil: clients may
	// subscribe to every topic, see its history and who is there, and publish to none; see [Anyone].
	Authorize func(c *conn.Conn, a Action, topic string) error

	// Topic returns the options of a topic, when the topic is made. Nil: the zero TopicOptions.
	Topic func(name string) TopicOptions

	// Member says who a connection is, for topics with Presence. Connections with the same ID count as one member; "" is
	// nobody. Nil: every connection is nobody.
	Member func(c *conn.Conn) Member

	// Encode makes the message that is sent to subscribers for an event. It must not call the hub. Nil: that of the JSON
	// protocol, whose messages hold JSON.
	Encode func(e Event) (conn.MessageType, []byte, error)

	// Group is the group that Handler's connections join. Nil: one of the hub's own.
	Group *conn.Group

	// Engine carries the topics between hubs of many processes. Nil: the hub is alone. It is not closed by the hub.
	Engine Engine

	// MaxSubscriptions is how many topics a connection may subscribe to. Zero or less: DefaultMaxSubscriptions.
	MaxSubscriptions int
	// MaxTopics is how many topics the hub keeps at once: those with subscribers or history. Zero or less:
	// DefaultMaxTopics.
	MaxTopics int
	// MaxRecovery is how many bytes of old messages a subscription may begin with; it has to be less than the connections'
	// QueueLimit. A client that has missed more is told that it was not recovered, and can ask for history part by part. Zero or
	// less: DefaultMaxRecovery. A client with many subscriptions should begin them one after the other.
	MaxRecovery int
	// RequestRate is how many requests of the protocol a connection may make in a second, and twice as many at once after
	// a pause. One more is answered with CodeTooFast. Zero: DefaultRequestRate. Negative: no limit.
	RequestRate int
}

// TopicOptions are the options of one topic. The zero value keeps nothing for subscribers; an Engine may keep what it needs itself.
type TopicOptions struct {
	// History is how many of the last messages are kept. Zero or less: none.
	History int
	// HistoryAge is how long they are kept. Zero or less: as long as History says.
	HistoryAge time.Duration
	// Presence keeps who has subscribed, and tells subscribers who joins and leaves.
	Presence bool
	// MaxSubscribers is how many connections may subscribe. Zero or less: no limit.
	MaxSubscribers int
}

// Action is what a client wants to do with a topic.
type Action uint8

const (
	// Subscribe is to receive what is published, and the history that a subscription begins with.
	Subscribe Action = iota + 1
	// Publish is to send to the subscribers.
	Publish
	// SeePresence is to ask who has subscribed.
	SeePresence
	// SeeHistory is to ask for old messages.
	SeeHistory
)

// String returns the action as a word of the protocol.
func (a Action) String() string {
	switch a {
	case Subscribe:
		return "subscribe"
	case Publish:
		return "publish"
	case SeePresence:
		return "presence"
	case SeeHistory:
		return "history"
	}
	return "unknown"
}

// Anyone lets every client do everything, for Options.Authorize: for demonstrations, and for networks whose clients are all yours.
func Anyone(*conn.Conn, Action, string) error { return nil }

// readOnly is what a nil Options.Authorize means.
func readOnly(_ *conn.Conn, a Action, topic string) error {
	if a == Publish {
		return ErrForbidden
	}
	return nil
}

// Slow says what becomes of the messages of a subscription whose peer does not take them. The zero value closes.
type Slow uint8

const (
	// CloseSlow does what the connection's QueueLimit and WhenFull say: by default it is closed with 1013 (try again
	// later), and its client resumes from history. With WhenFull BlockWhenFull such a peer would hold up publishers.
	CloseSlow Slow = iota
	// DropSlow drops messages while more than MaxPending bytes wait for the peer, whatever they are. Their offsets are
	// missing at the peer.
	DropSlow
	// NewestSlow replaces what waits by what is newer: of each key of the topic only the newest message waits, in the place of
	// the older one, so that messages of different keys may come in another order. See [conn.Conn.SendLatest]. A
	// subscription with Since therefore begins with the newest message of each key that history has, whether the peer has it or not.
	NewestSlow
)

// SubscribeOptions are the options of a subscription. The zero value receives what is published from now on.
type SubscribeOptions struct {
	// Since is the last message that the subscriber has: those behind it come first, if history still has them all. The zero
	// Position asks for all that history has. Nil: only new ones come.
	Since *Position
	// Slow says what becomes of messages that the peer does not take.
	Slow Slow
	// MaxPending is for DropSlow: the bytes that may wait for the peer. Zero or less: DefaultMaxPending.
	MaxPending int
}

func (o SubscribeOptions) maxPending() int64 {
	if o.MaxPending <= 0 {
		return DefaultMaxPending
	}
	return int64(o.MaxPending)
}

// Position is a place in the messages of a topic. The zero value is before the first, of whichever epoch.
type Position struct {
	// Epoch is the name of the series of offsets; it changes when a topic is made anew.
	Epoch string `json:"epoch"`
	// Offset is that of the last message; 0 if there is none. Offsets grow from message to message: by one in a hub without
	// Engine, by more with one whose topics share their numbers.
	Offset uint64 `json:"offset"`
}

// Member is somebody who has subscribed to a topic with Presence.
type Member struct {
	// ID is the same for all connections of a member, and at most MaxMemberID bytes long.
	ID string `json:"id"`
	// Info is JSON that others see: a name, a colour. Nil: nothing. The connections of a member should have the same: whose is
	// shown is not said.
	Info []byte `json:"-"`
}

// Message is what was published.
type Message struct {
	Topic  string
	Offset uint64
	Key    string // for NewestSlow: a newer message of the same key makes this one worthless
	Data   []byte // not to be changed
	Time   time.Time
	Origin string // of a message published with Except: the connection that it is not sent to; for engines to carry along
}

// EventKind is what has happened in a topic.
type EventKind uint8

const (
	// Published: a message was published.
	Published EventKind = iota + 1
	// Joined: a member has subscribed who had not before.
	Joined
	// Left: a member's last connection has unsubscribed or ended.
	Left
	// Missed: messages of the topic are gone before the hub could send them, which happens with an Engine only: its cluster
	// was out of reach for longer than it keeps them. What comes next is behind Position.
	Missed
)

// Event is what subscribers are told.
type Event struct {
	Kind     EventKind
	Topic    string
	Message  Message  // of Published
	Member   Member   // of Joined and Left
	Position Position // of Missed
}

// Error is a refusal, with a code that programs can tell apart. It is sent to clients as it is.
type Error struct {
	// Code is one of the constants Code...
	Code string
	// Message says in a sentence what is wrong and what to do.
	Message string
}

// Error returns the message with its code.
func (e *Error) Error() string { return "pubsub: " + e.Code + ": " + e.Message }

// Is reports whether target is an *Error with the same code.
func (e *Error) Is(target error) bool {
	t, ok := errors.AsType[*Error](target)
	return ok && t.Code == e.Code
}

// Codes of errors.
const (
	CodeForbidden     = "forbidden"      // Authorize has refused it
	CodeBadRequest    = "bad_request"    // the request is not one of the protocol
	CodeBadTopic      = "bad_topic"      // the name cannot be that of a topic
	CodeBadData       = "bad_data"       // the data is not JSON
	CodeTooMany       = "too_many"       // a limit of the connection, the topic or the hub
	CodeTooFast       = "too_fast"       // RequestRate: try again a moment later
	CodeNotSubscribed = "not_subscribed" // there is no such subscription
	CodeSubscribed    = "subscribed"     // there is one already
	CodeUnavailable   = "unavailable"    // the engine's cluster cannot be reached: try again later
	CodeInternal      = "internal"       // the server's fault
)

// Errors of the hub's methods.
var (
	ErrForbidden     = &Error{CodeForbidden, "this client may not do that with this topic"}
	ErrNotSubscribed = &Error{CodeNotSubscribed, "this connection has not subscribed to the topic"}
	ErrSubscribed    = &Error{CodeSubscribed, "this connection has subscribed to the topic; unsubscribe first to change how"}
	ErrBadData       = &Error{CodeBadData, "the data has to be one JSON value"}
	ErrUnavailable   = &Error{CodeUnavailable, "the servers cannot reach each other at the moment; try again later"}
	ErrBadKey        = &Error{CodeBadRequest, "a key is at most 255 bytes"}
	ErrBadTopic      = &Error{CodeBadTopic, "a topic's name is 1 to 255 bytes of UTF-8 without control characters"}
)

func orDefault(n, def int) int {
	if n <= 0 {
		return def
	}
	return n
}
