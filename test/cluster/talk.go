package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/seed-c4549abd/wss/internal/testtls"
	"github.com/seed-c4549abd/wss/pubsub/nats"
	"github.com/seed-c4549abd/wss/test/ports"
	"github.com/seed-c4549abd/wss/test/process"
)

var faultNames = []string{"kill", "pause", "cut", "silence", "restart"}

// cluster is the nodes of a run.
type cluster struct {
	options options
	out     io.Writer
	began   time.Time
	links   *links
	configs []nodeConfig
	nodes   []*node
}

// node is a process.
type node struct {
	process *process.Process
	journal *process.Journal
}

// talk runs nodes and clients, with the faults, and checks what the clients have seen.
func talk(ctx context.Context, o options, out io.Writer) (verdict, error) {
	c := &cluster{options: o, out: out, began: time.Now()}
	config, err := c.prepare()
	if err != nil {
		return verdict{}, err
	}
	defer c.end()
	for i := range c.configs {
		if err := c.start(ctx, i); err != nil {
			return verdict{}, err
		}
	}
	for i := range c.configs {
		if err := c.ready(ctx, i); err != nil {
			return verdict{}, err
		}
	}
	c.say("%d nodes are ready", len(c.nodes))

	var urls, topics []string
	for _, n := range c.configs {
		urls = append(urls, "wss://"+n.Listen+"/")
	}
	for i := range o.topics {
		topics = append(topics, fmt.Sprintf("room/%d", i))
	}
	running, stopRunning := context.WithCancel(ctx)
	publishing, stopPublishing := context.WithCancel(ctx)
	defer stopPublishing()
	var clients []*client
	var readers, writers sync.WaitGroup
	defer readers.Wait()
	defer stopRunning()
	for i := range o.clients {
		u := newClient(i, urls, config, topics, c.began)
		clients = append(clients, u)
		readers.Go(func() { u.run(running) })
		writers.Go(func() { u.publishAlways(publishing, o.pause) })
	}
	err = c.faults(ctx)
	stopPublishing()
	writers.Wait()
	if err != nil {
		return verdict{}, err
	}
	h := c.settle(ctx, clients)
	c.say("checking %d publishes", len(h.Publishes))
	v := check(h)
	c.say("asking every node who is there")
	v.Faults = append(v.Faults, c.checkMembers(ctx, urls, config, topics)...)
	return v, ctx.Err()
}

func (c *cluster) say(format string, args ...any) {
	fmt.Fprintf(c.out, "%5.1f s  %s\n", time.Since(c.began).Seconds(), fmt.Sprintf(format, args...))
}

// prepare chooses addresses, and makes a certificate; it returns the clients' TLS configuration.
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
			// The address that nodes tell each other of answers nobody, so that they use the proxies.
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

// end ends all nodes, and removes what they have kept.
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

// ready waits until a node can publish.
func (c *cluster) ready(ctx context.Context, i int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	n := c.nodes[i]
	if _, err := n.journal.Await(ctx, n.process.Done(), readyLine); err != nil {
		return fmt.Errorf("node %d is not ready: %w\n%s", i, err, n.journal.Tail())
	}
	return nil
}

// faults lets happen to nodes what happens to nodes.
func (c *cluster) faults(ctx context.Context) error {
	victim := 0
	for range c.options.rounds {
		for _, fault := range c.options.faults {
			if err := rest(ctx, 4*time.Second); err != nil {
				return err
			}
			if err := c.fault(ctx, fault, victim); err != nil {
				return fmt.Errorf("%s of node %d: %w", fault, victim, err)
			}
			victim = (victim + 1) % len(c.nodes)
		}
	}
	return rest(ctx, 4*time.Second)
}

