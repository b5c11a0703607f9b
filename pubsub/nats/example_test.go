package nats_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/seed-c4549abd/wss/pubsub"
	"github.com/seed-c4549abd/wss/pubsub/nats"
)

// One node: as pubsub alone, but what is published survives the process if Options.Dir is set. Others can join later.
func ExampleStart() {
	engine, err := nats.Start(nats.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close()
	hub := pubsub.New(&pubsub.Options{
		Engine: engine,
		Topic:  func(string) pubsub.TopicOptions { return pubsub.TopicOptions{History: 100} },
	})

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := hub.Publish(ctx, "news", []byte(`"hello"`)); err != nil {
		log.Fatal(err)
	}
	messages, _, _, err := hub.History(ctx, "news", pubsub.Position{}, 10)
	fmt.Println(string(messages[0].Data), err)
	// Output: "hello" <nil>
}

// A node of three, each with its NATS server in the process. The others are the same, with their own name and address.
func ExampleStart_cluster() {
	name, others := os.Getenv("NODE"), []string{"node-b.internal:6222", "node-c.internal:6222"}
	engine, err := nats.Start(nats.Options{
		Dir: "/var/lib/chat",
		Cluster: &nats.Cluster{
			Name: name, Listen: "0.0.0.0:6222", Advertise: name + ".internal:6222", Routes: others, Secret: os.Getenv("CLUSTER_SECRET"),
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close()
	hub := pubsub.New(&pubsub.Options{Engine: engine})
	http.Handle("/topics", hub.Handler(nil))
	http.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) {
		if s := engine.Status(); !s.Ready {
			http.Error(w, s.Err.Error(), http.StatusServiceUnavailable)
		}
	})
	log.Fatal(http.ListenAndServeTLS(":443", "cert.pem", "key.pem", nil))
}

// Servers that run already, with a credentials file of theirs. Three of them keep each message.
func ExampleOptions_url() {
	engine, err := nats.Start(nats.Options{
		URL: "tls://nats-1.internal:4222,tls://nats-2.internal:4222", Credentials: "/etc/chat/nats.creds", Replicas: 3,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close()
	http.Handle("/topics", pubsub.New(&pubsub.Options{Engine: engine}).Handler(nil))
}
