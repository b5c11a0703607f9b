package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"

	"github.com/seed-c4549abd/wss/test/install"
	"github.com/seed-c4549abd/wss/test/ports"
	"github.com/seed-c4549abd/wss/test/process"
)

// build builds the demo, and returns the path of the program, which the caller removes.
func build(ctx context.Context) (program string, err error) {
	f, err := os.CreateTemp("", "wss-demo-")
	if err != nil {
		return "", err
	}
	if err := f.Close(); err != nil {
		return "", err
	}
	_, file, _, _ := runtime.Caller(0)
	examples := filepath.Join(filepath.Dir(file), "..", "..", "examples")
	_, err = install.Run(ctx, process.Command{Args: []string{"go", "build", "-o", f.Name(), "./demo"}, Dir: examples})
	return f.Name(), err
}

// demo is a running demo.
type demo struct {
	process *process.Process
	journal *process.Journal
	home    string
	urls    []string // of the nodes' pages
	nodes   []int    // process IDs, if there are two nodes
}

// start starts the demo, with one node or two.
func start(ctx context.Context, program string, two bool) (*demo, error) {
	home, err := os.MkdirTemp("", "wss-demo-home-")
	if err != nil {
		return nil, err
	}
	d := &demo{home: home, journal: process.NewJournal()}
	port, err := ports.Free() // the next one is free, too, more likely than not: ports are given in a row
	if err != nil {
		return nil, err
	}
	args := []string{program, "-listen", fmt.Sprintf("localhost:%d", port)}
	if two {
		args = append(args, "-two")
	}
	shared := &process.Shared{W: d.journal}
	d.process, err = process.Start(context.WithoutCancel(ctx), process.Command{
		Args: args, Env: append(os.Environ(), "XDG_CONFIG_HOME="+home, "HOME="+home),
	}, shared, shared)
	if err != nil {
		return nil, err
	}
	if err := d.awaitReady(ctx, two); err != nil {
		err = fmt.Errorf("%w\n%s", err, d.journal.Tail())
		d.stop()
		return nil, err
	}
	return d, nil
}

// awaitReady waits until the demo serves, and reads its URLs and process IDs from its output.
func (d *demo) awaitReady(ctx context.Context, two bool) error {
	if !two {
		page, err := d.journal.Await(ctx, d.process.Done(), regexp.MustCompile(`^page +(https://\S+)$`))
		if err == nil {
			d.urls = []string{page[1]}
			_, err = d.journal.Await(ctx, d.process.Done(), regexp.MustCompile(`^serving`))
		}
		return err
	}
	for _, name := range []string{"a", "b"} {
		node, err := d.journal.Await(ctx, d.process.Done(), regexp.MustCompile(`^node `+name+` +(https://\S+) +process (\d+)$`))
		if err != nil {
			return err
		}
		pid, err := strconv.Atoi(node[2])
		if err != nil {
			return err
		}
		d.urls, d.nodes = append(d.urls, node[1]), append(d.nodes, pid)
		if _, err := d.journal.Await(ctx, d.process.Done(), regexp.MustCompile(`^node `+name+` +is ready$`)); err != nil {
			return err
		}
	}
	return nil
}

// stop ends the demo as ctrl-C does, and returns its status.
func (d *demo) stop() int {
	defer os.RemoveAll(d.home)
	return d.process.Stop()
}
