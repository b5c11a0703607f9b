package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/native"
	"github.com/seed-c4549abd/wss/bench/report"
	"github.com/seed-c4549abd/wss/bench/rows"
	"github.com/seed-c4549abd/wss/conn"
)

// size is that of messages, in bytes.
const size = 128

// echo is a table of echoes.
type echo struct {
	key, title string
	conns      int
	rate       int // messages a second, of all; 0: as fast as they come back
	deaf       int // further WebSockets that are flooded and read nothing
	time       time.Duration
	rounds     int
}

var echoMetrics = []report.Metric{
	{Key: "cpu", Name: "server's CPU per message", Unit: "µs"},
	{Key: "p50", Name: "latency, median", Unit: "µs"},
	{Key: "p99", Name: "latency, 99 %", Unit: "µs"},
	{Key: "rate", Name: "messages", Unit: "1/s", More: true},
}

var setups = map[string]string{
	overHTTP1: "net/http over NewListener, ServeInBackground; a TLS connection for each WebSocket",
	overHTTP2: "the same server, set up by http2.Configure; http2.Pool",
	overHTTP3: "quic-go's server, set up by http3.Configure; http3.Pool",
}

// lines returns a line for each version of HTTP. HTTP/2 and HTTP/3 are compared with HTTP/1.1.
func lines(open func(ctx context.Context, version string) (rows.Session, error)) (all []rows.Line) {
	for _, version := range []string{overHTTP1, overHTTP2, overHTTP3} {
		kind := libs.Ours
		if version == overHTTP1 {
			kind = libs.Peer
		}
		all = append(all, rows.Line{
			Name: version, Kind: kind, Setup: setups[version],
			Open: func(ctx context.Context) (rows.Session, error) { return open(ctx, version) },
		})
	}
	return all
}

func (e echo) table(keys *native.Keys) rows.Table {
	return rows.Table{
		Table: report.Table{Key: e.key, Title: e.title, Metrics: echoMetrics}, Rounds: e.rounds,
		Do: lines(func(ctx context.Context, version string) (rows.Session, error) {
			c, err := start(ctx, version, keys, e.conns)
			if err != nil {
				return nil, err
			}
			echoing := len(c.conns)
			if err := c.open(ctx, version, keys, e.deaf, "/flood"); err != nil {
				c.Close()
				return nil, err
			}
			return &echoes{e, ctx, c, c.conns[:echoing]}, nil
		}),
	}
}

// echoes are the rounds of one line.
type echoes struct {
	echo
	ctx context.Context
	*clients
	active []*conn.Conn
}

// Round sends messages on all WebSockets for a while.
func (e *echoes) Round() (rows.Sample, error) {
	before, err := native.CPUTime(e.process.PID)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	all := hdrhistogram.New(1, int64(10*time.Second), 3)
	var mu sync.Mutex
	var errs []error
	var tasks sync.WaitGroup
	for i, ws := range e.active {
		tasks.Go(func() {
			h, err := e.talk(ws, i, began)
			mu.Lock()
			defer mu.Unlock()
			all.Merge(h)
			errs = append(errs, err)
		})
	}
	tasks.Wait()
	took := time.Since(began)
	after, err := native.CPUTime(e.process.PID)
	n := float64(all.TotalCount())
	return rows.Sample{
		"cpu": float64(after-before) / float64(time.Microsecond) / n, "rate": n / took.Seconds(),
		"p50": float64(all.ValueAtQuantile(50)) / 1000, "p99": float64(all.ValueAtQuantile(99)) / 1000,
	}, errors.Join(append(errs, err)...)
}

// talk sends messages on one WebSocket and waits for each answer.
func (e *echoes) talk(ws *conn.Conn, i int, began time.Time) (*hdrhistogram.Histogram, error) {
	h := hdrhistogram.New(1, int64(10*time.Second), 3)
	data := make([]byte, size)
	var each, due time.Duration
	if e.rate > 0 {
		each = time.Second * time.Duration(len(e.active)) / time.Duration(e.rate)
		due = each * time.Duration(i) / time.Duration(len(e.active))
	}
	for time.Since(began) < e.time {
		if e.rate > 0 {
			time.Sleep(time.Until(began.Add(due)))
			due += each
		}
		sent := time.Now()
		if err := ws.Write(e.ctx, conn.Binary, data); err != nil {
			return h, err
		}
		if _, _, err := ws.Read(e.ctx); err != nil {
			return h, err
		}
		_ = h.RecordValue(int64(time.Since(sent)))
	}
	return h, nil
}
