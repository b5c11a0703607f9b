package suite

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/autobahn/suite/faulty"
	"github.com/seed-c4549abd/wss/internal/race"
)

// tested are the results of a server or a client with a fault.
type tested struct {
	name    string
	fault   faulty.Fault
	results []*Result
	err     error
	// again runs some of the cases once more, few at once.
	again func(ids []string) ([]*Result, error)
}

// bothRoles runs cases against servers and clients with each of the faults, and tests the results. Nearly all of its time is
// waiting: all run at once.
func bothRoles(t *testing.T, faults []faulty.Fault, patterns []string, test func(t *testing.T, r *tested)) {
	t.Helper()
	type role = tested
	var all []*role
	var tasks sync.WaitGroup
	slots := make(chan struct{}, 6)
	slowness := 1.0 // so that the latency alone makes waits longer
	if race.Enabled {
		slowness = 3
	}
	const fewAtOnce = 4
	start := func(name string, f faulty.Fault, run func(patterns []string, parallel int) ([]*Result, error)) {
		r := &role{name: name + string(f), fault: f}
		r.again = func(ids []string) ([]*Result, error) { return run(ids, fewAtOnce) }
		all = append(all, r)
		tasks.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			r.results, r.err = run(nil, 64)
		})
	}
	for _, f := range faults {
		url := faultyServer(t, f, nil)
		start("a server that ", f, func(ids []string, parallel int) ([]*Result, error) {
			if ids == nil {
				ids = patterns
			}
			rep, err := Run(t.Context(), Options{URL: url, Cases: ids, Slowness: slowness, Parallel: parallel})
			if err != nil {
				return nil, err
			}
			return rep.Results, nil
		})
		s, base := fuzzingServer(t, ServerOptions{Cases: patterns, Slowness: slowness})
		attempts := 0
		start("a client that ", f, func(ids []string, parallel int) ([]*Result, error) {
			attempts++
			agent := fmt.Sprint("attempt ", attempts)
			if ids == nil {
				ids = s.Cases()
			}
			runAll(t, s, base, agent, ids, parallel, func(ctx context.Context, url string) error { return faulty.Dial(ctx, url, f) })
			var results []*Result
			for _, id := range ids {
				r, err := s.Await(t.Context(), agent, id)
				if err != nil {
					return nil, err
				}
				results = append(results, r)
			}
			return results, nil
		})
	}
	tasks.Wait()
	for _, r := range all {
		t.Run(r.name, func(t *testing.T) {
			if r.err != nil {
				t.Fatal(r.err)
			}
			test(t, r)
		})
	}
}

// numbered28 are numbers of group 28, such as "1.2".
func numbered28(numbers ...string) (ids []string) {
	for _, n := range numbers {
		ids = append(ids, "28."+n)
	}
	return ids
}

// TestFaultsThatTheOriginalMissesAreCaught shows every case of group 28 able to fail, in both roles, and no other case beyond
// the original's to fail.
func TestFaultsThatTheOriginalMissesAreCaught(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for answers that do not come")
	}
	failed, strict := "FAILED", "NON-STRICT"
	tests := map[faulty.Fault]struct {
		want              []string
		behavior, closing string
	}{
		faulty.None:          {},
		faulty.LongForms:     {numbered28("1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7"), strict, strict},
		faulty.IgnoresTopBit: {numbered28("2.1", "2.2", "2.3", "2.4"), failed, failed},
		faulty.StripsBOM:     {numbered28("3.1", "3.2", "3.3"), failed, "OK"},
		faulty.TurnsLines:    {numbered28("3.4", "3.5", "3.8"), failed, "OK"},
		faulty.TrimsBlanks:   {numbered28("3.5", "3.6", "3.7", "3.8"), failed, "OK"},
		faulty.CutsAtNUL:     {numbered28("3.9", "3.10"), failed, "OK"},
		faulty.Composes:      {numbered28("3.11"), failed, "OK"},
		faulty.JustDrops:     {numbered28("4.1", "4.2", "4.3", "4.4", "4.5", "4.6"), "OK", strict},
	}
	patterns := []string{"22.*", "23.*", "24.*", "25.*", "28.*"}
	bothRoles(t, append(faulty.MissedFaults(), faulty.None), patterns, func(t *testing.T, peer *tested) {
		tt, ok := tests[peer.fault]
		if !ok {
			t.Fatalf("%q is not tested", peer.fault)
		}
		results := peer.results
		if n := len(slices.DeleteFunc(slices.Clone(results), func(r *Result) bool { return !slices.Contains(tt.want, r.ID) })); n != len(tt.want) {
			t.Fatalf("%d of %d cases that are to fail were run", n, len(tt.want))
		}
		eventually(t, func(t *attempt) {
			var wrong []string
			for _, r := range results {
				wanted := slices.Contains(tt.want, r.ID)
				switch {
				case wanted == r.Passes():
					t.Errorf("%s: caught %v\n%s", r.ID, !wanted, r.Explain(30))
				case wanted && (tt.closing != "OK" && string(r.BehaviorClose) != tt.closing || string(r.Behavior) != tt.behavior):
					t.Errorf("%s: %s, %s, want %s, %s\n%s", r.ID, r.Behavior, r.BehaviorClose, tt.behavior, tt.closing, r.Explain(30))
				default:
					continue
				}
				wrong = append(wrong, r.ID)
			}
			if len(wrong) > 0 { // on a busy machine: another chance, with few connections at once
				var err error
				if results, err = peer.again(wrong); err != nil {
					t.Fatal(err)
				}
			}
		})
	})
}

