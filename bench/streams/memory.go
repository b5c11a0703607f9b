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

// memory is the table of what idle WebSockets cost.
type memory struct {
	key, title    string
	conns, rounds int
	settle        time.Duration
}

var memoryMetrics = []report.Metric{
	{Key: "resident", Name: "resident memory per WebSocket", Unit: "B"},
	{Key: "heap", Name: "heap and stacks in use per WebSocket", Unit: "B"},
}

// table has a process for each round.
func (m memory) table(keys *native.Keys) rows.Table {
	return rows.Table{
		Table: report.Table{Key: m.key, Title: m.title, Metrics: memoryMetrics}, Rounds: m.rounds, Apart: true, NoWarmup: true,
		Do: lines(func(ctx context.Context, version string) (rows.Session, error) {
			return &memoryRounds{m, ctx, version, keys}, nil
		}),
	}
}

// memoryRounds measure one line.
type memoryRounds struct {
	memory
	ctx     context.Context
	version string
	keys    *native.Keys
}

// Round measures a server with one WebSocket, and again with all of them.
func (m *memoryRounds) Round() (rows.Sample, error) {
	c, err := start(m.ctx, m.version, m.keys, 1)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	before, err := m.used(c)
	if err != nil {
		return nil, err
	}
	if err := c.open(m.ctx, m.version, m.keys, m.conns, "/"); err != nil {
		return nil, err
	}
	after, err := m.used(c)
	if err != nil {
		return nil, err
	}
	sample := rows.Sample{}
	for key := range after {
		sample[key] = (after[key] - before[key]) / float64(m.conns)
	}
	return sample, nil
}

// Close does nothing: a round leaves nothing behind.
func (m *memoryRounds) Close() {}

// patience is how long an answer of the server may take.
const patience = 10 * time.Second

// used returns what the server uses when it has been left alone for a moment, in bytes.
func (m *memoryRounds) used(c *clients) (rows.Sample, error) {
	select {
	case <-time.After(m.settle):
	case <-m.ctx.Done():
		return nil, m.ctx.Err()
	}
	answer, err := c.process.Ask("memory", patience)
	if err != nil {
		return nil, err
	}
	heap, err := strconv.ParseFloat(answer, 64)
	if err != nil {
		return nil, fmt.Errorf("memory: %w", err)
	}
	resident, err := native.ResidentBytes(c.process.PID)
	return rows.Sample{"heap": heap, "resident": float64(resident)}, err
}
