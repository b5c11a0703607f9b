package main

import (
	"context"
	"crypto/rand"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// maxDials is how many connections are opened at once.
const maxDials = 50

// answerTime is how long answers are waited for when the time is over.
const answerTime = 5 * time.Second

// bench is one run.
type bench struct {
	options *benchOptions
	console *console
	url     string
	dial    *conn.DialOptions

	latencies histogram
	open      atomic.Int64 // connections

	mu     sync.Mutex
	errors map[string]int // by code
}

// run opens the connections, sends until the time is over, and returns for how long messages were sent.
func (b *bench) run(ctx context.Context) time.Duration {
	conns := b.connect(ctx)
	if len(conns) == 0 {
		return 0
	}
	began := time.Now()
	timed, cancel := context.WithTimeout(ctx, b.options.time)
	defer cancel()
	answered, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	context.AfterFunc(timed, func() { time.AfterFunc(answerTime, giveUp) })
	stopProgress := b.showProgress(began)
	var all sync.WaitGroup
	for i, c := range conns {
		all.Go(func() { b.load(timed, answered, c, i) })
	}
	all.Wait()
	elapsed := min(time.Since(began), b.options.time)
	stopProgress()
	return elapsed
}

// connect opens all connections before any message is sent.
func (b *bench) connect(ctx context.Context) []*conn.Conn {
	var mu sync.Mutex
	var conns []*conn.Conn
	var all sync.WaitGroup
	slots := make(chan struct{}, maxDials)
	for range b.options.conns {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			c, _, err := conn.Dial(ctx, b.url, b.dial)
			if err != nil {
				b.fail(err)
				return
			}
			b.open.Add(1)
			mu.Lock()
			defer mu.Unlock()
			conns = append(conns, c)
		})
	}
	all.Wait()
	return conns
}

// load uses a connection until timed ends, waits for answers until answered does, and closes it.
func (b *bench) load(timed, answered context.Context, c *conn.Conn, index int) {
	defer b.open.Add(-1)
	l := &lane{conn: c, latencies: &b.latencies, message: make([]byte, b.options.size)}
	_, _ = rand.Read(l.message)
	var err error
	if b.options.rate > 0 {
		interval := time.Duration(float64(time.Second) / b.options.rate)
		// The first messages are spread over the interval.
		err = l.runAtRate(timed, answered, interval, interval*time.Duration(index)/time.Duration(b.options.conns))
	} else {
		err = l.runInTurn(timed, answered)
	}
	if err == nil {
		err = c.Close(conn.StatusNormalClosure, "")
	}
	if err != nil {
		_ = c.CloseNow()
		b.fail(err)
	}
}

// fail counts an error.
func (b *bench) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.errors[errorCode(err)]++
}
