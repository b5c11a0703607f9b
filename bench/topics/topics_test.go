package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/native"
	"github.com/seed-c4549abd/wss/bench/report"
	"github.com/seed-c4549abd/wss/bench/rows"
	"github.com/seed-c4549abd/wss/bench/sheet"
)

// TestMain lets this binary be a server, as the command itself is; here there are some that do not deliver everything.
func TestMain(m *testing.M) {
	if os.Getenv(child.Env) == "" {
		os.Exit(m.Run())
	}
	backends["loses-one"] = faulty(func(r *rooms, topic string, data []byte) error {
		if bytes.HasPrefix(data, []byte(`"#0 3 `)) {
			return r.publishToAllButOne(topic, data)
		}
		return r.publish(topic, data)
	})
	backends["loses-the-last"] = faulty(func(r *rooms, topic string, data []byte) error {
		if bytes.HasPrefix(data, []byte(`"#1 5 `)) {
			return r.publishToAllButOne(topic, data)
		}
		return r.publish(topic, data)
	})
	backends["sends-twice"] = faulty(func(r *rooms, topic string, data []byte) error {
		return errors.Join(r.publish(topic, data), r.publish(topic, data))
	})
	backends["cannot-publish"] = faulty(func(*rooms, string, []byte) error { return errors.New("out of paper") })
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// faulty is the server written by hand, with another way to publish.
func faulty(publish func(r *rooms, topic string, data []byte) error) backend {
	return func(ln net.Listener, config *tls.Config) (publisher, func() error, error) {
		r := newRooms()
		return func(topic string, data []byte) error { return publish(r, topic, data) }, serveHTTP(ln, config, r), nil
	}
}

// publishToAllButOne leaves out one subscriber.
func (r *rooms) publishToAllButOne(topic string, data []byte) error {
	var out *member
	r.mu.Lock()
	for out = range r.topics[topic] {
		break
	}
	delete(r.topics[topic], out)
	r.mu.Unlock()
	err := r.publish(topic, data)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.topics[topic][out] = true
	return err
}

func newKeys(t *testing.T) *native.Keys {
	t.Helper()
	k, err := native.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Remove)
	return k
}

// needsUsage skips tests where the use of another process cannot be asked for.
func needsUsage(t *testing.T) {
	t.Helper()
	if _, err := native.CPUTime(os.Getpid()); err != nil {
		t.Skip("the CPU time of another process cannot be read on this system: ", err)
	}
}

// small is a round that takes a moment.
var small = shape{key: "1", conns: 6, topics: 2, messages: 10, rate: 1000, rounds: 2, patience: time.Minute}

func TestEveryServerInGoDeliversWhatItPublishes(t *testing.T) {
	needsUsage(t)
	keys := newKeys(t)
	for _, srv := range goServers() {
		t.Run(srv.name, func(t *testing.T) {
			s, err := small.open(t.Context(), srv, keys)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for range 2 {
				sample, err := s.Round()
				if err != nil {
					t.Fatal(err)
				}
				if sample["cpu"] <= 0 || sample["rate"] <= 0 || sample["bytes"] < payloadSize || sample["bytes"] > 2*payloadSize {
					t.Errorf("%v", sample)
				}
			}
			if n := s.(*session).clients.delivered.Load(); n != 60 {
				t.Errorf("%d messages delivered, want 60", n)
			}
		})
	}
}

func TestMemoryIsThatOfSubscriptionsThatReceive(t *testing.T) {
	needsUsage(t)
	keys := newKeys(t)
	m := subscriptions{key: "3", conns: 4, each: 3, topics: 6, rounds: 1, rate: 1000, settle: time.Millisecond, patience: time.Minute}
	for _, srv := range goServers() {
		t.Run(srv.name, func(t *testing.T) {
			r := &memoryRounds{m, t.Context(), srv, keys}
			sample, err := r.Round()
			if err != nil {
				t.Fatal(err)
			}
			for _, metric := range memoryMetrics {
				if _, ok := sample[metric.Key]; !ok {
					t.Errorf("%s is missing in %v", metric.Key, sample)
				}
			}
		})
	}
}

func TestARoundWithAFaultIsAnError(t *testing.T) {
	needsUsage(t)
	keys := newKeys(t)
	faults := small
	faults.patience = 10 * time.Second // a message that is lost is waited for as long
	for name, want := range map[string]string{
		"loses-one":      "message 4 of topic-0 came behind 2",
		"loses-the-last": "29 of 30 messages delivered",
		"sends-twice":    "came again, behind 1",
		"cannot-publish": "out of paper",
	} {
		t.Run(name, func(t *testing.T) {
			srv := goServer(name, "", libs.Peer, plainProtocol)
			table := (&rows.Config{Log: io.Discard}).Measure(t.Context(), faults.table([]server{srv}, keys))
			if len(table.Lines) != 0 || len(table.Absent) != 1 || !strings.Contains(table.Absent[0].Reason, want) {
				t.Fatalf("lines %v, absent %v; want %q", table.Lines, table.Absent, want)
			}
			if err := sheet.Failures(&report.Report{Tables: []report.Table{table}}); err == nil {
				t.Error("the command succeeds")
			}
		})
	}
}

