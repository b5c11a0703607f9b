package suite

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/handshake"
)

// ServerOptions says what a fuzzing server offers to its clients.
type ServerOptions struct {
	// TLS is the server's configuration for wss, with a certificate. Its NextProtos are replaced. Zero: ws.
	TLS *tls.Config
	// Cases are patterns such as "1.*" or "6.4.1"; see [Select]. Zero: all that there are.
	Cases []string
	// Slowness multiplies the original's waits, for peers or machines that need longer. Zero: 1.
	Slowness float64
	// Latency is how long clients take for an answer, by which waits are longer. Zero: each agent's is learnt from its cases, and
	// taken for a quarter of a second before the first has ended.
	Latency time.Duration
	// ByRFC has the verdicts by the RFC alone count in place of the original's, where they differ.
	ByRFC bool
	// Progress is told about every result as it comes, one call at a time. Nil: no progress is reported.
	Progress func(*Result)
	// Update is called when a client asks for reports to be written, one call at a time, with what there is about every
	// agent. An error closes the client's connection with 1011. Zero: nothing is written.
	Update func([]*Report) error
	// Once has the server stop when a client has asked for reports. Zero: it goes on.
	Once bool
	// MaxConnections bounds the connections at once; more are closed at once. Zero: 512.
	MaxConnections int
	// MaxAgents bounds the names that results are kept for; more are refused. Zero: 64.
	MaxAgents int
}

// Server is the suite as a fuzzing server: clients ask it how many cases there are, run each on a connection of its own by
// echoing what comes, and have reports written. It understands the paths of the original's, so that programs which drive a
// client through that work unchanged. Make one with [NewServer]; its methods may be called at once from many goroutines.
type Server struct {
	options ServerOptions
	cases   []Case
	ids     []string
	agents  *agents

	connections atomic.Int64
	telling     sync.Mutex // held while Progress or Update is called
	stopping    sync.Once
	stopped     chan struct{}
}

// NewServer returns a server that listens nowhere yet. An error is about the patterns of cases.
func NewServer(o ServerOptions) (*Server, error) {
	if len(o.Cases) == 0 {
		o.Cases = []string{"*"}
	}
	if o.Slowness <= 0 {
		o.Slowness = 1
	}
	if o.MaxConnections <= 0 {
		o.MaxConnections = 512
	}
	if o.MaxAgents <= 0 {
		o.MaxAgents = 64
	}
	if o.TLS != nil {
		o.TLS = serverConfig(o.TLS)
	}
	cases, err := SelectFor(ClientRole, o.Cases)
	if err != nil {
		return nil, err
	}
	return &Server{options: o, cases: cases, ids: ids(cases), agents: newAgents(), stopped: make(chan struct{})}, nil
}

// Cases returns the ids of the selected cases in order: a case's number is its place among them, from 1. The caller must
// not change them.
func (s *Server) Cases() []string { return s.ids }

// place returns a case's number, or 0.
func (s *Server) place(id string) int {
	for i := range s.ids {
		if s.ids[i] == id {
			return i + 1
		}
	}
	return 0
}

// Serve takes connections from a listener until the context ends, the listener is closed or a client asks the server to
// stop; then the listener is closed, and nothing of any connection is left. Cases that ran at that time have no result. An
// error is one of the listener's. Serve may be called for several listeners.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel()
	tasks.Go(func() {
		select {
		case <-ctx.Done():
		case <-s.stopped:
		}
		cancel()
		_ = ln.Close()
	})
	for {
		conn, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			if err == nil {
				_ = conn.Close()
			}
			return nil
		}
		if err != nil {
			return err
		}
		if s.connections.Add(1) > int64(s.options.MaxConnections) {
			s.connections.Add(-1)
			_ = conn.Close()
			continue
		}
		tasks.Go(func() {
			defer s.connections.Add(-1)
			defer conn.Close()
			s.handle(ctx, conn)
		})
	}
}

// handle does what the client of one connection asks for.
func (s *Server) handle(ctx context.Context, conn net.Conn) {
	if s.options.TLS != nil {
		conn = tls.Server(conn, s.options.TLS)
	}
	in := newVisit(s)
	at, err := accept(ctx, conn, in.handshake(), func() *Opening { return s.opening(&in.errand) })
	in.finish(ctx, at, err)
}

// visit is one connection of a client, and what it has come for.
type visit struct {
	server *Server
	errand errand
	begun  bool // its case counts for the agent
}

func newVisit(s *Server) *visit { return &visit{server: s} }

