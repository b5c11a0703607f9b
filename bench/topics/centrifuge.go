package main

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/centrifugal/centrifuge"
)

const centrifugeSetup = "its engine in memory, its WebsocketHandler behind net/http, its JSON protocol, Node.Publish; defaults, but no pings"

// centrifugeServer is centrifuge as its tutorial sets it up, with so much history. With history clients may recover, so that
// messages have offsets.
func centrifugeServer(history int) backend {
	return func(ln net.Listener, config *tls.Config) (publisher, func() error, error) {
		node, err := centrifuge.New(centrifuge.Config{})
		if err != nil {
			return nil, nil, err
		}
		node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
			return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{}}, nil
		})
		options := centrifuge.SubscribeOptions{EnableRecovery: history > 0}
		node.OnConnect(func(c *centrifuge.Client) {
			c.OnSubscribe(func(_ centrifuge.SubscribeEvent, answer centrifuge.SubscribeCallback) {
				answer(centrifuge.SubscribeReply{Options: options}, nil)
			})
		})
		if err := node.Run(); err != nil {
			return nil, nil, err
		}
		var kept []centrifuge.PublishOption
		if history > 0 {
			kept = append(kept, centrifuge.WithHistory(history, time.Hour))
		}
		publish := func(topic string, data []byte) error {
			_, err := node.Publish(topic, data, kept...)
			return err
		}
		handler := centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
			PingPongConfig: centrifuge.PingPongConfig{PingInterval: -1, PongTimeout: -1},
		})
		return publish, serveHTTP(ln, config, handler), nil
	}
}