func TestAnAnswerOrMessageOutOfPlaceIsAnError(t *testing.T) {
	for name, text := range map[string]string{
		"an answer that says no":      `{"type":"error","code":"forbidden"}`,
		"two answers":                 "subscribed topic-1 subscribed topic-2",
		"a topic of others":           string(payload(2, 1)),
		"a message that comes early":  string(payload(1, 2)),
		"a message that comes again":  string(payload(1, 1)) + string(payload(1, 1)),
		"a message that was cut":      string(payload(1, 1)[:payloadSize-1]),
		"a message that ends nowhere": string(payload(1, 1)[:payloadSize-1]) + "x",
	} {
		c := &client{answer: plainProtocol.subscribed, await: 1, last: map[int]int{1: 0}}
		if messages, answers, err := c.take([]byte(text)); err == nil {
			t.Errorf("%s: taken for %d messages and %d answers", name, messages, answers)
		}
	}
	c := &client{answer: plainProtocol.subscribed, await: 1, last: map[int]int{1: 0, 17: 41}}
	text := "subscribed topic-1\n" + string(payload(1, 1)) + "\n" + string(payload(17, 42)) + string(payload(1, 2))
	if messages, answers, err := c.take([]byte(text)); messages != 3 || answers != 1 || err != nil {
		t.Errorf("%d messages, %d answers, %v", messages, answers, err)
	}
}

func TestFramesOfEveryLengthAreRead(t *testing.T) {
	var stream []byte
	sizes := []int{0, 125, 126, 70_000}
	for _, n := range sizes {
		at := len(stream)
		stream = libs.AppendFrame(stream, bytes.Repeat([]byte("x"), n))
		stream[at] = fin | text // in place of binary
	}
	in := newFrames(bytes.NewReader(stream[3:]), stream[:3])
	for _, n := range sizes {
		if data, size, err := in.next(); len(data) != n || size <= n || err != nil {
			t.Errorf("%d bytes in a frame of %d, want %d; %v", len(data), size, n, err)
		}
	}
	for name, frame := range map[string]string{"binary": "\x82\x00", "closing": "\x88\x02\x03\xf1", "too long": "\x81\x7f\x00\x00\x00\x01\x00\x00\x00\x00"} {
		if _, _, err := newFrames(strings.NewReader(frame), nil).next(); err == nil {
			t.Errorf("a frame that is %s was read", name)
		}
	}
}

func TestMessagesArePaced(t *testing.T) {
	var times []time.Time
	s := newSource(func(string, []byte) error {
		times = append(times, time.Now())
		return nil
	})
	if answer, err := s.do("publish 5 50 5"); answer != "published" || err != nil || len(times) != 5 {
		t.Fatalf("%q, %v, %d messages", answer, err, len(times))
	}
	if took := times[4].Sub(times[0]); took < 80*time.Millisecond {
		t.Errorf("the fifth message came %v after the first, want 80 ms", took)
	}
	for _, command := range []string{"sing", "publish 1 0 1", "publish 1 1 0", "publish"} {
		if _, err := s.do(command); err == nil {
			t.Errorf("%q was done", command)
		}
	}
}

func TestLinesAreChosenByName(t *testing.T) {
	o, _, _, err := parse([]string{"-quick", "-libs", "wss,by-hand"})
	if err != nil || o.out != "report-quick" {
		t.Fatalf("%+v, %v", o, err)
	}
	servers, _, absent, err := lineup(t.Context(), o, io.Discard)
	if err != nil || len(servers) != 2 || len(absent) != 0 {
		t.Errorf("%d servers, absent %v, %v", len(servers), absent, err)
	}
	o.libs = []string{"nobody"}
	if _, _, _, err := lineup(t.Context(), o, io.Discard); err == nil || !strings.Contains(err.Error(), centrifugeHistoryName) {
		t.Error(err)
	}
}

func TestAServerThatCannotBeBuiltIsLeftOutWithTheReason(t *testing.T) {
	o := options{source: t.TempDir(), cache: t.TempDir()}
	servers, modules, absent, err := lineup(context.Background(), o, io.Discard)
	if err != nil || len(servers) != 5 || len(modules) != 0 || len(absent) != 1 || absent[0].Name != uwsName {
		t.Errorf("%d servers, modules %v, absent %v, %v", len(servers), modules, absent, err)
	}
	if err := sheet.Failures(&report.Report{Tables: []report.Table{{Absent: absent}}}); err != nil {
		t.Errorf("what cannot be built fails the command: %v", err)
	}
}

func TestTheReportHasRatiosWithQuartiles(t *testing.T) {
	line := func(name string, kind libs.Kind, cpu ...float64) report.Line {
		return report.Line{Name: name, Kind: kind.String(), Setup: "as " + name, Rounds: map[string][]float64{"cpu": cpu}}.Summarised()
	}
	r := &report.Report{Quick: true, Tables: []report.Table{{
		Key: "1", Title: "the work", Metrics: publishMetrics,
		Lines:  []report.Line{line(wssName, libs.Ours, 1, 2, 3), line(byHandName, libs.Peer, 2, 2, 2)},
		Absent: []report.Absent{{Name: uwsName, Reason: "cc is not installed"}},
	}}}
	dir := filepath.Join(t.TempDir(), "report")
	if err := topicsSheet.Write(r, dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "topics.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a quick run", "## 1. the work", "wss ÷ this", "1.00 (0.750–1.25)", "- uWebSockets: cc is not installed", "as by-hand"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestThePlanFitsItsTime(t *testing.T) {
	for _, quick := range []bool{false, true} {
		p := planned(options{quick: quick})
		var takes time.Duration
		for _, s := range p.shapes {
			if s.conns%s.topics != 0 || s.messages%s.topics != 0 {
				t.Errorf("%+v: topics are not alike", s)
			}
			takes += 6 * time.Duration(s.rounds+1) * time.Second * time.Duration(s.messages) / time.Duration(s.rate)
		}
		if takes > p.limit*3/4 {
			t.Errorf("publishing alone takes %v of %v", takes, p.limit)
		}
	}
}
