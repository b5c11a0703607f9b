// Package pubsub is topics: connections subscribe to them, and what is published to a topic is sent to all of its subscribers,
// framed and compressed once.
//
//	hub := pubsub.New(nil)
//	http.Handle("/topics", hub.Handler(nil)) // clients speak the protocol of docs/pubsub.md
//	hub.Publish(ctx, "news", []byte(`"hello"`))
//
// For most uses that is all: browsers connect with client/pubsub.ts, and [Options] says who may do what. A server with a protocol of its
// own calls [Hub.Subscribe] and [Hub.Publish], and encodes messages by Options.Encode.
//
// # Order and loss
//
// The messages of a topic have offsets, 1, 2, 3 and so on, and every subscriber gets them in that order. A topic that keeps
// history ([TopicOptions]) lets a client that comes back say which message it had last: it gets the ones that it missed and then
// the new ones, each once, or is told that some are gone. The offsets belong to an epoch, a name that changes when the topic is
// made anew.
//
// A peer that does not read holds nobody up. What becomes of its messages is for each subscription to say: see [Slow].
package pubsub
