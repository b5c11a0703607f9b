package fuzz

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// FuzzConversation has a client and a server talk to each other as the input
// describes, over connections that do what connections may do: several writers with all
// ways of sending, contexts that end, a reader of any kind, and an end from either side, from
// both, or from the network. Then it compares what was sent with what arrived, and what
// both sides were told of the end.
func FuzzConversation(f *testing.F) {
	for _, in := range conversations() {
		f.Add(in)
	}
	f.Fuzz(talk)
}

// talk has the conversation that the input describes. Over a pipe time is virtual, and a
// goroutine that is left behind ends the test.
func talk(t *testing.T, in []byte) {
	s := plot(in)
	if s.network.socket() {
		haveOut(t, s)
		return
	}
	synctest.Test(t, func(t *testing.T) { haveOut(t, s) })
}

// conversations are the seeds: each network with each way to receive, and random ones.
func conversations() (all [][]byte) {
	for n := range networks {
		for r := range receivings {
			in := randomConversation(uint64(len(all)))
			in[0], in[12] = byte(n), byte(r) // as plot reads them
			all = append(all, in)
		}
	}
	return append(all, nil)
}

const bounded = 10 * time.Minute // of virtual time; nothing in a conversation takes longer

// conversation is a schedule under way.
type conversation struct {
	*testing.T
	schedule
	sides  [2]*party
	ends   [2]*faulty // nil over sockets
	pauses *budget
}

func haveOut(t *testing.T, s schedule) {
	bufpool.Track(true)
	defer bufpool.Track(false)
	v := &conversation{T: t, schedule: s, pauses: &budget{real: s.network.socket()}}
	if v.pauses.left.Store(int64(400 * time.Millisecond)); s.slow {
		v.pauses.left.Store(int64(30 * time.Second))
	}
	v.open()
	if t.Failed() {
		return
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		v.talk()
	}()
	limit := bounded
	if v.pauses.real {
		limit = time.Minute
	}
	select {
	case <-over:
		v.judge()
	case <-time.After(limit):
		buf := make([]byte, 1<<20)
		t.Errorf("it does not end; goroutines:\n%s", buf[:runtime.Stack(buf, true)])
		_ = v.sides[0].c.CloseNow()
		_ = v.sides[1].c.CloseNow()
		<-over
	}
}

// open makes the connection, and arms the faults.
func (v *conversation) open() {
	client, server := v.connect()
	if v.Failed() {
		return
	}
	version := uint16(tls.VersionTLS13)
	if v.tls12 {
		version = tls.VersionTLS12
	}
	sc, cc := testtls.Configs(version)
	url := "ws://localhost/"
	if v.network.secure() {
		url = "wss://localhost/"
		server = tls.Server(server, sc)
		if v.network == bothStreams {
			client = tls.Client(client, cc)
		}
	}
	ctx := context.Background()
	var cs [2]*conn.Conn
	var errs [2]error
	var both sync.WaitGroup
	both.Go(func() { cs[1], errs[1] = conn.Upgrade(ctx, server, v.schedule.sides[1].accept()) })
	both.Go(func() {
		o := v.schedule.sides[0].dial()
		o.TLS = cc
		cs[0], _, errs[0] = conn.Client(ctx, client, url, o)
	})
	both.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		v.Fatal(err)
	}
	out, in := new(ledger), new(ledger)
	for i, c := range cs {
		v.sides[i] = &party{t: v.T, side: i, c: c, plan: v.schedule.sides[i], out: out, in: in, pauses: v.pauses}
		out, in = in, out
		if e := v.ends[i]; e != nil {
			e.armed.Store(true)
		}
	}
}

// connect returns the two ends below TLS.
func (v *conversation) connect() (client, server net.Conn) {
	if !v.network.socket() {
		a, b := pipe.New(v.buffer)
		v.ends[0] = newFaulty(a, v.schedule.sides[0].faults, 1, v.pauses)
		v.ends[1] = newFaulty(b, v.schedule.sides[1].faults, 2, v.pauses)
		if v.network != tlsPipe {
			return v.ends[0], v.ends[1]
		}
		ln := conn.NewListener(&single{nc: v.ends[1]})
		server, _ = ln.Accept()
		return v.ends[0], server
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		v.Fatal(err)
	}
	defer ln.Close()
	if client, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		v.Fatal(err)
	}
	_ = client.(*net.TCPConn).SetWriteBuffer(v.buffer)
	if server, err = conn.NewListener(ln).Accept(); err != nil {
		v.Fatal(err)
	}
	return client, server
}

// single is a listener of one connection.
type single struct {
	net.Listener
	nc net.Conn
}

func (l *single) Accept() (net.Conn, error) { return l.nc, nil }

func (p *plan) accept() *conn.AcceptOptions {
	return &conn.AcceptOptions{
		MessageLimit: p.limit, QueueLimit: p.queue, WhenFull: p.full, PingInterval: p.ping, PongTimeout: p.pong,
		Compression: p.compression, CloseTimeout: time.Minute,
	}
}

func (p *plan) dial() *conn.DialOptions {
	return &conn.DialOptions{
		MessageLimit: p.limit, QueueLimit: p.queue, WhenFull: p.full, PingInterval: p.ping, PongTimeout: p.pong,
		Compression: p.compression, CloseTimeout: time.Minute,
	}
}