// blamedByRFC has the verdicts by the RFC count, and returns the results that do not pass by them.
func blamedByRFC(results []*Result) []*Result {
	for _, r := range results {
		r.countByRFC()
	}
	return slices.DeleteFunc(slices.Clone(results), (*Result).Passes)
}

// TestPeersThatBreakNoRuleAreNotBlamed: no case beyond the original's fails, and none of the original's by the RFC.
func TestPeersThatBreakNoRuleAreNotBlamed(t *testing.T) {
	if testing.Short() {
		t.Skip("runs most cases against each of many peers")
	}
	patterns := []string{"1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "22.*", "23.*", "24.*", "25.*", "27.*", "28.*"}
	bothRoles(t, faulty.Peculiarities(), patterns, func(t *testing.T, peer *tested) {
		blamed := blamedByRFC(peer.results)
		for range 3 { // on a busy machine: another chance, with few connections at once
			if len(blamed) == 0 {
				return
			}
			var ids []string
			for _, r := range blamed {
				ids = append(ids, r.ID)
			}
			t.Logf("blamed at first: %q", ids)
			again, err := peer.again(ids)
			if err != nil {
				t.Fatal(err)
			}
			blamed = blamedByRFC(again)
		}
		for _, r := range blamed {
			t.Errorf("%s: %s, %s\n%s", r.ID, r.Behavior, r.BehaviorClose, r.Explain(30))
		}
	})
}

// TestTheOriginalsVerdictsStandBesideThoseByTheRFC where the original asks for more than the RFC.
func TestTheOriginalsVerdictsStandBesideThoseByTheRFC(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for answers that do not come")
	}
	for f, cases := range map[faulty.Fault]map[string]string{
		faulty.None:         {"1.1.1": "OK, OK", "2.10": "OK, OK", "7.1.1": "OK, OK"},
		faulty.PongsUnasked: {"1.1.1": "FAILED, WRONG CODE; by the RFC OK, OK", "2.1": "FAILED, OK; by the RFC OK, OK", "3.1": "FAILED, OK; by the RFC OK, OK"},
		faulty.EmptyPongUnasked: {
			"3.2": "FAILED, OK; by the RFC OK, OK", "4.2.3": "FAILED, OK; by the RFC OK, OK", "7.1.3": "FAILED, OK; by the RFC OK, OK",
		},
		faulty.PingsWithin:    {"6.4.1": "OK, OK", "6.4.2": "OK, OK", "6.4.3": "OK, OK", "6.4.4": "OK, OK"},
		faulty.LatestPong:     {"2.9": "OK, OK", "2.10": "FAILED, OK; by the RFC OK, OK"},
		faulty.LatePongs:      {"5.6": "FAILED, OK; by the RFC NON-STRICT, OK", "2.1": "OK, OK"},
		faulty.LateUTF8:       {"6.4.1": "NON-STRICT, OK; by the RFC OK, OK", "6.3.1": "OK, OK"},
		faulty.NoPongs:        {"2.1": "FAILED, OK", "1.1.1": "OK, OK"},
		faulty.EmptyPongs:     {"2.1": "OK, OK", "2.2": "FAILED, OK"},
		faulty.StaysConnected: {"2.1": "OK, UNCLEAN; by the RFC OK, FAILED BY CLIENT", "3.1": "OK, FAILED BY CLIENT"},
	} {
		t.Run("a server that "+string(f), func(t *testing.T) {
			t.Parallel()
			var ids []string
			for id := range cases {
				ids = append(ids, id)
			}
			url := faultyServer(t, f, nil)
			eventually(t, func(t *attempt) {
				rep, err := Run(t.Context(), Options{URL: url, Cases: ids})
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range rep.Results {
					got := fmt.Sprintf("%s, %s", r.Behavior, r.BehaviorClose)
					if r.ByRFC != nil {
						got += fmt.Sprintf("; by the RFC %s, %s", r.ByRFC.Behavior, r.ByRFC.BehaviorClose)
					}
					if got != cases[r.ID] {
						t.Errorf("%s: %s, want %s", r.ID, got, cases[r.ID])
					}
				}
			})
		})
	}
}

// TestTheRFCsVerdictsCountWhereThatIsAskedFor.
func TestTheRFCsVerdictsCountWhereThatIsAskedFor(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for pongs that do not come")
	}
	url := faultyServer(t, faulty.LatestPong, nil)
	eventually(t, func(t *attempt) {
		rep, err := Run(t.Context(), Options{URL: url, Cases: []string{"2.*"}, ByRFC: true})
		if err != nil || !rep.Passes() {
			t.Errorf("error %v, or not all pass", err)
		}
	})
}