func (c *cluster) fault(ctx context.Context, fault string, i int) error {
	n := c.nodes[i]
	switch fault {
	case "kill":
		c.say("node %d is killed", i)
		if err := n.process.Signal(syscall.SIGKILL); err != nil {
			return err
		}
		<-n.process.Done()
		if err := rest(ctx, 6*time.Second); err != nil {
			return err
		}
		c.say("node %d starts again", i)
		if err := c.start(ctx, i); err != nil {
			return err
		}
		return c.ready(ctx, i)
	case "pause":
		c.say("node %d is paused", i)
		if err := n.process.Signal(syscall.SIGSTOP); err != nil {
			return err
		}
		err := rest(ctx, 12*time.Second)
		c.say("node %d goes on", i)
		return cmpOr(n.process.Signal(syscall.SIGCONT), err)
	case "cut", "silence":
		how := map[string]state{"cut": cut, "silence": silent}[fault]
		c.say("the links of node %d: %s", i, fault)
		c.links.isolate(i, how)
		err := rest(ctx, 12*time.Second)
		c.say("the links of node %d are whole", i)
		c.links.isolate(i, whole)
		return err
	}
	for i := range c.nodes {
		c.say("node %d is asked to end", i)
		if status := c.nodes[i].process.Stop(); status != 0 {
			return fmt.Errorf("it ended with %d:\n%s", status, c.nodes[i].journal.Tail())
		}
		c.say("node %d starts again", i)
		if err := c.start(ctx, i); err != nil {
			return err
		}
		if err := c.ready(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

func cmpOr(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// settle waits until all clients have everything that was acknowledged, or do not get on any more, and returns what they have seen.
func (c *cluster) settle(ctx context.Context, clients []*client) (h history) {
	last := map[string]uint64{}
	for _, u := range clients {
		u.mu.Lock()
		h.Publishes = append(h.Publishes, u.publishes...)
		u.mu.Unlock()
	}
	for _, p := range h.Publishes {
		if p.Outcome == acknowledged {
			last[p.Topic] = max(last[p.Topic], p.Offset)
		}
	}
	c.say("waiting for all clients to have %d topics up to their ends", len(last))
	for deadline := time.Now().Add(time.Minute); ; {
		behind := slices.IndexFunc(clients, func(u *client) bool { return !u.reached(last) })
		if behind < 0 || time.Now().After(deadline) || rest(ctx, 100*time.Millisecond) != nil {
			break
		}
	}
	// What was not acknowledged may still be on its way to some.
	_ = rest(ctx, 7*time.Second)
	connects := 0
	for _, u := range clients {
		u.mu.Lock()
		connects += u.connects
		for _, topic := range slices.Sorted(maps.Keys(u.logs)) {
			l := *u.logs[topic]
			l.Entries = slices.Clone(l.Entries)
			h.Logs = append(h.Logs, l)
		}
		u.mu.Unlock()
	}
	c.say("%d clients have connected %d times", len(clients), connects)
	return h
}

// checkMembers asks every node who is in every topic: all clients have to be, and nobody else.
func (c *cluster) checkMembers(ctx context.Context, urls []string, config *tls.Config, topics []string) (faults []string) {
	want := map[string]bool{}
	for i := range c.options.clients {
		want[userName(i)] = true
	}
	for i, url := range urls {
		for _, topic := range topics {
			var got []string
			var err error
			for range 20 { // a client that has just come back is told of to the others
				if got, err = members(ctx, url, config, topic); err == nil && len(got) == len(want) {
					break
				}
				_ = rest(ctx, 500*time.Millisecond)
			}
			missing := maps.Clone(want)
			for _, name := range got {
				if !want[name] {
					faults = append(faults, fmt.Sprintf("node %d, %s: %s is not there any more", i, topic, name))
				}
				delete(missing, name)
			}
			if err != nil || len(missing) > 0 {
				faults = append(faults, fmt.Sprintf("node %d, %s: it does not know of %v (%v)", i, topic, slices.Sorted(maps.Keys(missing)), err))
			}
		}
	}
	return faults
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
