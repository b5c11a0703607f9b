package main

import (
	"context"
	"flag"
	"fmt"
	"time"
)

// The most that bench does. It is for a look at one's own server; a load test proper needs several machines.
const (
	maxBenchConns = 10_000
	maxBenchRate  = 1_000_000 // messages a second of all connections together
	maxBenchSize  = 1 << 20   // bytes of a message
	maxBenchTime  = 10 * time.Minute
)

// minBenchSize is the length of a message's number.
const minBenchSize = 8

// benchOptions are the flags of bench.
type benchOptions struct {
	dial        *dialFlags
	conns, size int
	rate        float64 // messages a second of each connection; 0: the next when the last one is answered
	time        time.Duration
	own         bool
}

func benchCommand() *command {
	return &command{
		name: "bench", arguments: "URL [FLAGS]", summary: "measure the round trips of an echo server of your own",
		examples: `wss bench wss://localhost:8443/
wss bench -conns 1000 -rate 2 -size 256 -time 30s wss://localhost:8443/
wss bench -own -conns 200 wss://staging.example.com/echo`,
		details: `For your own servers only: to put load on those of others without their consent is an attack. A server on another machine needs
-own, which says that it is yours.

Each connection sends messages of -size random bytes, and compares what comes back. With -rate, latencies count from the time at
which a message was due, so that a server that stalls does not hide it. Without, a message is sent when the one before is answered.`,
		declare: declareBench,
	}
}

func declareBench(flags *flag.FlagSet) action {
	o := &benchOptions{dial: declareDialFlags(flags)}
	flags.IntVar(&o.conns, "conns", 10, fmt.Sprintf("`connections`, at most %d", maxBenchConns))
	flags.Float64Var(&o.rate, "rate", 0, fmt.Sprintf("`messages` a second on each connection, at most %d on all; 0: the next one when the last one is answered", maxBenchRate))
	flags.IntVar(&o.size, "size", 128, fmt.Sprintf("`bytes` of a message, %d to %d", minBenchSize, maxBenchSize))
	flags.DurationVar(&o.time, "time", 10*time.Second, fmt.Sprintf("how long messages are sent, at most %v", maxBenchTime))
	flags.BoolVar(&o.own, "own", false, "the server is on another machine, and mine")
	return o.run
}

func (o *benchOptions) check(rawURL string) error {
	u, err := parseURL(rawURL)
	switch {
	case err != nil:
		return err
	case o.conns < 1 || o.conns > maxBenchConns:
		return usagef("-conns is 1 to %d", maxBenchConns)
	case o.size < minBenchSize || o.size > maxBenchSize:
		return usagef("-size is %d to %d", minBenchSize, maxBenchSize)
	case !(o.rate >= 0 && o.rate*float64(o.conns) <= maxBenchRate):
		return usagef("-rate times -conns is at most %d messages a second", maxBenchRate)
	case o.time <= 0 || o.time > maxBenchTime:
		return usagef("-time is at most %v", maxBenchTime)
	case !o.own && !onThisMachine(u.Hostname()):
		return usagef("%s is another machine: load on the servers of others is an attack; -own says that it is yours", u.Hostname())
	}
	return nil
}

func (o *benchOptions) run(ctx context.Context, c *console, args []string) error {
	url, err := oneURL(args)
	if err != nil {
		return err
	}
	if err := o.check(url); err != nil {
		return err
	}
	dial, err := o.dial.options(c, url)
	if err != nil {
		return err
	}
	c.note("bench: FOR YOUR OWN SERVERS ONLY. %d connections to %s for %v; ctrl-C ends", o.conns, redact(url), o.time)
	b := &bench{options: o, console: c, url: url, dial: dial, errors: map[string]int{}}
	elapsed := b.run(ctx)
	b.write(c.out, elapsed)
	if len(b.errors) > 0 || b.latencies.count() == 0 {
		return errReported
	}
	return nil
}

// redact returns a URL without its password.
func redact(rawURL string) string {
	u, err := parseURL(rawURL)
	if err != nil {
		return ""
	}
	return u.Redacted()
}
