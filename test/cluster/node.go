package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/pubsub"
	"github.com/seed-c4549abd/wss/pubsub/nats"
)

// nodeVariable is the environment variable with a nodeConfig in JSON. A process that has it is a node.
const nodeVariable = "WSS_TEST_CLUSTER_NODE"

// nodeConfig is the configuration of a node.
type nodeConfig struct {
	Name        string
	Listen      string // for clients
	Cluster     nats.Cluster
	Dir         string
	Certificate []byte // PEM, as Key
	Key         []byte
	MaxHistory  int
}

// isNode runs a node and returns true, if this process is to be one.
func isNode() bool {
	text, is := os.LookupEnv(nodeVariable)
	if !is {
		return false
	}
	var c nodeConfig
	err := json.Unmarshal([]byte(text), &c)
	if err == nil {
		err = runNode(c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

// runNode runs a node until SIGTERM: a hub, and an engine whose NATS server is in the process.
func runNode(c nodeConfig) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	engine, err := nats.Start(nats.Options{
		Cluster: &c.Cluster, Dir: c.Dir, MaxHistory: c.MaxHistory, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	hub := pubsub.New(&pubsub.Options{
		Engine: engine, Authorize: pubsub.Anyone, RequestRate: -1, MaxRecovery: 8 << 20,
		Topic: func(string) pubsub.TopicOptions { return pubsub.TopicOptions{History: c.MaxHistory, Presence: true} },
		Member: func(c *conn.Conn) pubsub.Member {
			name, _ := c.Context().Value(nameKey{}).(string)
			return pubsub.Member{ID: name}
		},
	})
	certificate, err := tls.X509KeyPair(c.Certificate, c.Key)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: hub.Handler(&conn.AcceptOptions{
			QueueLimit: 16 << 20, PingInterval: time.Second, PongTimeout: 5 * time.Second,
			ConnContext: func(r *http.Request) context.Context {
				return context.WithValue(context.Background(), nameKey{}, r.URL.Query().Get("name"))
			},
		}),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}}, ReadHeaderTimeout: 10 * time.Second,
	}
	go func() { _ = server.ServeTLS(conn.NewListener(ln), "", "") }()
	go func() {
		if engine.Ready(ctx) == nil {
			fmt.Println("ready")
		}
	}()
	<-ctx.Done()
	// As docs/how-to/graceful-deploy.md says.
	ending, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = hub.Group().ShutdownServer(ending, server, conn.ShutdownOptions{Code: conn.StatusServiceRestart, Spread: time.Second})
	return engine.Close()
}

type nameKey struct{}
