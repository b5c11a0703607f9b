package main

import "fmt"

// protocol is what a client says to a server, and how it knows the answers. All protocols are text.
type protocol struct {
	hello   string // sent once, before all else; empty: nothing
	welcome string // in the answer to hello
	// subscribe returns the request for a topic; number is another one for each request of a connection.
	subscribe  func(number int, topic string) string
	subscribed string // in the answer to it
}

var (
	// pubsubProtocol is docs/pubsub.md.
	pubsubProtocol = protocol{
		subscribe: func(number int, topic string) string {
			return fmt.Sprintf(`{"type":"subscribe","id":%d,"topic":%q}`, number, topic)
		},
		subscribed: `"type":"subscribed"`,
	}
	// centrifugeProtocol has several messages in a frame at times, a line each.
	centrifugeProtocol = protocol{
		hello: `{"id":1,"connect":{}}`, welcome: `"connect":{`,
		subscribe: func(number int, topic string) string {
			return fmt.Sprintf(`{"id":%d,"subscribe":{"channel":%q}}`, number+1, topic)
		},
		subscribed: `"subscribe":{`,
	}
	// plainProtocol is that of the servers that have none of their own.
	plainProtocol = protocol{
		subscribe:  func(_ int, topic string) string { return "subscribe " + topic },
		subscribed: "subscribed topic-",
	}
)
