// Package nats lets hubs on many machines share their topics, through NATS.
//
//	engine, err := nats.Start(nats.Options{Cluster: &nats.Cluster{
//		Name: "a", Listen: "10.0.0.1:6222", Routes: []string{"10.0.0.2:6222", "10.0.0.3:6222"},
//	}})
//	...
//	hub := pubsub.New(&pubsub.Options{Engine: engine})
//
// For most uses that is all: each process has a NATS server in it, and these connect to each other. With Options.URL the engine uses
// servers that run already.
//
// # How it works
//
// A stream of JetStream holds the messages of all topics, and gives them their order: the offset of a message is its sequence
// number in the stream. Publish returns when most replicas of the stream have stored the message. The stream then sends it on by
// core NATS, with the number of the one before it in the same topic, to the nodes that have subscribers. A node that misses a
// number, or was paused or cut off, reads the stream, so every subscriber gets every message once, in order. Members are in a
// key-value bucket.
//
// # A node without its cluster
//
// It keeps its connections: they can subscribe to topics that the node follows, and get the history that it has. Publishing
// fails with [pubsub.ErrUnavailable], and [Engine.Status] says what is wrong. When the cluster is back the node delivers the missed
// messages.
package nats