func TestLatencyIsThatOfAnAnswer(t *testing.T) {
	measure := func(f faulty.Fault) time.Duration {
		d, err := Latency(t.Context(), Options{URL: faultyServer(t, f, nil)})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	eventually(t, func(t *attempt) {
		if quick, late := measure(faulty.None), measure(faulty.WritesLate); quick <= 0 || late < quick || late > MaxLatency {
			t.Errorf("latencies of %v and, of who writes late, %v", quick, late)
		}
	})
	if d, err := Latency(t.Context(), Options{URL: sloppyServer(t, func(string) string { return "HTTP/1.1 404 Not Found\r\n\r\n" })}); d != 0 || err != nil {
		t.Errorf("of who refuses: %v, %v", d, err)
	}
}

func TestAServerThatCannotBeReachedIsAnError(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	_, err = Run(t.Context(), Options{URL: "ws://" + ln.Addr().String(), Cases: []string{"1.*"}})
	if refused, ok := errors.AsType[*net.OpError](err); !ok || refused.Op != "dial" {
		t.Errorf("error %v", err)
	}
	plain := faultyServer(t, faulty.None, nil)
	if _, err = Run(t.Context(), Options{URL: "wss" + strings.TrimPrefix(plain, "ws"), Cases: []string{"1.*"}}); err == nil {
		t.Error("without TLS: no error")
	}
}

// TestWaitsAreLongerByTheLatencyForEachAnswer.
func TestWaitsAreLongerByTheLatencyForEachAnswer(t *testing.T) {
	p := &Peer{pace: pace{2, 100 * time.Millisecond}, test: &Case{Outcomes: ok(pong(""), message(""))}}
	if got, want := p.slow(time.Second), 2400*time.Millisecond; got != want {
		t.Errorf("%v, want %v", got, want)
	}
	var l learner
	for _, step := range []struct{ learnt, want time.Duration }{
		{0, assumedLatency}, {time.Millisecond, time.Millisecond}, {0, time.Millisecond}, {time.Second, time.Second},
		{time.Millisecond, time.Second}, {time.Hour, MaxLatency},
	} {
		if l.learn(step.learnt); l.latency() != step.want {
			t.Errorf("having learnt %v: %v, want %v", step.learnt, l.latency(), step.want)
		}
	}
}

// TestPongsAndMessagesAreReadByTheRFC as events come.
func TestPongsAndMessagesAreReadByTheRFC(t *testing.T) {
	a, b, text := pong("a"), pong("b"), message("text")
	for name, tt := range map[string]struct {
		pings  []string
		wanted []Event
		came   []Event
		want   report.Behavior // empty: not acceptable
	}{
		"what was wanted":                      {[]string{"a"}, []Event{text, a}, []Event{text, a}, report.OK},
		"the pong before the message":          {[]string{"a"}, []Event{text, a}, []Event{a, text}, report.OK},
		"the pong late":                        {[]string{"a"}, []Event{a, text}, []Event{text, a}, report.NonStrict},
		"no pong":                              {[]string{"a"}, []Event{text, a}, []Event{text}, ""},
		"no message":                           {[]string{"a"}, []Event{text, a}, []Event{a}, ""},
		"another message":                      {[]string{"a"}, []Event{text, a}, []Event{message("other"), a}, ""},
		"a message twice":                      {[]string{"a"}, []Event{text, a}, []Event{text, a, text}, ""},
		"a pong twice":                         {[]string{"a"}, []Event{a}, []Event{a, a}, report.OK},
		"a pong of nobody's":                   {nil, []Event{text}, []Event{pong("x"), text}, report.OK},
		"the latest pong":                      {[]string{"a", "b"}, []Event{a, b}, []Event{b}, report.OK},
		"both pongs":                           {[]string{"a", "b"}, []Event{a, b}, []Event{a, b}, report.OK},
		"not the latest pong":                  {[]string{"a", "b"}, []Event{a, b}, []Event{a}, ""},
		"pongs in the wrong order":             {[]string{"a", "b"}, []Event{a, b}, []Event{b, a}, report.OK},
		"a pong to what was not to be":         {[]string{"a"}, []Event{text}, []Event{text, a}, ""},
		"an empty pong, which may be nobody's": {[]string{""}, []Event{text}, []Event{pong(""), text}, report.OK},
		"an empty pong before that to a ping":  {[]string{""}, []Event{text, pong("")}, []Event{pong(""), text, pong("")}, report.OK},
		"a wait that passed":                   {nil, []Event{timeout("A")}, []Event{timeout("A")}, report.OK},
		"a wait that did not pass":             {nil, []Event{timeout("A")}, nil, ""},
		"a pong of nobody's within messages":   {nil, []Event{text, text}, []Event{text, pong(""), text}, report.OK},
	} {
		p := &Peer{pings: tt.pings, result: newResult(&Case{}, 0, "")}
		for _, e := range tt.came {
			p.add(e)
		}
		o := Outcome{Verdict: report.OK, Events: tt.wanted}
		if got, ok := o.reads(p.result); got != tt.want && ok || ok != (tt.want != "") {
			t.Errorf("%s: %v, %v, want %q", name, got, ok, tt.want)
		}
	}
}
