package pubsub

import (
	"errors"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// Defaults of the options.
const (
	DefaultMaxSubscriptions = 128       // for each connection
	DefaultMaxTopics        = 100_000   // for each hub
	DefaultMaxPending       = 256 << 10 // bytes
	DefaultRequestRate      = 100       // a second, for each connection
	DefaultMaxRecovery      = 512 << 10 // bytes
)

// The maximum lengths, in bytes, of a topic's name, a message's key, a member's ID, and a request's id.
const (
	MaxTopicName = 255
	MaxKey       = 255
	MaxMemberID  = 255
	maxRequestID = 255
)

// Options configure a hub. The zero value, and nil, stand for the defaults. New copies them. The functions are called by many
// goroutines at once.
type Options struct {
	// Authorize decides whether a client may do something with a topic: nil means yes. The client is sent the code and text of the
	// error if it is an *Error, and ErrForbidden otherwise. It is called for the requests of the JSON protocol, not for the methods of
	// Hub. Nil: clients may subscribe to every topic, and see its history and members, but publish to none; see [Anyone].
	Authorize func(c *conn.Conn, a Action, topic string) error

	// Publishing may change what a client publishes, its Data and its Key, or refuse it: to check it, or to add who has sent it. It
	// is called after Authorize, and not for [Hub.Publish]. The error is told as Authorize's is. Nil: it is published as it is.
	Publishing func(c *conn.Conn, topic string, m *Message) error

	// Topic returns the options of a topic. It has to return the same for a name each time. Nil: the zero TopicOptions.
	Topic func(name string) TopicOptions

	// Member returns the member that a connection belongs to, for topics with Presence. Connections with the same ID count as one
	// member; one with the ID "" is not counted. Nil: no connection is.
	Member func(c *conn.Conn) Member

	// Encode returns the message that subscribers are sent for an event. It must not call the hub: a topic's lock may be held. Nil: the
	// JSON protocol, for which Message.Data and Member.Info have to be JSON.
	Encode func(e Event) (conn.MessageType, []byte, error)

	// Group is the group that Handler's connections join. Nil: a new one, see [Hub.Group].
	Group *conn.Group

	// Engine shares the topics with the hubs of other processes. The hub does not close it. Nil: topics are this hub's own.
	Engine Engine

	// MaxSubscriptions is how many topics a connection may subscribe to. Zero or less: DefaultMaxSubscriptions.
	MaxSubscriptions int
	// MaxTopics is how many topics the hub has at once: those with subscribers or history. Zero or less: DefaultMaxTopics.
	MaxTopics int
	// MaxRecovery is how many bytes of old messages a subscription may begin with, and an answer about history may have. It has to be
	// less than the connections' QueueLimit. A client that has missed more is not recovered, and can ask for history part by part. A
	// client with many subscriptions should begin them one after the other. Zero or less: DefaultMaxRecovery.
	MaxRecovery int
	// RequestRate is how many requests of the JSON protocol a connection may make a second, with twice as many at once after a pause.
	// Requests beyond it are answered with CodeTooFast. Zero: DefaultRequestRate. Negative: no limit.
	RequestRate int
}

// TopicOptions are the options of one topic. The zero value has neither history nor presence; an Engine may store messages for its own
// needs all the same.
type TopicOptions struct {
	// History is how many of the last messages are kept. Zero or less: none.
	History int
	// HistoryAge is how long they are kept at most. Zero or less: no limit.
	HistoryAge time.Duration
	// Presence keeps the members who have subscribed, and tells subscribers when one joins or leaves.
	Presence bool
	// MaxSubscribers is how many connections may subscribe at each hub. Zero or less: no limit.
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

// String returns the type of the protocol's request for the action.
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

// Anyone is an Options.Authorize that allows everything: for demonstrations, and where all clients are trusted.
func Anyone(*conn.Conn, Action, string) error { return nil }

// readOnly is the default of Options.Authorize.
func readOnly(_ *conn.Conn, a Action, topic string) error {
	if a == Publish {
		return ErrForbidden
	}
	return nil
}

// Slow says what happens to the messages of a subscription whose peer does not read fast enough. The zero value is CloseSlow.
type Slow uint8

const (
	// CloseSlow leaves it to the connection's QueueLimit and WhenFull: by default it is closed with 1013 (try again later), and its
	// client resumes from history. With BlockWhenFull such a peer blocks publishers.
	CloseSlow Slow = iota
	// DropSlow drops messages while more than MaxPending bytes are queued on the connection, those of other topics included. The peer
	// sees gaps between offsets.
	DropSlow
	// NewestSlow queues one message for each key of the topic: a newer one takes the place of an older one in the queue, so messages of
	// different keys may come in another order. See [conn.Conn.SendLatest]. A subscription with Since therefore begins with the newest
	// message of each key in the history, even if the peer has it.
	NewestSlow
)

// SubscribeOptions are the options of a subscription. The zero value receives new messages only.
type SubscribeOptions struct {
	// Since is the position of the last message that the subscriber has: messages after it come first, if history still has them all.
	// The zero Position asks for all that history has. Nil: only new messages come.
	Since *Position
	// Slow says what happens if the peer does not read fast enough.
	Slow Slow
	// MaxPending is for DropSlow: how many bytes may be queued for the peer. Zero or less: DefaultMaxPending.
	MaxPending int
}

func (o SubscribeOptions) maxPending() int64 {
	if o.MaxPending <= 0 {
		return DefaultMaxPending
	}
	return int64(o.MaxPending)
}

// Position identifies a message of a topic. The zero value is before the first message, in any epoch.
type Position struct {
	// Epoch is the name of the series of offsets. It changes when a topic is created anew.
	Epoch string `json:"epoch"`
	// Offset is the number of the message in its epoch; 0 is before the first. Offsets grow from message to message: by one in a hub
	// without Engine, and by one or more with an Engine whose topics share their numbers.
	Offset uint64 `json:"offset"`
}

// Member is a user who has subscribed to a topic with Presence, by one or more connections.
type Member struct {
	// ID is the same for all connections of a member, and at most MaxMemberID bytes long.
	ID string `json:"id"`
	// Info is JSON that other subscribers see, such as a name. Nil: nothing. All connections of a member should have the same Info: it is
	// not specified whose is shown.
	Info []byte `json:"-"`
}

// Message is a published message.
type Message struct {
	Topic  string
	Offset uint64
	Key    string // for NewestSlow: a newer message of the same key replaces this one; "" is a key like others
	Data   []byte // not to be changed
	Time   time.Time
	Origin string // of a message published with Except: the connection that it is not sent to; engines pass it on as it is
}

// EventKind says what has happened in a topic.
type EventKind uint8

const (
	// Published: a message was published.
	Published EventKind = iota + 1
	// Joined: a member has subscribed who had not before.
	Joined
	// Left: a member's last connection has unsubscribed or ended.
	Left
	// Missed: messages of the topic were lost before the hub could send them. That happens only with an Engine, after its cluster was
	// out of reach for longer than it stores them. The next message is after Position.
	Missed
)

// Event is something that subscribers are sent. Options.Encode encodes it.
type Event struct {
	Kind     EventKind
	Topic    string
	Message  Message  // of Published
	Member   Member   // of Joined and Left
	Position Position // of Missed
}

// Error is an error that clients are sent as it is, with a code for programs. Two are the same for errors.Is if their codes are.
type Error struct {
	// Code is one of the Code constants, or one of the server's own.
	Code string
	// Message says in a sentence what is wrong, and what to do.
	Message string
}

// Error returns the code and the message.
func (e *Error) Error() string { return "pubsub: " + e.Code + ": " + e.Message }

// Is reports whether target is an *Error with the same code.
func (e *Error) Is(target error) bool {
	t, ok := errors.AsType[*Error](target)
	return ok && t.Code == e.Code
}

// Codes of errors.
const (
	CodeForbidden     = "forbidden"      // Options.Authorize has refused it
	CodeBadRequest    = "bad_request"    // the request is not one of the protocol
	CodeBadTopic      = "bad_topic"      // the topic's name is not valid
	CodeBadData       = "bad_data"       // the data is not JSON
	CodeTooMany       = "too_many"       // a limit of the connection, the topic or the hub
	CodeTooFast       = "too_fast"       // beyond Options.RequestRate: try again later
	CodeNotSubscribed = "not_subscribed" // there is no such subscription
	CodeSubscribed    = "subscribed"     // there is one already
	CodeUnavailable   = "unavailable"    // the engine's cluster is out of reach: try again later
	CodeInternal      = "internal"       // an error of the server
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
