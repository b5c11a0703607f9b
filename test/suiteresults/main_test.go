package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c4549abd/wss/autobahn/suite"
	"github.com/seed-c4549abd/wss/autobahn/suite/faulty"
)

// resultsOf runs cases against a server with a fault.
func resultsOf(t *testing.T, f faulty.Fault, cases ...string) []*suite.Result {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- faulty.Serve(ln, f) }()
	t.Cleanup(func() {
		_ = ln.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	rep, err := suite.Run(t.Context(), suite.Options{URL: "ws://" + ln.Addr().String(), Cases: cases})
	if err != nil {
		t.Fatal(err)
	}
	return rep.Results
}

func TestFindingsSayHowMuchTheyWeigh(t *testing.T) {
	for _, tt := range []struct {
		fault faulty.Fault
		cases []string
		want  []string // the findings
		kind  kind
		sent  string
		came  string
	}{
		{faulty.None, []string{"1.1.2", "28.1.1"}, nil, "", "", ""},
		{faulty.EchoesTextAsBinary, []string{"1.1.2", "1.1.3", "1.2.2"}, []string{"1.1.2, 1.1.3: FAILED, WRONG CODE"}, must,
			"81fd2a2a2a2a2a2a2a2a…", "827d2a2a2a2a2a2a2a2a…"},
		{faulty.LongForms, []string{"28.1.1", "28.1.2"}, []string{"28.1.1, 28.1.2: NON-STRICT, NON-STRICT"}, taste,
			"81fe000573686f7274 889803e9746865206361…", "810573686f7274 880203e9"},
		{faulty.JustDrops, []string{"28.4.1", "28.4.2"}, []string{"28.4.1, 28.4.2: OK, NON-STRICT"}, should, "918c48656c6c6f20576f…", ""},
		{faulty.LatestPong, []string{"2.9", "2.10"}, []string{"2.10: FAILED, OK"}, taste,
			"89897061796c6f61642d… 89897061796c6f61642d… 89897061796c6f61642d… …", "8a097061796c6f61642d… 8800"},
		{faulty.Declines, []string{"12.1.1"}, []string{"12.1.1: UNIMPLEMENTED, OK"}, taste, "888203e8", "880203e8"},
	} {
		t.Run(string(tt.fault), func(t *testing.T) {
			t.Parallel()
			all := findings(resultsOf(t, tt.fault, tt.cases...), nil)
			if len(all) != len(tt.want) {
				t.Fatalf("%d findings, want %d", len(all), len(tt.want))
			}
			for i, f := range all {
				if f.String() != tt.want[i] || f.kind != tt.kind || f.sent != tt.sent || f.came != tt.came || f.section == "" || f.found == "" {
					t.Errorf("%v, %s (%s), sent %s, came %s, section %q, found %q, want\n%s, %s, sent %s, came %s",
						&f, f.kind, f.why, f.sent, f.came, f.section, f.found, tt.want[i], tt.kind, tt.sent, tt.came)
				}
			}
		})
	}
}

func TestFramesAreShownWithoutTheirKeys(t *testing.T) {
	for name, tt := range map[string]struct {
		octets string
		want   string
		size   int
	}{
		"plain":                     {"\x81\x02hi", "81026869", 4},
		"masked":                    {"\x81\x82\x01\x02\x03\x04ij", "81826868", 8},
		"empty":                     {"\x89\x00", "8900", 2},
		"long":                      {"\x82\x0aabcdefghij", "820a6162636465666768…", 12},
		"cut off":                   {"\x81\x05hi", "81056869…", 7},
		"cut off in the key":        {"\x81\x85\x01\x02", "8185…", 11},
		"16 bits":                   {"\x81\x7e\x00\x02hi", "817e00026869", 6},
		"64 bits":                   {"\x81\x7f\x00\x00\x00\x00\x00\x00\x00\x02hi", "817f00000000000000026869", 12},
		"64 bits with the top one":  {"\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x02hi", "817f80000000000000026869", 12},
		"64 bits that are all set":  {"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xffhi", "817fffffffffffffffff…", 13},
		"16 bits that are not here": {"\x81\x7e\x00", "817e00…", 128},
	} {
		if got, size := oneFrame([]byte(tt.octets)); got != tt.want || size != tt.size {
			t.Errorf("%s: %s, %d octets, want %s, %d", name, got, size, tt.want, tt.size)
		}
	}
}

func TestAPeerThatCannotBeInstalledIsSkippedLoudly(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	out := filepath.Join(t.TempDir(), "page.md")
	var stderr bytes.Buffer
	err := run(t.Context(), []string{"-root", "../..", "-cache", t.TempDir(), "-peers", "ws,websockets,gorilla", "-out", out}, io.Discard, &stderr)
	if !errors.Is(err, errSkipped) {
		t.Errorf("error %v", err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"SKIPPED: Node ws: node is not installed", "SKIPPED: Python websockets: python3 is not installed", "SKIPPED: github.com/gorilla/websocket: go is not installed"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("standard error has no %q:\n%s", want, &stderr)
		}
	}
	for _, want := range []string{"| Node ws | **not tried** |", "**Not tried**: node is not installed."} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page has no %q:\n%s", want, text)
		}
	}
}

