package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// soak is one run.
type soak struct {
	options
	out    io.Writer
	corpus *corpus
	server *server
	lives  lives
	tally  *tally

	ctx     context.Context // ends everything
	closing atomic.Bool     // the group shuts down

	each  time.Duration // what a connection takes
	pulse pulse

	before, peak, after usage
	group               conn.GroupStats
}

// How long the end may take, once the time is over: the group's shutdown, the last
// connections, all calls, and with the collections everything.
const (
	shutdownTime = 30 * time.Second
	leaveTime    = 10 * time.Second
	callTime     = 45 * time.Second
	afterwards   = 58 * time.Second
)

// warmTime is the same for the warming up.
const warmTime = 60 * time.Second

// errLate is the cause of the end of a run that does not end by itself.
var errLate = errors.New("the run is late")

func newSoak(o options, out io.Writer) (*soak, error) {
	s := &soak{options: o, out: out, corpus: newCorpus(o.seed), tally: newTally()}
	var err error
	s.server, err = startServer(s)
	return s, err
}

// run does everything, and reports whether all is accounted for.
func (s *soak) run(ctx context.Context) bool {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.ctx = ctx
	guard := time.AfterFunc(warmTime, s.giveUp)
	defer guard.Stop()
	grow(s.conns*goroutinesEach + 100)
	s.warmUp()
	s.calibrate()
	s.before = settle(func(usage) bool { return true })
	s.peak = s.before
	fmt.Fprintf(s.out, "begin: %v\n", s.before)
	guard.Reset(s.time + afterwards)
	late := time.AfterFunc(s.time+callTime, func() { cancel(errLate) })
	defer late.Stop()
	s.live()
	s.after = settle(func(u usage) bool { return returned(s.before, u) })
	s.group = s.server.group.Stats()
	s.tally.judgeGroup(s.group)
	s.judgeUsage()
	s.server.close()
	if cause := context.Cause(ctx); cause != nil {
		s.tally.find("the run was ended: %v", cause)
	}
	s.report()
	return s.tally.found == 0
}

// goroutinesEach is the most of them that a connection has, both sides together, with those
// of its handshake.
const goroutinesEach = 8

// giveUp ends the process: something that has to end in time does not, whatever it is told.
func (s *soak) giveUp() {
	fmt.Fprintf(s.out, "goroutines:\n%s\n", stacks())
	s.tally.find("the run does not end")
	s.tally.mu.Lock() // for good
	s.verdict()
	os.Exit(exitFailed)
}

// warmUp has each behaviour happen twice, so that what is made once and kept is there:
// pools, tables, the runtime's own.
func (s *soak) warmUp() {
	pace := s.pace
	s.pace = 0.05
	var wg sync.WaitGroup
	for i, b := range append(behaviours, behaviours...) {
		wg.Go(func() { s.one(b, s.seed+uint64(i)) })
	}
	wg.Wait()
	s.pace = pace
}

// live lets connections come and go until the time is over, and ends them all.
func (s *soak) live() {
	alive, stop := context.WithTimeout(s.ctx, s.time)
	defer stop()
	var walkers, others sync.WaitGroup
	others.Go(func() { s.watch(alive) })
	others.Go(func() { s.pulse.beat(alive) })
	others.Go(func() {
		if err := s.server.broadcast(alive, s.seed, 100*time.Millisecond); err != nil {
			s.tally.find("%v", err)
		}
	})
	for i := range s.conns {
		walkers.Go(func() { s.walk(alive, i) })
	}
	<-alive.Done()
	s.shutDown()
	s.leave(&walkers)
	others.Wait()
}

// walk is one client, with one connection after the other.
func (s *soak) walk(alive context.Context, n int) {
	r := rand.New(rand.NewPCG(s.seed, uint64(n)+1))
	// They do not all come at the same moment.
	wait(alive, time.Duration(r.Float64()*float64(spread(s.conns, s.each, s.time))))
	for alive.Err() == nil {
		s.one(pick(r), r.Uint64())
		wait(alive, time.Duration(r.Float64()*s.pace*float64(200*time.Millisecond)))
	}
}