// talk does what the schedule says, until both connections have ended and all calls have
// returned.
func (v *conversation) talk() {
	var writing, rest sync.WaitGroup
	for _, p := range v.sides {
		rest.Go(func() {
			err := p.receive()
			<-p.c.Context().Done()
			p.received(err)
		})
	}
	if !v.pauses.real {
		synctest.Wait() // now they receive
	}
	for _, p := range v.sides {
		var own sync.WaitGroup
		for w := range p.plan.writers {
			writing.Add(1)
			own.Go(func() { defer writing.Done(); p.run(w) })
		}
		written := make(chan struct{})
		rest.Go(func() { own.Wait(); close(written) })
		rest.Go(func() { p.end(written) })
	}
	writing.Wait()
	if v.sides[0].plan.ending == waits && v.sides[1].plan.ending == waits {
		v.sides[0].close(conn.StatusNormalClosure)
	}
	rest.Wait()
}

// judge checks what both sides have seen.
func (v *conversation) judge() {
	var ends [2]*conn.CloseError
	for i, p := range v.sides {
		if !errors.As(context.Cause(p.c.Context()), &ends[i]) {
			v.Fatalf("%s ended with %v", p.name(), context.Cause(p.c.Context()))
		}
		p.after(ends[i])
	}
	abrupt := v.slow || v.sides[0].quit || v.sides[1].quit || v.sides[0].torn.Load() || v.sides[1].torn.Load()
	for _, e := range v.ends {
		abrupt = abrupt || e != nil && e.hit.Load()
	}
	for _, e := range ends { // a Flush or Ping has torn a stream; their messages are others'
		abrupt = abrupt || errors.Is(e.Err, context.DeadlineExceeded) && (v.network == serverStream || v.network == bothStreams)
	}
	for i, p := range v.sides {
		if err := v.agrees(i, ends, abrupt); err != nil {
			v.Errorf("%s: %v; the ends are %v and %v", p.name(), err, ends[0], ends[1])
		}
		d := v.demand(i, ends, abrupt)
		if err := p.out.check(d); err != nil {
			v.Errorf("from %s, demand %d: %v; the ends are %v and %v", p.name(), d, err, ends[0], ends[1])
		}
	}
	if n := v.held(); n != 0 {
		v.Errorf("%d buffers are not returned; the ends are %v and %v\n%s", n, ends[0], ends[1], bufpool.Holders())
	}
}

// held returns how many buffers are out when everything has come to rest.
func (v *conversation) held() int {
	if !v.pauses.real {
		time.Sleep(time.Minute) // a pause cannot be interrupted
		synctest.Wait()
		return bufpool.Outstanding()
	}
	for range 1000 {
		if bufpool.Outstanding() == 0 {
			return 0
		}
		time.Sleep(time.Millisecond)
	}
	return bufpool.Outstanding()
}

// after: once a connection has ended, all calls say the same.
func (p *party) after(end *conn.CloseError) {
	ctx := context.Background()
	_, _, readErr := p.c.Read(ctx)
	_, pingErr := p.c.Ping(ctx)
	_, writerErr := p.c.Writer(ctx, conn.Text)
	prepared, _ := conn.Prepare(conn.Text, nil)
	for i, err := range []error{
		readErr, pingErr, writerErr, p.c.Write(ctx, conn.Text, nil), p.c.Send(ctx, prepared),
		p.c.Write(ctx, conn.Binary, make([]byte, 70_000)), p.c.Serve(ctx, nil), p.c.Flush(ctx),
	} {
		if orderly := end.Code == 1000 || end.Code == 1001; err != end && !(i == 6 && orderly && err == nil) {
			p.errorf("call %d after the end returns %v, want %v", i, err, end)
		}
	}
	if err := p.c.CloseNow(); err != net.ErrClosed {
		p.errorf("CloseNow after the end: %v", err)
	}
}

// agrees checks how side i's connection ended against what both sides did.
func (v *conversation) agrees(i int, ends [2]*conn.CloseError, abrupt bool) error {
	e, p, peer := ends[i], v.sides[i], v.sides[1-i]
	// A side that fails the connection tries for a second to say so: the peer, if it is
	// writing and not reading, may not hear of it.
	other := ends[1-i]
	abrupt = abrupt || !other.Remote && peer.mayFailWith(other.Code)
	asked := slices.Contains(p.codes, e.Code)
	peerAsked := slices.Contains(peer.codes, e.Code) || peer.mayFailWith(e.Code)
	switch {
	case e.Code == conn.StatusAbnormal && !abrupt:
		return errors.New("an abnormal end without a reason")
	case e.Code == conn.StatusAbnormal && e.Remote:
		return errors.New("1006 cannot have been received")
	case e.Code == conn.StatusAbnormal:
	case e.Remote && !peerAsked && !asked && !p.mayFailWith(e.Code): // or the peer's echo
		return errors.New("it received a code that nobody sent")
	case !e.Remote && !asked && !p.mayFailWith(e.Code):
		return errors.New("it failed the connection for no reason")
	}
	return nil
}

// mayFailWith reports whether a side may find such a fault by itself.
func (p *party) mayFailWith(code conn.StatusCode) bool {
	switch code {
	case conn.StatusMessageTooBig:
		return p.plan.limit >= 0
	case conn.StatusPolicyViolation:
		return p.plan.receive == byCloseRead
	case conn.StatusTryAgainLater:
		return p.plan.full == conn.CloseWhenFull
	}
	return false
}

// demand returns what has to have arrived of what side i sent.
func (v *conversation) demand(i int, ends [2]*conn.CloseError, abrupt bool) demand {
	from, to := v.sides[i], v.sides[1-i]
	failed := func(e *conn.CloseError) bool {
		return to.mayFailWith(e.Code) || from.mayFailWith(e.Code)
	}
	switch {
	case abrupt, failed(ends[0]), failed(ends[1]), to.plan.receive == byCloseRead:
		return prefix
	case len(to.codes) == 0 && from.plan.ending != closesEarly:
		return everything
	case len(to.codes) == 0 || to.plan.receive.takesAll() && !v.pauses.real:
		return written
	}
	return prefix
}