// handshake returns how the client's request is decided about.
func (v *visit) handshake() *handshake.ServerOptions {
	return &handshake.ServerOptions{
		AllowAnyOrigin: true, // whatever page drives a browser through the cases
		Check:          v.check,
		Extensions:     func(offers []handshake.Extension) []handshake.Extension { return v.server.agree(&v.errand, offers) },
		Header:         http.Header{"Server": {"wss-suite"}},
	}
}

// check reads what the client has come for from its request.
func (v *visit) check(r *http.Request) (err error) {
	s := v.server
	if v.errand, err = s.errand(r.URL); err != nil {
		return refusal(err)
	}
	if v.errand.path != pathRun {
		return nil
	}
	if v.begun = s.agents.begin(v.errand.agent, s.options.MaxAgents); v.begun {
		return nil
	}
	return refusal(errors.New("there are too many agents already"))
}

// finish does what the client has come for, if its opening handshake has succeeded.
func (v *visit) finish(ctx context.Context, at *opened, err error) {
	if err == nil {
		v.server.do(ctx, at, v.errand)
	} else if v.begun {
		v.server.agents.end(v.errand.agent, nil)
	}
}

// do carries out an errand.
func (s *Server) do(ctx context.Context, at *opened, e errand) {
	switch e.path {
	case pathRun:
		s.run(ctx, at, e)
	case pathCount:
		s.tell(ctx, at, len(s.cases))
	case pathInfo:
		c := &s.cases[e.number-1]
		s.tell(ctx, at, map[string]any{"id": c.ID, "description": c.Description})
	case pathStatus:
		s.status(ctx, at, e)
	case pathUpdate:
		s.update(ctx, at, e)
	case pathStop:
		s.control(ctx, at, func(_ context.Context, p *Peer) { p.Send(closeFrame("")) })
	}
	if e.path == pathStop || e.path == pathUpdate && (e.stop || s.options.Once) {
		s.stopping.Do(func() { close(s.stopped) })
	}
}

// agree chooses the extensions of a connection from what the client has offered. It is not called without offers.
func (s *Server) agree(e *errand, offers []handshake.Extension) []handshake.Extension {
	if e.path != pathRun {
		return nil
	}
	var answer []handshake.Extension
	e.compression, answer = accepted(s.cases[e.number-1].offers, offers)
	return answer
}

// opening is what the case of an errand makes of the response, nil if nothing.
func (s *Server) opening(e *errand) *Opening {
	if e.path != pathRun {
		return nil
	}
	return s.cases[e.number-1].Opening
}

// run runs a case. Its result is there before the client can know that the case has ended by our answer.
func (s *Server) run(ctx context.Context, at *opened, e errand) {
	c := &s.cases[e.number-1]
	at.compression = e.compression
	r := newResult(c, e.number, e.agent)
	r.Server, r.HTTPRequest, r.HTTPResponse = true, at.request, at.response
	if c.Opening != nil && c.Opening.Refuse {
		stop := context.AfterFunc(ctx, func() { _ = at.conn.Close() })
		defer stop()
		r.judgeClient(at, s.pace(e.agent))
	} else {
		p := newPeer(c, at, r, s.pace(e.agent))
		defer p.leave()
		p.conduct(ctx)
		s.agents.learner(e.agent).learn(r.latency)
	}
	if s.options.ByRFC {
		r.countByRFC()
	}
	if ctx.Err() != nil {
		s.agents.end(e.agent, nil)
		return
	}
	if s.options.Progress != nil {
		s.telling.Lock()
		s.options.Progress(r)
		s.telling.Unlock()
	}
	s.agents.end(e.agent, r)
}

// pace is by what the waits for an agent are longer.
func (s *Server) pace(agent string) pace {
	if s.options.Latency > 0 {
		return pace{s.options.Slowness, s.options.Latency}
	}
	return pace{s.options.Slowness, s.agents.learner(agent).latency()}
}

// report has the reports written.
func (s *Server) report() error {
	if s.options.Update == nil {
		return nil
	}
	s.telling.Lock()
	defer s.telling.Unlock()
	return s.options.Update(s.Reports())
}

// Reports returns what there is about every agent so far, in the order of their names: of a case that was run more than
// once, the latest result. The results must not be changed.
func (s *Server) Reports() []*Report { return s.agents.reports(s.ids) }

// Await returns the result of a case that an agent runs or will run. An error is the context's.
func (s *Server) Await(ctx context.Context, agent, id string) (*Result, error) {
	for {
		r, changed := s.agents.result(agent, id)
		if r != nil {
			return r, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
