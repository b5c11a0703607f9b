package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/internal/testtls"
	"github.com/seed-c4549abd/wss/pubsub/nats"
	"github.com/seed-c4549abd/wss/test/ports"
	"github.com/seed-c4549abd/wss/test/process"
)

// cluster is the nodes of a run, and the links between them.
type cluster struct {
	options options
	out     io.Writer
	began   time.Time
	links   *links
	configs []nodeConfig
	nodes   []*node
}

// node is the process of a node.
type node struct {
	process *process.Process
	journal *process.Journal
}

// say prints a line with the time since the beginning.
func (c *cluster) say(format string, args ...any) {
	fmt.Fprintf(c.out, "%5.1f s  %s\n", time.Since(c.began).Seconds(), fmt.Sprintf(format, args...))
}

// prepare chooses addresses, makes a certificate and starts the links. It returns the TLS configuration of clients.
func (c *cluster) prepare() (*tls.Config, error) {
	client, certificate, key, err := certificateFor()
	if err != nil {
		return nil, err
	}
	address := func() (string, error) {
		port, err := ports.Free()
		return fmt.Sprintf("127.0.0.1:%d", port), err
	}
	var listens []string
	for i := range c.options.nodes {
		clients, err1 := address()
		others, err2 := address()
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("no ports: %w, %w", err1, err2)
		}
		listens = append(listens, others)
		c.configs = append(c.configs, nodeConfig{
			Name: fmt.Sprintf("n%d", i), Listen: clients, Certificate: certificate, Key: key, MaxHistory: 1_000_000,
			// Nobody listens at the address that nodes advertise, so they use the links.
			Cluster: nats.Cluster{Name: fmt.Sprintf("n%d", i), Listen: others, Advertise: "127.0.0.1:1", Secret: "between nodes"},
		})
	}
	if c.links, err = newLinks(listens); err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "wss-cluster-")
	if err != nil {
		return nil, err
	}
	for i := range c.configs {
		c.configs[i].Cluster.Routes = c.links.routes(i)
		c.configs[i].Dir = filepath.Join(folder, c.configs[i].Name)
	}
	c.nodes = make([]*node, c.options.nodes)
	return client, nil
}

// end ends all nodes, and removes their directories.
func (c *cluster) end() {
	var all sync.WaitGroup
	for _, n := range c.nodes {
		if n != nil && !n.process.Ended() {
			all.Go(func() { n.process.Stop() })
		}
	}
	all.Wait()
	c.links.close()
	_ = os.RemoveAll(filepath.Dir(c.configs[0].Dir))
}

// start starts a node's process.
func (c *cluster) start(ctx context.Context, i int) error {
	text, err := json.Marshal(c.configs[i])
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	n := &node{journal: process.NewJournal()}
	var out io.Writer = n.journal
	if c.options.verbose {
		out = io.MultiWriter(n.journal, &process.Lines{Next: io.Discard, Line: func(line string) { c.say("n%d: %s", i, line) }})
	}
	shared := &process.Shared{W: out}
	n.process, err = process.Start(context.WithoutCancel(ctx), process.Command{Args: []string{self}, Env: append(os.Environ(), nodeVariable+"="+string(text))}, shared, shared)
	c.nodes[i] = n
	return err
}

var readyLine = regexp.MustCompile(`^ready$`)

// ready waits until a node has printed that it is ready to publish.
func (c *cluster) ready(ctx context.Context, i int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	n := c.nodes[i]
	if _, err := n.journal.Await(ctx, n.process.Done(), readyLine); err != nil {
		return fmt.Errorf("node %d is not ready: %w\n%s", i, err, n.journal.Tail())
	}
	return nil
}

// certificateFor returns a TLS configuration for clients, and the certificate and key of the servers that they trust, in PEM.
func certificateFor() (client *tls.Config, certificate, key []byte, err error) {
	server, client := testtls.Configs(tls.VersionTLS13)
	der, err := x509.MarshalPKCS8PrivateKey(server.Certificates[0].PrivateKey)
	if err != nil {
		return nil, nil, nil, err
	}
	certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificates[0].Certificate[0]})
	return client, certificate, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
