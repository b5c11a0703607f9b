package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/seed-c4549abd/wss/bench/native"
	"github.com/seed-c4549abd/wss/bench/report"
	"github.com/seed-c4549abd/wss/bench/rows"
)

// subscriptions is the table of what a subscription costs in memory.
type subscriptions struct {
	key, title          string
	conns, each, topics int // connections, subscriptions of each, topics in all
	rounds              int
	settle, patience    time.Duration
	rate                int // of publications a second, when it is checked that all have subscribed
}

var memoryMetrics = []report.Metric{
	{Key: "resident", Name: "resident memory per subscription", Unit: "B"},
	{Key: "heap", Name: "heap and stacks in use per subscription", Unit: "B"},
}

// table has a line for every server. Each round has a process of its own.
func (m subscriptions) table(servers []server, keys *native.Keys) rows.Table {
	t := rows.Table{
		Table: report.Table{Key: m.key, Title: m.title, Metrics: memoryMetrics}, Rounds: m.rounds, Apart: true, NoWarmup: true,
	}
	for _, srv := range servers {
		t.Do = append(t.Do, rows.Line{
			Name: srv.name, Kind: srv.kind, Setup: srv.setup,
			Open: func(ctx context.Context) (rows.Session, error) { return &memoryRounds{m, ctx, srv, keys}, nil },
		})
	}
	return t
}

// memoryRounds measure one server.
type memoryRounds struct {
	subscriptions
	ctx    context.Context
	server server
	keys   *native.Keys
}

// Round measures a server with connections, and again when they have subscribed.
func (m *memoryRounds) Round() (rows.Sample, error) {
	process, g, err := start(m.ctx, m.server, m.keys, m.conns, m.patience)
	if err != nil {
		return nil, err
	}
	defer process.Close()
	defer g.close()
	before, err := m.used(process)
	if err != nil {
		return nil, err
	}
	sum, err := g.subscribe(m.ctx, m.topicsOf)
	if err != nil {
		return nil, err
	}
	after, err := m.used(process)
	if err != nil {
		return nil, err
	}
	if err := m.check(process, g, sum); err != nil {
		return nil, err
	}
	sample := rows.Sample{}
	for key := range after {
		sample[key] = (after[key] - before[key]) / float64(sum)
	}
	return sample, nil
}

// Close does nothing: a round leaves nothing behind.
func (m *memoryRounds) Close() {}

// topicsOf gives each connection the topics that follow those of the connection before.
func (m *memoryRounds) topicsOf(conn int) []int {
	topics := make([]int, m.each)
	for i := range topics {
		topics[i] = (conn*m.each + i) % m.topics
	}
	return topics
}

// used returns what a server uses when it has been left alone for a moment, in bytes. Servers in Go collect garbage before.
func (m *memoryRounds) used(p *native.Process) (rows.Sample, error) {
	select {
	case <-time.After(m.settle):
	case <-m.ctx.Done():
		return nil, m.ctx.Err()
	}
	used := rows.Sample{}
	if m.server.isGo {
		answer, err := p.Ask("memory", m.patience)
		if err != nil {
			return nil, err
		}
		if used["heap"], err = strconv.ParseFloat(answer, 64); err != nil {
			return nil, fmt.Errorf("memory: %w", err)
		}
	}
	resident, err := native.ResidentBytes(p.PID)
	used["resident"] = float64(resident)
	return used, err
}

// check publishes a message to every topic: all subscriptions have to get theirs.
func (m *memoryRounds) check(p *native.Process, g *clients, sum int) error {
	if err := publish(p, m.topics, m.rate, m.topics, m.patience); err != nil {
		return err
	}
	return g.awaitMessages(m.ctx, int64(sum))
}
