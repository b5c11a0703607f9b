package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/load"
	"github.com/seed-c4549abd/wss/bench/native"
	"github.com/seed-c4549abd/wss/bench/report"
	"github.com/seed-c4549abd/wss/bench/rows"
)

// shape is a table of publications: connections, each of which follows one of the topics, and what a round publishes.
type shape struct {
	key, title     string
	conns, topics  int
	messages, rate int // of all topics; the rate is a second's
	rounds         int // measured ones
	patience       time.Duration
}

// publishMetrics are the figures of these tables.
var publishMetrics = []report.Metric{
	{Key: "cpu", Name: "CPU per delivered message", Unit: "µs"},
	{Key: "rate", Name: "delivered", Unit: "1/s", More: true},
	{Key: "bytes", Name: "frame", Unit: "B"},
	{Key: "late", Name: "last delivery after it was due", Unit: "ms"},
}

// table has a line for every server.
func (s shape) table(servers []server, keys *native.Keys) rows.Table {
	t := rows.Table{Table: report.Table{Key: s.key, Title: s.title, Metrics: publishMetrics}, Rounds: s.rounds}
	for _, srv := range servers {
		t.Do = append(t.Do, rows.Line{
			Name: srv.name, Kind: srv.kind, Setup: srv.setup,
			Open: func(ctx context.Context) (rows.Session, error) { return s.open(ctx, srv, keys) },
		})
	}
	return t
}

// session is a server with its subscribers, which stay for all rounds.
type session struct {
	shape   shape
	ctx     context.Context
	process *native.Process
	clients *clients
	total   int64 // messages that have been delivered
}

// open starts a server, and has the clients subscribe.
func (s shape) open(ctx context.Context, srv server, keys *native.Keys) (rows.Session, error) {
	process, g, err := start(ctx, srv, keys, s.conns, s.patience)
	if err != nil {
		return nil, err
	}
	out := &session{s, ctx, process, g, 0}
	if _, err := g.subscribe(ctx, func(conn int) []int { return []int{conn % s.topics} }); err != nil {
		out.Close()
		return nil, err
	}
	return out, nil
}

// start starts a server, and makes connections to it.
func start(ctx context.Context, srv server, keys *native.Keys, conns int, patience time.Duration) (*native.Process, *clients, error) {
	config, err := child.ClientTLS(keys.Cert)
	if err != nil {
		return nil, nil, err
	}
	process, err := srv.start(keys)
	if err != nil {
		return nil, nil, err
	}
	g, err := connect(ctx, load.Target{Addr: process.Addr, TLS: config}, srv.protocol, conns, patience)
	if err != nil {
		process.Close()
		return nil, nil, err
	}
	return process, g, nil
}

// Round has the server publish, and waits until every subscriber has every message.
func (s *session) Round() (rows.Sample, error) {
	bytes, began := s.clients.bytes.Load(), time.Now()
	before, err := native.CPUTime(s.process.PID)
	if err != nil {
		return nil, err
	}
	delivered := int64(s.shape.messages / s.shape.topics * s.shape.conns)
	s.total += delivered
	if err := publish(s.process, s.shape.messages, s.shape.rate, s.shape.topics, s.shape.patience); err != nil {
		return nil, err
	}
	if err := s.clients.awaitMessages(s.ctx, s.total); err != nil {
		return nil, err
	}
	ended := time.Now()
	after, err := native.CPUTime(s.process.PID)
	due := began.Add(time.Second * time.Duration(s.shape.messages-1) / time.Duration(s.shape.rate)) // the last message
	n := float64(delivered)
	return rows.Sample{
		"cpu":   float64(after-before) / float64(time.Microsecond) / n,
		"rate":  n / ended.Sub(began).Seconds(),
		"bytes": float64(s.clients.bytes.Load()-bytes) / n,
		"late":  float64(ended.Sub(due)) / float64(time.Millisecond),
	}, err
}

// Close ends the connections, and then the server.
func (s *session) Close() {
	s.clients.close()
	s.process.Close()
}

// publish has a server publish, and returns when it has.
func publish(p *native.Process, messages, rate, topics int, patience time.Duration) error {
	takes := time.Second * time.Duration(messages) / time.Duration(rate)
	answer, err := p.Ask(fmt.Sprintf("publish %d %d %d", messages, rate, topics), takes+patience)
	if err == nil && answer != "published" {
		err = fmt.Errorf("publishing: %s", strings.TrimPrefix(answer, "error: "))
	}
	return err
}
