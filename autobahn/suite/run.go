package suite

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/handshake"
)

// Options says what to test, and how.
type Options struct {
	// URL is the server's, ws or wss. It must echo messages.
	URL string
	// TLS is the client's configuration for wss. Its NextProtos are replaced. Zero: the system's certificate authorities.
	TLS *tls.Config
	// OpenStream, unless nil, opens each case's connection as a stream of HTTP/2 or HTTP/3 (RFC 8441, RFC 9220): it sends an extended CONNECT
	// to URL with these fields and returns the response, with the stream behind it. Cases about the opening handshake of HTTP/1.1 and
	// about the end of TLS are left out. Nil: HTTP/1.1.
	OpenStream func(ctx context.Context, header http.Header) (net.Conn, *http.Response, error)
	// Header holds further fields of each request, such as Authorization or Origin. Reports have their names, and not their values. Nil: none.
	Header http.Header
	// Agent names the server in reports. Zero: what its Server field says, or the URL's host if there is none.
	Agent string
	// Cases are patterns such as "1.*" or "6.4.1"; see [Select]. Zero: all that there are.
	Cases []string
	// Parallel is how many connections there may be at once. Zero: for every processor 64 that mostly wait, or 8 of those
	// that send thousands of messages, in the groups 9, 12 and 13.
	Parallel int
	// Slowness multiplies the original's waits, for peers or machines that need longer. Zero: 1.
	Slowness float64
	// Latency is how long the server takes for an answer, by which waits are longer. Zero: it is measured first, by [Latency].
	Latency time.Duration
	// Begin is called before the first case, with the plan of the run. Nil: no call.
	Begin func(Plan)
	// ByRFC has the verdicts by the RFC alone count in place of the original's, where they differ.
	ByRFC bool
	// Progress is told about every result as it comes, one call at a time, with the number of results so far. Nil: no progress is
	// reported.
	Progress func(done, total int, r *Result)
}

func (o Options) withDefaults() (Options, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return o, fmt.Errorf("suite: %w", err)
	}
	if u.Host == "" || !slices.Contains([]string{"ws", "wss"}, u.Scheme) {
		return o, fmt.Errorf("suite: URL %q: want ws://host:port/path, or wss", o.URL)
	}
	if _, err := handshake.NewRequest(u, &handshake.ClientOptions{Header: o.Header}); err != nil {
		return o, fmt.Errorf("suite: %w", err)
	}
	if len(o.Cases) == 0 {
		o.Cases = []string{"*"}
	}
	if o.Slowness <= 0 {
		o.Slowness = 1
	}
	return o, nil
}

// Select returns the cases that any of the patterns names, in order: an id ("7.13.1"), the beginning of one with a star
// ("7.*"), "*" for all of the original's, or "beyond" for those of [Beyond]. A pattern that names no case is an error.
func Select(patterns []string) ([]Case, error) {
	for _, pattern := range patterns {
		if _, err := selection([]string{pattern}); err != nil {
			return nil, err
		}
	}
	return selection(patterns)
}

// SelectFor is [Select] without the cases that are for the other role: role is that of the tested side. It is an error if
// none is left.
func SelectFor(role Role, patterns []string) ([]Case, error) {
	cases, err := Select(patterns)
	if err != nil {
		return nil, err
	}
	cases = slices.DeleteFunc(cases, func(c Case) bool { return c.Judges != EitherRole && c.Judges != role })
	if len(cases) == 0 {
		return nil, fmt.Errorf("suite: patterns %q: those cases are for the other role", patterns)
	}
	return cases, nil
}

// ids are the numbers of cases.
func ids(cases []Case) []string {
	all := make([]string, len(cases))
	for i := range cases {
		all[i] = cases[i].ID
	}
	return all
}

func selection(patterns []string) ([]Case, error) {
	ids, err := report.Match(patterns)
	if err != nil {
		return nil, fmt.Errorf("suite: %w", err)
	}
	return slices.DeleteFunc(append(Cases(), Beyond()...), func(c Case) bool { return !slices.Contains(ids, c.ID) }), nil
}

