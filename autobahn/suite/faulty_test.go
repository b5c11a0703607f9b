package suite

import (
	"crypto/tls"
	"flag"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/autobahn/suite/faulty"
	"github.com/seed-c4549abd/wss/internal/race"
)

// few says that tests try a part of what they could: with the race detector, where all takes ten times as long, and with -short.
func few() bool { return race.Enabled || testing.Short() }

// TestMain sends fewer messages then.
func TestMain(m *testing.M) {
	flag.Parse()
	if few() {
		messages = 100
	}
	os.Exit(m.Run())
}

// tried are the faults that a test goes through: all or one in six.
func tried(all []faulty.Fault) []faulty.Fault {
	if !few() {
		return all
	}
	var some []faulty.Fault
	for i := 0; i < len(all); i += 6 {
		some = append(some, all[i])
	}
	return some
}

// faultyServer serves one fault over ws, or over wss with a configuration, and returns its URL.
func faultyServer(t *testing.T, f faulty.Fault, config *tls.Config) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	scheme := "ws"
	if config != nil {
		ln, scheme = tls.NewListener(ln, config), "wss"
	}
	served := make(chan error, 1)
	go func() { served <- faulty.Serve(ln, f) }()
	t.Cleanup(func() {
		_ = ln.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return scheme + "://" + ln.Addr().String()
}

// catching says which cases a fault makes fail: those that the patterns name and those of which the function is true. All
// others must pass.
type catching struct {
	patterns []string
	where    func(*Case) bool
}

// caught are those of servers.
var caught = map[faulty.Fault]catching{
	faulty.None: {},

	faulty.EchoesTextAsBinary:   {where: wantsText},
	faulty.ShortensLongMessages: {patterns: []string{"1.1.7", "1.1.8", "1.2.7", "1.2.8", "9.1.*", "9.2.*", "9.3.*", "9.4.*", "9.5.*", "9.6.*", "10.1.1"}},
	faulty.LongHeaders:          {where: isJudged},
	faulty.Masks:                {where: isJudged},

	faulty.NoPongs:      {where: wantsPong},
	faulty.EmptyPongs:   {where: func(c *Case) bool { return wantsPong(c) && c.ID != "2.1" }},
	faulty.LatePongs:    {patterns: []string{"5.6", "5.7", "5.8", "5.19", "5.20"}},
	faulty.AnswersPongs: {patterns: []string{"2.7", "2.8", "2.9"}},
	faulty.LongControl:  {patterns: []string{"2.5", "7.3.6"}},

	// 3.7 is a close frame: an answer without a status code is fine however the bits were taken.
	faulty.IgnoresRSV:     {patterns: []string{"3.1", "3.2", "3.3", "3.4", "3.5", "3.6"}},
	faulty.IgnoresOpcodes: {patterns: []string{"4.*"}},

	// In 5.2 the second half fails, as a continuation of nothing.
	faulty.FragmentedControl: {patterns: []string{"5.1"}},
	faulty.Unstarted: {patterns: []string{
		"5.9", "5.10", "5.11", "5.12", "5.13", "5.14", "5.15", "5.16", "5.17",
	}},
	faulty.Unended: {patterns: []string{"5.18"}},
	faulty.EchoesFragments: {patterns: []string{
		"5.3", "5.4", "5.5", "5.6", "5.7", "5.8", "5.15", "5.18", "5.19", "5.20",
		"6.1.2", "6.1.3", "6.2.2", "6.2.3", "6.2.4", "6.3.2", "6.4.1", "6.4.2", "7.1.5",
		"9.3.*", "9.4.*", "10.1.1", "12.5.11",
	}},

	faulty.NoUTF8:   {where: func(c *Case) bool { return c.Closing.WrongEndIsFatal }},
	faulty.LateUTF8: {patterns: []string{"6.4.*"}},
	faulty.HalfCharacters: {patterns: []string{
		"6.6.1", "6.6.3", "6.6.4", "6.6.6", "6.6.8", "6.6.10", "6.14.6", "6.14.7",
	}},

	faulty.TalksOn:        {patterns: []string{"7.1.3", "7.1.4", "7.1.5"}},
	faulty.ShortClose:     {patterns: []string{"7.3.2"}},
	faulty.AnyReason:      {patterns: []string{"7.5.1"}},
	faulty.AnyCode:        {patterns: []string{"7.9.*"}},
	faulty.WrongCode:      {where: func(c *Case) bool { return isJudged(c) && c.Closing.Codes[0] != 1000 }},
	faulty.NoCloseFrame:   {where: func(c *Case) bool { return isJudged(c) && c.Closing.Clean }},
	faulty.StaysConnected: {where: isJudged},

	faulty.Declines:         {where: compresses},
	faulty.UnknownParameter: {where: compresses},
	// The original does not notice: see group 26.
	faulty.WidensWindow:       {},
	faulty.ForgetsPromise:     {},
	faulty.KeepsContext:       {patterns: []string{"13.2.*", "13.5.*", "13.6.*", "13.7.*"}},
	faulty.ForgetsContext:     {where: compresses},
	faulty.WideWindow:         {patterns: []string{"13.3.*", "13.5.*", "13.7.*"}},
	faulty.Pretends:           {where: compresses},
	faulty.Unmarked:           {where: compresses},
	faulty.MarksFragments:     {where: compresses},
	faulty.MarksControl:       {where: compresses},
	faulty.CutsOff:            {where: compresses},
	faulty.ShortensCompressed: {where: compresses},
}

// isJudged is false for the cases that take note only.
func isJudged(c *Case) bool { return !slices.Contains([]string{"7.1.6", "7.13.1", "7.13.2"}, c.ID) }

// of reports whether a case is one of group 9 whose second number is among these.
func of(c *Case, numbers string) bool {
	return c.ID[:2] == "9." && strings.Contains(numbers, c.ID[2:3])
}

func wantsText(c *Case) bool {
	if compresses(c) {
		return c.ID[:2] == "13" || c.ID[:4] == "12.1" || c.ID[:4] == "12.4"
	}
	return of(c, "1357") || isJudged(c) && slices.ContainsFunc(best(c), func(e Event) bool {
		return e.Kind == kindMessage && !e.Binary
	})
}

// best are the events of the best outcome.
func best(c *Case) []Event {
	if len(c.Outcomes) == 0 {
		return nil
	}
	return c.Outcomes[0].Events
}

func wantsPong(c *Case) bool {
	return slices.ContainsFunc(best(c), func(e Event) bool { return e.Kind == kindPong })
}

// quick are all groups, with few of the long messages.
var quick = []string{
	"1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*",
	"9.1.1", "9.2.1", "9.3.4", "9.4.4", "9.5.6", "9.6.6", "9.7.2", "9.8.2", "10.*",
	"12.1.2",
}

// quickCompressed are cases of all kinds about compression, and some that are not about it.
var quickCompressed = []string{
	"1.*", "5.3", "12.1.2", "12.2.3", "12.5.11", "13.2.3", "13.3.4", "13.4.2", "13.5.4", "13.6.1", "13.7.5",
}

// selected are the cases that a fault is tried with.
func selected(f faulty.Fault) []string {
	all := faulty.Faults()
	switch {
	case f == faulty.None:
		return slices.Concat(quick, quickCompressed)
	case slices.Index(all, f) >= slices.Index(all, faulty.Declines):
		return quickCompressed
	}
	return quick
}

// compresses are the cases about compression.
func compresses(c *Case) bool { return c.offers != nil }

// expected are the ids of the cases that must catch a fault, by the first table that has it.
func expected(t *testing.T, f faulty.Fault, tables ...map[faulty.Fault]catching) []string {
	t.Helper()
	i := slices.IndexFunc(tables, func(table map[faulty.Fault]catching) bool { _, ok := table[f]; return ok })
	if i < 0 {
		t.Fatal("no entry in the table")
	}
	entry := tables[i][f]
	var named []string
	if entry.patterns != nil {
		var err error
		if named, err = report.Match(entry.patterns); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	cases, err := Select(selected(f))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if slices.Contains(named, c.ID) || entry.where != nil && entry.where(&c) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

func failures(t *testing.T, o Options) []string {
	t.Helper()
	rep, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range rep.Results {
		if !r.Passes() {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// caughtBy returns the cases that a server does not pass. Those that it should pass are tried again: a machine may have been busy.
func caughtBy(t *testing.T, o Options, want []string) []string {
	t.Helper()
	got := failures(t, o)
	return retried(t, want, got, func(ids []string) []string {
		return failures(t, Options{URL: o.URL, TLS: o.TLS, Cases: ids, Parallel: 4, Slowness: 3})
	})
}

// retried returns those of got that are wanted, or fail again where run gives them more time.
func retried(t *testing.T, want, got []string, run func(ids []string) []string) []string {
	t.Helper()
	for range 3 {
		unexpected := slices.DeleteFunc(slices.Clone(got), func(id string) bool { return slices.Contains(want, id) })
		if len(unexpected) == 0 {
			break
		}
		t.Logf("failed at first: %q", unexpected)
		again := run(unexpected)
		got = slices.DeleteFunc(got, func(id string) bool { return slices.Contains(unexpected, id) && !slices.Contains(again, id) })
	}
	return got
}

// attempt collects what a check reports.
type attempt struct {
	*testing.T
	reports []string
}

func (a *attempt) Errorf(format string, args ...any) {
	a.reports = append(a.reports, fmt.Sprintf(format, args...))
}

// eventually has a check succeed in one of four attempts: what the suite waits for comes late where a machine is busy.
func eventually(t *testing.T, check func(t *attempt)) {
	t.Helper()
	for range 3 {
		a := &attempt{T: t}
		if check(a); len(a.reports) == 0 {
			return
		}
		t.Logf("at first: %q", a.reports)
	}
	a := &attempt{T: t}
	check(a)
	for _, report := range a.reports {
		t.Error(report)
	}
}

// TestFaultsAreCaughtByTheCasesAboutThem shows every group able to fail, and nothing to fail that should not.
func TestFaultsAreCaughtByTheCasesAboutThem(t *testing.T) {
	for _, f := range append(tried(faulty.Faults()), faulty.None) {
		t.Run("a server that "+string(f), func(t *testing.T) {
			t.Parallel()
			url := faultyServer(t, f, nil)
			// Faults are waited for less long than they would be otherwise; a busy machine gets more time when it fails.
			want := expected(t, f, caught)
			got := caughtBy(t, Options{URL: url, Cases: selected(f), Slowness: 0.3, Parallel: 64, Latency: time.Millisecond}, want)
			if !slices.Equal(got, want) {
				t.Errorf("caught by\n%q, want\n%q", got, want)
			}
		})
	}
}
