// Command topics shows that the TypeScript client of package pubsub (pubsub/client/pubsub.ts) works in browsers and in Node.js.
//
//	go run ./test/topics [-only node|chromium|firefox] [-timeout TIME]
//	go run ./test/topics -write
//
// With -write it writes pubsub/client/pubsub.js, which has to be what TypeScript makes of the client.
//
// The client is compiled by TypeScript in its strict mode, and used by checks.mjs, over wss, against a hub whose connections are cut
// meanwhile. What is missing is installed: TypeScript from npm, browsers from Debian if we are root there. The exit status is 0
// if every check passed, 1 if one failed or could not be made, and 2 for a wrong use of the flags.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/seed-c4549abd/wss/test/browsers"
	"github.com/seed-c4549abd/wss/test/install"
	"github.com/seed-c4549abd/wss/test/process"
	"github.com/seed-c4549abd/wss/tlsconf"
)

const (
	exitFailed = 1
	exitUsage  = 2
)

// environments are where the client runs.
var environments = []string{"node", "chromium", "firefox"}

// checks is how many there are in checks.mjs.
const checks = 11

// typescript compiles the client. It is pinned, so that a failure is a change of ours.
const typescript = "typescript@5.9.3"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("topics", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("only", "", "run in one of "+strings.Join(environments, ", "))
	write := flags.Bool("write", false, "write pubsub/client/pubsub.js, and do nothing else")
	timeout := flags.Duration("timeout", 10*time.Minute, "the time for all")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return exitUsage
	case flags.NArg() > 0 || *only != "" && !slices.Contains(environments, *only):
		fmt.Fprintf(stderr, "topics: -only is one of %s, and there are no arguments\n", strings.Join(environments, ", "))
		return exitUsage
	}
	ctx, cancel := context.WithTimeoutCause(ctx, *timeout, fmt.Errorf("not done after %v", *timeout))
	defer cancel()
	client, err := compileClient(ctx, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "topics:", err)
		return exitFailed
	}
	committed := filepath.Join(clientDir(), "pubsub.js")
	if *write {
		if err := os.WriteFile(committed, client, 0o644); err != nil {
			fmt.Fprintln(stderr, "topics:", err)
			return exitFailed
		}
		return 0
	}
	status := 0
	if script, err := os.ReadFile(committed); err != nil || !bytes.Equal(script, client) {
		fmt.Fprintf(stdout, "FAILED  pubsub.js is not what TypeScript makes of pubsub.ts: go run ./test/topics -write (%v)\n", err)
		status = exitFailed
	}
	for _, name := range environments {
		if *only != "" && *only != name {
			continue
		}
		results, err := try(ctx, name, client, stderr)
		passed := 0
		for _, r := range results {
			if r.Failed == "" {
				passed++
				fmt.Fprintf(stdout, "ok      %s: %s\n", name, r.Name)
			} else {
				fmt.Fprintf(stdout, "FAILED  %s: %s: %s\n", name, r.Name, r.Failed)
			}
		}
		if err != nil {
			fmt.Fprintf(stdout, "FAILED  %s: %v\n", name, err)
		}
		if passed != checks {
			status = exitFailed
		}
		fmt.Fprintf(stdout, "# %s: %d of %d checks passed\n", name, passed, checks)
	}
	return status
}

// compileClient returns the client as JavaScript.
func compileClient(ctx context.Context, log io.Writer) ([]byte, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return nil, errors.New("there is no npm: install Node.js 20 or later (Debian: apt-get install nodejs npm)")
	}
	cache := install.Cache{Dir: install.DefaultDir("topics"), Log: log}
	dir, err := cache.Get(strings.ReplaceAll(typescript, "@", "-"), func(dir string) error {
		_, err := install.Run(ctx, process.Command{Args: []string{npm, "install", "--prefix", dir, "--no-audit", "--no-fund", "--loglevel=error", typescript}, Dir: dir})
		return err
	})
	if err != nil {
		return nil, err
	}
	out, err := os.MkdirTemp("", "wss-topics-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(out)
	source := filepath.Join(clientDir(), "pubsub.ts")
	_, err = install.Run(ctx, process.Command{Args: []string{
		"node", filepath.Join(dir, "node_modules", "typescript", "bin", "tsc"), "--strict", "--noUnusedLocals", "--noImplicitReturns", "--target", "es2022",
		"--module", "es2022", "--lib", "es2022,dom", "--typeRoots", out, "--outDir", out, source,
	}})
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(out, "pubsub.js"))
}

// clientDir is where the client is.
func clientDir() string { return filepath.Join(here(), "..", "..", "pubsub", "client") }

// here is the directory of this file.
func here() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}

// try runs the checks in one environment.
func try(ctx context.Context, name string, client []byte, log io.Writer) ([]result, error) {
	dir, err := os.MkdirTemp("", "wss-topics-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	ca, err := tlsconf.Development(tlsconf.DevOptions{Dir: filepath.Join(dir, "ca")})
	if err != nil {
		return nil, err
	}
	s, err := serve(ca, client)
	if err != nil {
		return nil, err
	}
	defer s.close()
	caFile := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(caFile, ca.CAPEM(), 0o644); err != nil {
		return nil, err
	}
	var cmd process.Command
	if name == "node" {
		cmd, err = s.node(dir, caFile)
	} else {
		cmd, err = s.browser(ctx, name, dir, caFile, log)
	}
	if err != nil {
		return nil, err
	}
	out := process.NewJournal()
	p, err := process.Start(ctx, cmd, out, out)
	if err != nil {
		return nil, err
	}
	defer p.Stop()
	select {
	case <-s.done:
		return s.all(), nil
	case <-p.Done():
		select {
		case <-s.done:
			return s.all(), nil
		case <-time.After(time.Second): // its last words may be on their way
		}
		return s.all(), fmt.Errorf("%s has ended:\n%s", name, out.Tail())
	case <-ctx.Done():
		return s.all(), fmt.Errorf("%w\n%s", context.Cause(ctx), out.Tail())
	}
}

// node runs the checks in Node.js.
func (s *server) node(dir, caFile string) (process.Command, error) {
	for name, content := range map[string][]byte{
		"pubsub.mjs": s.client, "checks.mjs": s.checks,
		"main.mjs": []byte("import { PubSub } from './pubsub.mjs';\nimport { run } from './checks.mjs';\nawait run(process.argv[2], PubSub);\nprocess.exit(0);\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return process.Command{}, err
		}
	}
	args := []string{"node"}
	if exec.Command("node", "-e", "WebSocket").Run() != nil {
		args = append(args, "--experimental-websocket") // before Node 22
	}
	return process.Command{
		Args: append(args, filepath.Join(dir, "main.mjs"), s.url),
		Env:  append(os.Environ(), "NODE_EXTRA_CA_CERTS="+caFile),
	}, nil
}

// browser runs them in a page.
func (s *server) browser(ctx context.Context, name, dir, caFile string, log io.Writer) (process.Command, error) {
	b, err := browsers.Find(name)
	if err != nil {
		return process.Command{}, err
	}
	if err := browsers.Install(ctx, log); err != nil {
		return process.Command{}, err
	}
	profile := filepath.Join(dir, "browser")
	if err := os.Mkdir(profile, 0o755); err != nil {
		return process.Command{}, err
	}
	return b.Command(ctx, profile, s.url+"/", caFile, strings.TrimPrefix(s.url, "https://"))
}