// Run runs the selected cases against a server and reports on them in their order. A server that fails is no error: that
// is what the report says. An error is about the options, or says that there was no connection to the server, or no TLS; it is a
// [*GoneError] where the server has ended meanwhile, which says while which case, and comes with a report of those that had run; or it is the context's when that ended before all
// cases had run.
func Run(ctx context.Context, o Options) (*Report, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	cases, err := SelectFor(ServerRole, o.Cases)
	if err != nil {
		return nil, err
	}
	if o.OpenStream != nil {
		if cases = ForStreams(ServerRole, cases); len(cases) == 0 {
			return nil, fmt.Errorf("suite: patterns %q: those cases are about HTTP/1.1", o.Cases)
		}
	}
	if o.Latency <= 0 {
		if o.Latency, err = Latency(ctx, o); err != nil {
			return nil, err
		}
	}
	if o.Begin != nil {
		o.Begin(o.Plan(cases))
	}
	rep := &Report{Agent: o.Agent, Cases: ids(cases), Results: make([]*Result, len(cases))}
	var (
		tasks sync.WaitGroup
		mu    sync.Mutex
		done  int
		seen  witness
	)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots, takes := o.slots()
	for i := range cases {
		n := takes(&cases[i])
		for range n { // by this goroutine alone, so that nobody waits for what another holds
			slots <- struct{}{}
		}
		if ctx.Err() != nil {
			break
		}
		tasks.Go(func() {
			defer func() {
				for range n {
					<-slots
				}
			}()
			r, refused := runCase(ctx, &o, &cases[i], i+1, &seen)
			if refused != nil {
				cancel(seen.gone(o.URL, len(cases), refused))
			}
			if ctx.Err() != nil { // what was under way has no verdict
				return
			}
			mu.Lock()
			defer mu.Unlock()
			rep.Results[i] = r
			done++
			if o.Progress != nil {
				o.Progress(done, len(cases), r)
			}
		})
	}
	tasks.Wait()
	if ctx.Err() == nil && seen.doubts() {
		if refused := refuses(ctx, &o); refused != nil {
			cancel(seen.gone(o.URL, len(cases), refused))
		}
	}
	if gone, ok := errors.AsType[*GoneError](context.Cause(ctx)); ok {
		rep.Results = slices.DeleteFunc(rep.Results, func(r *Result) bool { return r == nil })
		gone.Done = len(rep.Results)
		rep.name(o.URL)
		return rep, gone
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("suite: %w", ctx.Err())
	}
	rep.name(o.URL)
	return rep, nil
}

// Connections at once for every processor, by what they do.
const (
	whileWaiting = 64
	whileBusy    = 8
)

// slots returns what limits the connections, and how many of the slots a case takes.
func (o *Options) slots() (slots chan struct{}, takes func(*Case) int) {
	if o.Parallel > 0 {
		return make(chan struct{}, o.Parallel), func(*Case) int { return 1 }
	}
	return make(chan struct{}, whileWaiting*runtime.GOMAXPROCS(0)), func(c *Case) int {
		if c.ReportTime {
			return whileWaiting / whileBusy
		}
		return 1
	}
}

// runCase runs one case on a connection of its own. An error says that there is no server any more.
func runCase(ctx context.Context, o *Options, c *Case, number int, seen *witness) (*Result, error) {
	r, at, err := openPatiently(ctx, o, c, number)
	if err != nil {
		return nil, err
	}
	defer func() { seen.ended(r) }()
	if r.HTTPResponse != "" {
		seen.answered(c.ID)
	}
	if at == nil {
		return r, nil
	}
	if r.Agent == "" {
		r.Agent = at.agreement.Header.Get("Server")
	}
	p := newPeer(c, at, r, pace{o.Slowness, o.Latency})
	defer p.leave()
	p.conduct(ctx)
	if o.ByRFC {
		r.countByRFC()
	}
	return r, nil
}

// openPatiently opens a case's connection, and tries again a little later where it is refused. An error says that it always was.
func openPatiently(ctx context.Context, o *Options, c *Case, number int) (*Result, *opened, error) {
	for try := 0; ; try++ {
		r := newResult(c, number, o.Agent)
		at, err := open(ctx, o, c, r)
		if refusedBy(err) == nil || ctx.Err() != nil {
			return r, at, nil
		}
		if try == len(retries) {
			return nil, nil, err
		}
		select {
		case <-time.After(retries[try]):
		case <-ctx.Done():
			return r, nil, nil
		}
	}
}

// open performs the opening handshake of a case. It returns nil if that is all that there is to the case; an error says why there was
// no connection.
func open(ctx context.Context, o *Options, c *Case, r *Result) (*opened, error) {
	if c.Opening != nil {
		return askFor(ctx, o, c, r)
	}
	at, err := dial(ctx, o, c)
	r.HTTPRequest, r.HTTPResponse = at.request, at.response
	if err != nil {
		r.Result = err.Error()
		r.WasOpenHandshakeTimeout = errors.Is(err, context.DeadlineExceeded)
		return nil, err
	}
	return at, nil
}

// conduct carries out a case and gives the verdicts.
func (p *Peer) conduct(ctx context.Context) {
	began := time.Now()
	p.run(ctx)
	p.result.Duration = time.Since(began)
	p.result.judge(p.test)
}

// leave ends the connection, and returns when nothing of it is left.
func (p *Peer) leave() {
	if p.lingers {
		p.flush()
		p.link.linger()
	}
	p.link.close()
}

// run carries out a case from the opened connection to its end.
func (p *Peer) run(ctx context.Context) {
	c := p.test
	p.timers["give up"] = timer{time.Now().Add(c.waiting(p.pace)), func() { p.drop("nobody ended the connection") }}
	p.Send(c.Frames...)
	if c.KillAfter > 0 {
		p.KillAfter(c.KillAfter)
	}
	if c.CloseAfter > 0 {
		p.CloseAfter(c.CloseAfter)
	}
	if c.Drive != nil {
		c.Drive(ctx, p)
	}
	p.finish(ctx)
}