// one is the life of one connection, to its judgement.
func (s *soak) one(b *behaviour, seed uint64) {
	l := s.lives.add(s.corpus, b, seed)
	defer s.lives.remove(l)
	k := &client{s: s, l: l, own: l.client, r: rand.New(rand.NewPCG(seed, 2)), ctx: s.ctx}
	path, query := b.path(k)
	if err := k.dial(path, query); err != nil {
		s.refused(l, err)
		return
	}
	if b.policy == "" {
		k.listen()
	}
	b.run(k)
	s.over(k)
	s.tally.add(l, l.judge(s.closing.Load()))
}

// refused accounts for a connection that did not come about.
func (s *soak) refused(l *life, err error) {
	e, _ := errors.AsType[*conn.HandshakeError](err)
	if e != nil && e.Status == http.StatusServiceUnavailable && s.closing.Load() {
		s.tally.refuse()
		return
	}
	s.tally.add(l, []string{fmt.Sprintf("dialing: %v", err)})
}

// over waits until both sides are through with the connection.
func (s *soak) over(k *client) {
	within, cancel := context.WithTimeout(k.ctx, patience)
	defer cancel()
	for _, end := range []struct {
		what string
		side *side
		done chan struct{}
	}{
		{"the client's connection does not end", k.own, k.own.over},
		{"the client's reader does not end", k.own, k.read},
		{"the server's connection does not end", k.l.server, k.l.server.done},
	} {
		select {
		case <-end.done:
		case <-within.Done():
			end.side.fault("%s within %v", end.what, patience)
			_ = k.c.CloseNow()
		}
	}
	k.own.finish(k.c)
}

// shutDown ends all connections that there are.
func (s *soak) shutDown() {
	s.closing.Store(true)
	ctx, cancel := context.WithTimeout(s.ctx, shutdownTime)
	defer cancel()
	began := time.Now()
	n := s.server.group.Len()
	if err := s.server.group.Shutdown(ctx, conn.ShutdownOptions{Spread: min(s.time/10, 5*time.Second)}); err != nil {
		s.tally.find("shutting the group down: %v; %d connections were left", err, s.server.group.Len())
	}
	fmt.Fprintf(s.out, "shut down %d connections in %v\n", n, time.Since(began).Round(10*time.Millisecond))
}

// leave waits for the clients.
func (s *soak) leave(walkers *sync.WaitGroup) {
	gone := make(chan struct{})
	go func() {
		walkers.Wait()
		close(gone)
	}()
	select {
	case <-gone:
	case <-time.After(leaveTime):
		s.tally.find("clients are still busy %v after the shutdown", leaveTime)
		fmt.Fprintf(s.out, "goroutines:\n%s\n", stacks())
		select {
		case <-gone:
		case <-s.ctx.Done():
		}
	}
}

// judgeUsage compares what the process holds with what it held at the beginning.
func (s *soak) judgeUsage() {
	if returned(s.before, s.after) {
		return
	}
	s.tally.find("at the beginning: %v; at the end: %v (the heap may have grown by %d MiB, the rest not at all)",
		s.before, s.after, heapTolerance>>20)
	if s.after.goroutines != s.before.goroutines {
		fmt.Fprintf(s.out, "goroutines:\n%s\n", stacks())
	}
}

// watch notes the peak each second, and prints a line now and then.
func (s *soak) watch(alive context.Context) {
	began := time.Now()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	printed := began
	for {
		select {
		case <-alive.Done():
			return
		case <-tick.C:
		}
		u := use()
		s.peak = usage{max(s.peak.heap, u.heap), max(s.peak.goroutines, u.goroutines), max(s.peak.descriptors, u.descriptors)}
		if now := time.Now(); now.Sub(printed) >= s.every {
			printed = now
			s.progress(now.Sub(began), u)
		}
	}
}
