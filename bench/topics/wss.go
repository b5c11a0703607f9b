package main

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/pubsub"
)

const wssSetup = "package pubsub with its JSON protocol: Hub.Handler behind net/http, over NewListener, Hub.Publish; no pings"

// wssServer is this library's package pubsub, with its defaults, and with so much history.
func wssServer(history int) backend {
	return func(ln net.Listener, config *tls.Config) (publisher, func() error, error) {
		hub := pubsub.New(&pubsub.Options{
			Topic: func(string) pubsub.TopicOptions { return pubsub.TopicOptions{History: history} },
		})
		publish := func(topic string, data []byte) error {
			_, err := hub.Publish(context.Background(), topic, data)
			return err
		}
		return publish, serveHTTP(conn.NewListener(ln), config, hub.Handler(&conn.AcceptOptions{PingInterval: -1})), nil
	}
}
