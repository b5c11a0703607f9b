package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/seed-c4549abd/wss/pubsub/nats"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// nodeVariable is the environment variable with a nodeConfig in JSON. A process that has it is one of two nodes.
const nodeVariable = "WSS_DEMO_NODE"

// nodeConfig is the configuration of a node.
type nodeConfig struct {
	Name    string
	Listen  string
	Servers []string
	Cluster nats.Cluster
	Dir     string
}

// runNodes runs two nodes as processes, until ctx ends or both have ended. A NATS server in this process is the third of their
// cluster, so that one of them can fail.
func runNodes(ctx context.Context, listen string, out *log.Logger) error {
	dir, err := os.MkdirTemp("", "wss-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	configs, err := nodeConfigs(listen, dir)
	if err != nil {
		return err
	}
	third, err := nats.Start(nats.Options{Dir: configs[2].Dir, Cluster: &configs[2].Cluster, MaxBytes: maxStored})
	if err != nil {
		return err
	}
	defer third.Close()
	var nodes []*exec.Cmd
	var running sync.WaitGroup
	ended := make(chan struct{})
	for _, c := range configs[:2] {
		node, err := startNode(c, out.Writer())
		if err != nil {
			return errors.Join(err, interrupt(nodes))
		}
		nodes = append(nodes, node)
		out.Printf("node %s      https://%s/  process %d", c.Name, c.Listen, node.Process.Pid)
		running.Go(func() {
			_ = node.Wait() // an *exec.ExitError says the same as the state
			out.Printf("node %s      has ended: %v", c.Name, node.ProcessState)
		})
	}
	go func() {
		running.Wait()
		close(ended)
	}()
	out.Printf("try it      open https://%s/chat in two windows, then: kill -9 %d", configs[0].Listen, nodes[0].Process.Pid)
	select {
	case <-ctx.Done():
		out.Print("ending      both nodes")
		_ = interrupt(nodes)
		select {
		case <-ended:
		case <-time.After(2 * shutdownTime):
			return errors.New("a node does not end")
		}
	case <-ended:
	}
	return nil
}

// interrupt asks nodes to end.
func interrupt(nodes []*exec.Cmd) error {
	var errs []error
	for _, n := range nodes {
		errs = append(errs, n.Process.Signal(syscall.SIGTERM))
	}
	return errors.Join(errs...)
}

// nodeConfigs returns the configurations of the nodes a and b, and of the third server of their cluster.
func nodeConfigs(listen, dir string) ([]nodeConfig, error) {
	host, portText, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil || port == 0 {
		return nil, fmt.Errorf("-listen needs a port for two nodes, which use it and the next one: %s", listen)
	}
	var configs []nodeConfig
	var servers []string
	for i, name := range []string{"a", "b", "c"} {
		// The ports are free now. Another program is unlikely to take one before its server does.
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer ln.Close()
		c := nodeConfig{Name: name, Listen: net.JoinHostPort(host, strconv.Itoa(port+i)), Dir: dir + "/" + name, Cluster: nats.Cluster{Name: name, Listen: ln.Addr().String()}}
		if i < 2 {
			servers = append(servers, "wss://localhost:"+strconv.Itoa(port+i))
		}
		configs = append(configs, c)
	}
	for i := range configs {
		configs[i].Servers = servers
		for k := range configs {
			if k != i {
				configs[i].Cluster.Routes = append(configs[i].Cluster.Routes, configs[k].Cluster.Listen)
			}
		}
	}
	return configs, nil
}

// startNode starts this program as a node.
func startNode(c nodeConfig, out io.Writer) (*exec.Cmd, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), nodeVariable+"="+string(text))
	cmd.Stdout, cmd.Stderr = out, out
	inOwnGroup(cmd) // a ctrl-C goes to this process only, which then ends the nodes
	return cmd, cmd.Start()
}

// maxStored is how many bytes of messages each node keeps.
const maxStored = 64 << 20

// runNode runs a node until ctx ends. text is a nodeConfig in JSON.
func runNode(ctx context.Context, text string, out *log.Logger) error {
	var c nodeConfig
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return err
	}
	ca, err := tlsconf.Development(tlsconf.DevOptions{})
	if err != nil {
		return err
	}
	engine, err := nats.Start(nats.Options{Dir: c.Dir, Cluster: &c.Cluster, MaxBytes: maxStored})
	if err != nil {
		return err
	}
	s, err := start(c.Listen, ca, log.New(io.Discard, "", 0), nodeOptions{
		name: c.Name, servers: c.Servers, engine: engine, nodes: func() int { return engine.Status().Nodes },
	})
	if err != nil {
		return errors.Join(err, engine.Close())
	}
	if engine.Ready(ctx) == nil {
		out.Printf("node %s      is ready", c.Name)
	}
	select {
	case <-ctx.Done():
	case err = <-s.failed:
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	return errors.Join(err, s.shutdown(ending), engine.Close())
}
