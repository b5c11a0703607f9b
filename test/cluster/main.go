// Command cluster tests topics that several nodes share. It starts nodes as processes, each with its NATS server. Clients publish and
// subscribe at them over wss, while it kills, pauses, cuts off and restarts nodes. Then it checks what every client has received.
//
//	go run . [-nodes 3] [-clients 24] [-topics 4] [-rounds 1] [-faults kill,pause,cut,silence,restart] [-v]
//
// No acknowledged message may be lost, none may come twice or out of order, and every client has to reconnect by itself. The exit status
// is 0 if so, 1 if not, and 2 if the flags are wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	exitFailed = 1
	exitUsage  = 2
)

// options are the flags, checked.
type options struct {
	nodes, clients, topics, rounds int
	faults                         []string
	pause                          time.Duration // between a client's messages, on average
	verbose                        bool
}

func main() {
	if isNode() {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run is main with its arguments and outputs as parameters.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "cluster:", err)
		return exitUsage
	}
	v, err := talk(ctx, o, stdout)
	if err != nil {
		fmt.Fprintln(stderr, "cluster:", err)
		return exitFailed
	}
	fmt.Fprintf(stdout, "%d acknowledged, %d refused, %d without an answer, %d messages delivered; %d subscriptions resumed, %d were told that messages are gone\n",
		v.Acknowledged, v.Refused, v.Unknown, v.Messages, v.Resumed, v.NotRecovered)
	if v.NotRecovered > 0 {
		v.Faults = append(v.Faults, "history holds all messages, so each client has to get what it has missed")
	}
	for _, f := range v.Faults {
		fmt.Fprintln(stdout, "FAULT", f)
	}
	if len(v.Faults) > 0 {
		return exitFailed
	}
	fmt.Fprintln(stdout, "ok: nothing acknowledged was lost, nothing came twice or out of order")
	return 0
}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("cluster", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.nodes, "nodes", 3, "how many nodes: 3 or more")
	flags.IntVar(&o.clients, "clients", 24, "how many clients")
	flags.IntVar(&o.topics, "topics", 4, "how many topics")
	flags.IntVar(&o.rounds, "rounds", 1, "how many times all faults happen")
	faults := flags.String("faults", strings.Join(faultNames, ","), "what happens to nodes")
	flags.DurationVar(&o.pause, "pause", 100*time.Millisecond, "between the messages of a client, on average")
	flags.BoolVar(&o.verbose, "v", false, "print what nodes say")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("there is an argument too many: %s", flags.Arg(0))
	}
	if *faults != "" {
		o.faults = strings.Split(*faults, ",")
	}
	for _, f := range o.faults {
		if !slices.Contains(faultNames, f) {
			return o, fmt.Errorf("-faults has %q; there are %s", f, strings.Join(faultNames, ", "))
		}
	}
	if o.nodes < 3 || o.clients < 1 || o.topics < 1 || o.rounds < 1 || o.pause <= 0 {
		return o, errors.New("-nodes is 3 or more, -clients, -topics, -rounds and -pause are above 0")
	}
	return o, nil
}
