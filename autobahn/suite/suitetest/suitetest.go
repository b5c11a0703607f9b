// Package suitetest runs the conformance suite in a test. For most uses that is a line of code, for a server or a client:
//
//	func TestConformance(t *testing.T) { suitetest.Server(t, "ws://"+address) }
//
// Every case is a subtest named by its number, such as TestConformance/case/7.1.1, so that -run chooses cases. They run in
// parallel, as many as -parallel says. With -short the groups 9, 12 and 13 are left out, which send much. A case that fails says what
// was expected, what came, and what was on the wire. Cases of the other role are left out, so that Cases("beyond") may be asked for of
// both.
//
// The test's log says how long the run usually takes, and at most. It ends before go test's -timeout does, which is ten minutes unless
// chosen: cases that have not been run by then fail, and say so, so that the others have their verdicts.
package suitetest

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/autobahn/suite"
)

// Option changes how cases are run. The options are made by the functions that return one.
type Option func(*settings)

type settings struct {
	cases    []string
	slowness float64
	latency  time.Duration
	tls      *tls.Config
	known    *report.Golden
}

// Cases selects cases by patterns such as "1.*" or "6.4.1". Without it all are run, or with -short all but the groups 9, 12 and 13.
func Cases(patterns ...string) Option { return func(s *settings) { s.cases = patterns } }

// Slowness multiplies all waits, for machines that are busy. Without it they are three times the original's: nothing is
// waited for so long unless it fails, but in 5.19, 5.20 and 6.4.
func Slowness(factor float64) Option { return func(s *settings) { s.slowness = factor } }

// Latency is how long the peer takes for an answer, by which waits are longer. Without it that of a server is measured first,
// and that of a client learnt from its cases.
func Latency(d time.Duration) Option { return func(s *settings) { s.latency = d } }

// TLS has the cases run over wss. For [Server] it is the client's configuration, which must trust the server; without it
// the system's authorities are trusted. For [Client] it is the server's, with its certificate; without it they run over ws.
func TLS(config *tls.Config) Option { return func(s *settings) { s.tls = config } }

// Known has cases pass that fail just as a golden file says, and fail when they pass, so that the file stays honest.
func Known(g *report.Golden) Option { return func(s *settings) { s.known = g } }

func apply(t *testing.T, role suite.Role, options []Option) (*settings, []suite.Case) {
	t.Helper()
	s := &settings{slowness: 3}
	for _, o := range options {
		o(s)
	}
	patterns := s.cases
	if patterns == nil {
		patterns = []string{"*"}
	}
	cases, err := suite.SelectFor(role, patterns)
	if err != nil {
		t.Fatal(err)
	}
	if s.cases == nil && testing.Short() {
		var short []suite.Case
		for _, c := range cases {
			if group, _, _ := strings.Cut(c.ID, "."); !slices.Contains([]string{"9", "12", "13"}, group) {
				short = append(short, c)
			}
		}
		cases = short
	}
	return s, cases
}

// Server runs the cases against a server's URL, ws or wss, which must echo messages. It returns when all have run.
func Server(t *testing.T, url string, options ...Option) {
	t.Helper()
	s, cases := apply(t, suite.ServerRole, options)
	if s.latency == 0 {
		latency, err := suite.Latency(t.Context(), suite.Options{URL: url, TLS: s.tls, Slowness: s.slowness})
		if err != nil {
			t.Fatal(err)
		}
		s.latency = max(latency, 1) // 0 would be measured again, for each case
	}
	all := s.begin(t, cases, s.latency, s.latency)
	t.Run("case", func(t *testing.T) {
		for _, c := range cases {
			t.Run(c.ID, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := all.context(t)
				defer cancel()
				all.there(t)
				r, err := suite.Run(ctx, suite.Options{URL: url, TLS: s.tls, Cases: []string{c.ID}, Slowness: s.slowness, Latency: s.latency})
				cutShort(t, ctx)
				all.ended(t, r, err)
				if err != nil {
					t.Fatal(err)
				}
				s.judge(t, r.Results[0])
			})
		}
	})
}