func TestAServerThatDoesNotStartIsSkipped(t *testing.T) {
	b := &bench{cache: t.TempDir(), log: io.Discard}
	for name, line := range map[string][]string{
		"it is not there": {filepath.Join(t.TempDir(), "nothing")},
		"it ends at once": {os.Args[0], "-test.run", "^$"},
	} {
		p := peer{name, name, func(context.Context, *bench) ([]string, string, error) { return line, "1", nil }}
		if got := b.try(t.Context(), p, []string{"1.1.1"}); got.skipped == "" || got.findings != nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// fragile is set in a run of this test's executable that is a server which ends at a length with its top bit set.
const fragile = "WSS_SUITERESULTS_FRAGILE"

func TestMain(m *testing.M) {
	if os.Getenv(fragile) == "" {
		os.Exit(m.Run())
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("listening ws://%s\n", ln.Addr())
	panic(faulty.Serve(fragileListener{ln}, faulty.None))
}

type fragileListener struct{ net.Listener }

func (l fragileListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return fragileConn{conn}, err
}

type fragileConn struct{ net.Conn }

func (c fragileConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if bytes.HasPrefix(b[:n], []byte{0x81, 0xff, 0x80}) {
		os.Exit(3)
	}
	return n, err
}

// TestAProgramThatEndsIsFoundOutByTheCaseThatEndsIt, and the cases beside it are none of its findings.
func TestAProgramThatEndsIsFoundOutByTheCaseThatEndsIt(t *testing.T) {
	t.Setenv(fragile, "1")
	b := &bench{cache: t.TempDir(), log: io.Discard}
	p := peer{"fragile", "fragile", func(context.Context, *bench) ([]string, string, error) { return []string{os.Args[0]}, "1", nil }}
	got := b.try(t.Context(), p, []string{"1.1.1", "1.1.2", "2.1", "28.2.1", "28.2.4", "28.3.1"})
	if got.skipped != "" || got.original != (score{3, 3}) || got.beyond != (score{2, 3}) || len(got.findings) != 1 {
		t.Fatalf("%+v", got)
	}
	if f := got.findings[0]; !f.crash || f.cases[0] != "28.2.1" || f.sent != "" || f.kind != must {
		t.Errorf("%+v", f)
	}
}

func TestThePageHasEveryFinding(t *testing.T) {
	text := page([]outcome{
		{peer: peer{title: "Some | thing"}, version: "1.2", original: score{1, 2}, beyond: score{3, 4}, findings: []finding{
			{cases: []string{"1.1.1", "1.1.2"}, kind: must, behavior: "FAILED", closing: "OK", did: "A <b>", found: "came `x`", sent: "8100", section: "RFC 6455 §5.2"},
			{cases: []string{"28.1.1"}, kind: taste, why: "because", behavior: "NON-STRICT", closing: "OK"},
		}},
		{peer: peer{title: "Nothing"}, version: "2"},
	}, []string{"1.*"})
	for _, want := range []string{
		`| [Some \| thing](#some--thing) | 1.2 | 1 of 2 | 3 of 4 | 1 | 0 | 1 |`,
		"| 1.1.1, 1.1.2 | MUST | FAILED, OK | A &lt;b> | came 'x' | `8100` |  | RFC 6455 §5.2 |",
		"| 28.1.1 | **taste**: because | NON-STRICT, OK |",
		"## Nothing\n\nNothing was found.\n",
		"The cases: `1.*`.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
}

func TestPeersAreChosenByTheirNames(t *testing.T) {
	o, err := parse([]string{"-peers", "ws, jetty"}, io.Discard)
	if err != nil || len(o.peers) != 2 || o.peers[1].name != "jetty" || o.out != "" {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err = parse(nil, io.Discard); err != nil || len(o.peers) != len(peers()) || filepath.Base(o.out) != "suite-results.md" {
		t.Errorf("%+v, %v", o, err)
	}
	for _, args := range [][]string{{"-peers", "nobody"}, {"more"}, {"-what"}} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}

func TestAPageIsComparedByItsVerdicts(t *testing.T) {
	peers := []outcome{
		{peer: peer{title: "one"}, version: "1.0", original: score{1, 2}, findings: []finding{{kind: must, cases: []string{"1.1", "1.2"}, behavior: "FAILED", closing: "OK", found: "Within 1.2s nothing came."}}},
		{peer: peer{title: "two"}, skipped: "there is no compiler"},
	}
	old := page(peers, nil)
	peers[0].findings[0].found = "Within 1.3s nothing came."
	if got := differences(old, page(peers, nil)); len(got) > 0 {
		t.Errorf("a time differs: %q", got)
	}
	peers[0].version, peers[0].findings[0].cases = "1.1", []string{"1.1"}
	want := []string{
		"- one: 1.0, 1 of 2, 0 of 0, 1, 0, 0", "- one: 1.1, 1.2 | MUST | FAILED, OK",
		"+ one: 1.1, 1 of 2, 0 of 0, 1, 0, 0", "+ one: 1.1 | MUST | FAILED, OK",
	}
	if d := cmp.Diff(want, differences(old, page(peers, nil))); d != "" {
		t.Error(d)
	}
	if got := verdicts(old)["two"]; got != nil {
		t.Errorf("a peer that was not tried has %q", got)
	}
	for _, args := range [][]string{{"-check", "-out", "page.md"}, {"-check", "-cases", "1.*"}} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}
