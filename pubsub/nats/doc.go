// Package nats lets the hubs of many machines share their topics, by way of NATS.
//
//	engine, err := nats.Start(nats.Options{Cluster: &nats.Cluster{
//		Name: "a", Listen: "10.0.0.1:6222", Routes: []string{"10.0.0.2:6222", "10.0.0.3:6222"},
//	}})
//	...
//	hub := pubsub.New(&pubsub.Options{Engine: engine})
//
// For most uses that is all: each process has a NATS server in it, and these find each other. With Options.URL servers that
// run already are used instead.
//
// # How it works
//
// A stream of JetStream holds the messages of all topics, and gives them their order: the offset of a message is its sequence
// number in the stream. Publish returns when the stream has it, on most of its replicas. The stream then sends the
// message on by core NATS, with the number of the one before it in the same topic, to the nodes that have subscribers. A node
// that sees a number missing, or comes back from a pause or a cut, reads the stream, so every subscriber gets every message once, in order.
// Who is there is kept in a key-value bucket.
//
// # A node without its cluster
//
// It goes on with the connections that it has: they can subscribe and get history as far as the node knows it. What they publish is
// answered with [pubsub.ErrUnavailable], and [Engine.Status] says what is wrong. When the cluster is back the node delivers
// what was missed.
package nats