// agentName is what the cases of a client are kept under.
const agentName = "go test"

// Client runs the cases against a client: connect is called for each with the URL that the client is to connect to. It
// echoes every message until the connection has ended, and then returns; its error is shown if the case fails, and ignored
// otherwise, as many cases end a connection with one. Its context ends when the case has taken longer than it can; a client that
// does not return then fails the case, and is left alone. It is called from many goroutines at once. Client returns when all cases have run.
func Client(t *testing.T, connect func(ctx context.Context, url string) error, options ...Option) {
	t.Helper()
	s, cases := apply(t, suite.ClientRole, options)
	server, base := s.serve(t, cases)
	usual, latency := s.latency, s.latency
	if latency == 0 {
		usual, latency = time.Millisecond, suite.MaxLatency // until the client's is known
	}
	all := s.begin(t, cases, usual, latency)
	t.Run("case", func(t *testing.T) {
		for _, c := range cases {
			t.Run(c.ID, func(t *testing.T) {
				t.Parallel()
				query := url.Values{"casetuple": {c.ID}, "agent": {agentName}}
				bound := c.Bound(s.slowness, latency)
				whole, cancel := all.context(t)
				defer cancel()
				failed, returned := within(whole, bound, all.grace, func(ctx context.Context) error {
					return connect(ctx, base+"/runCase?"+query.Encode())
				})
				cutShort(t, whole)
				if !returned {
					t.Fatalf("the client has not returned within %v, and not when its context had ended", bound)
				}
				ctx, cancel := context.WithTimeout(whole, time.Duration(s.slowness*float64(resultWait)))
				defer cancel()
				r, err := server.Await(ctx, agentName, c.ID)
				cutShort(t, whole)
				if err != nil {
					t.Fatalf("the case has no result: did the client connect? It returned: %v", failed)
				}
				s.judge(t, r)
				if t.Failed() {
					t.Logf("the client returned: %v", failed)
				}
			})
		}
	})
}

// resultWait is how long a case may take to end when the client has returned, and a client to return when its context has
// ended.
const resultWait = 2 * time.Second

// within calls a function whose context ends after a time, and reports whether it has returned then, or in the grace that it has.
func within(ctx context.Context, d, grace time.Duration, call func(context.Context) error) (failed error, returned bool) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- call(ctx) }()
	select {
	case err := <-done:
		return err, true
	case <-ctx.Done():
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case err := <-done:
		return err, true
	case <-late.C:
		return nil, false
	}
}

// serve has a fuzzing server listen on the loopback interface until the test is over.
func (s *settings) serve(t *testing.T, cases []suite.Case) (*suite.Server, string) {
	t.Helper()
	var ids []string
	for _, c := range cases {
		ids = append(ids, c.ID)
	}
	server, err := suite.NewServer(suite.ServerOptions{TLS: s.tls, Cases: ids, Slowness: s.slowness, Latency: s.latency})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	scheme := "ws://"
	if s.tls != nil {
		scheme = "wss://"
	}
	return server, scheme + ln.Addr().String()
}

// logLines is how much of a wire log a failure shows.
const logLines = 30

// judge fails a test as a result has it.
func (s *settings) judge(t *testing.T, r *suite.Result) {
	t.Helper()
	d, known := s.known.Find(r.ID)
	switch {
	case known && r.Passes():
		t.Errorf("%s passes: take it out of the known deviations, which have %s, %s", r.ID, d.Behavior, d.BehaviorClose)
	case known && d.Behavior == r.Behavior && d.BehaviorClose == r.BehaviorClose:
		t.Logf("known: %s", d)
	case !r.Passes():
		t.Errorf("%s, %s\n%s", r.Behavior, r.BehaviorClose, r.Explain(logLines))
	}
}
