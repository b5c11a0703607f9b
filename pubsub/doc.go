// Package pubsub provides topics. Connections subscribe to them, and a message that is published to a topic is sent to all its
// subscribers, framed and compressed once.
//
//	hub := pubsub.New(nil)
//	http.Handle("/topics", hub.Handler(nil)) // clients speak the protocol of docs/pubsub.md
//	hub.Publish(ctx, "news", []byte(`"hello"`))
//
// For most uses that is all: browsers connect with client/pubsub.ts, and [Options] says who may do what. A server with a protocol of
// its own calls [Hub.Subscribe] and [Hub.Publish], and encodes messages with Options.Encode.
//
// # Order and loss
//
// The messages of a topic have offsets, 1, 2, 3 and so on (with gaps if an [Engine] shares the topics), and every subscriber gets them
// in that order. If a topic keeps history ([TopicOptions]), a client that reconnects says which message it had last, and gets those
// that it missed and then the new ones, each once; or it is told that some are lost. The offsets belong to an epoch, a name that
// changes when the topic is created anew.
//
// A peer that does not read does not block the others. Each subscription says what happens to its messages: see [Slow].
package pubsub
