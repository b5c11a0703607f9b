package suite

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// fuzzingServer serves until the test is over, and returns its URL.
func fuzzingServer(t *testing.T, o ServerOptions) (*Server, string) {
	t.Helper()
	s, err := NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	if o.TLS != nil {
		return s, "wss://" + ln.Addr().String()
	}
	return s, "ws://" + ln.Addr().String()
}

// echo is this library's client: it echoes until the connection has ended.
func echo(ctx context.Context, url string, config *tls.Config) error {
	c, _, err := conn.Dial(ctx, url, &conn.DialOptions{
		TLS: config, MessageLimit: 32 << 20, Compression: conn.Compression{Mode: conn.CompressionTakeover, Threshold: -1},
	})
	if err != nil {
		return err
	}
	defer c.CloseNow()
	for m, err := range c.Messages(ctx) {
		if err == nil {
			err = c.Write(ctx, m.Type, m.Data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ask returns the message that a path answers with, and the error behind it.
func ask(t *testing.T, url string, config *tls.Config) (string, error) {
	t.Helper()
	c, _, err := conn.Dial(t.Context(), url, &conn.DialOptions{TLS: config})
	if err != nil {
		return "", err
	}
	defer c.CloseNow()
	typ, data, err := c.Read(t.Context())
	if err == nil && typ != conn.Text {
		t.Errorf("%s: a %v message", url, typ)
	}
	if err != nil {
		return "", err
	}
	_, _, err = c.Read(t.Context())
	if conn.CloseStatus(err) != conn.StatusNoStatus {
		t.Errorf("%s: ends with %v", url, err)
	}
	return string(data), nil
}

func runURL(base, id, agent string) string {
	return base + "/runCase?" + url.Values{"casetuple": {id}, "agent": {agent}}.Encode()
}

// runAll has a client run cases, so many at once, and returns the ids of those that do not pass.
func runAll(t *testing.T, s *Server, base, agent string, ids []string, parallel int, client func(ctx context.Context, url string) error) []string {
	t.Helper()
	var tasks sync.WaitGroup
	slots := make(chan struct{}, parallel)
	results := make([]*Result, len(ids))
	for i, id := range ids {
		slots <- struct{}{}
		tasks.Go(func() {
			defer func() { <-slots }()
			_ = client(t.Context(), runURL(base, id, agent)) // how it ends is for the server to judge
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var err error
			if results[i], err = s.Await(ctx, agent, id); err != nil {
				t.Errorf("%s: %v", id, err)
			}
		})
	}
	tasks.Wait()
	var failed []string
	for i, r := range results {
		if r == nil || !r.Passes() {
			failed = append(failed, ids[i])
		}
	}
	return failed
}

// TestOurClientPasses runs all groups over wss and ws, with few of the long messages.
func TestOurClientPasses(t *testing.T) {
	server, client := testtls.Configs(tls.VersionTLS13)
	for name, config := range map[string]*tls.Config{"wss": server, "ws": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var told int
			var updated []*Report
			s, base := fuzzingServer(t, ServerOptions{
				TLS: config, Cases: slices.Concat(quick, quickCompressed, []string{"beyond"}), Slowness: 3,
				Progress: func(*Result) { told++ }, Update: func(r []*Report) error { updated = r; return nil },
			})
			if got, err := ask(t, base+"/getCaseCount", client); got != strconv.Itoa(len(s.Cases())) {
				t.Fatalf("getCaseCount: %q, %v", got, err)
			}
			dial := func(ctx context.Context, url string) error { return echo(ctx, url, client) }
			failed := runAll(t, s, base, "Ours 1", s.Cases(), 16, dial)
			if failed != nil { // on a busy machine: another chance, one by one
				t.Logf("%q failed at first", failed)
				for _, id := range runAll(t, s, base, "Again", failed, 1, dial) {
					r, _ := s.agents.result("Again", id)
					t.Errorf("%s", r.Explain(20))
				}
				return
			}
			if _, err := ask(t, base+"/updateReports?agent=Ours+1", client); conn.CloseStatus(err) != conn.StatusNoStatus {
				t.Errorf("updateReports: %v", err)
			}
			if told != len(s.Cases()) || len(updated) != 1 || updated[0].Agent != "Ours 1" || !updated[0].Passes() {
				t.Errorf("told %d times, reports %v", told, updated)
			}
		})
	}
}

func TestControlPathsAnswerAsTheOriginalDoes(t *testing.T) {
	s, base := fuzzingServer(t, ServerOptions{Cases: []string{"2.1", "7.1.1"}})
	for path, want := range map[string]string{
		"/getCaseCount":                        `2`,
		"/getCaseCount?agent=x":                `2`,
		"/getCaseInfo?case=1":                  `{"description":"A ping without a payload.","id":"2.1"}`,
		"/getCaseInfo?casetuple=7.1.1":         `{"description":"A text message, then a close frame.","id":"7.1.1"}`,
		"/getCaseInfo?casetuple=7.1.1&case=1":  `{"description":"A ping without a payload.","id":"2.1"}`,
		"/getCaseInfo?casetuple=%207.1.1%20":   `{"description":"A text message, then a close frame.","id":"7.1.1"}`,
		"/getCaseStatus?case=1&agent=runs+it":  `{"behavior":"OK"}`,
		"/getCaseStatus?casetuple=2.1&agent=y": `{"behavior":"OK"}`,
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			if strings.HasPrefix(path, "/getCaseStatus") { // asked before the case is run
				u, _ := url.Parse(path)
				go func() { _ = echo(t.Context(), runURL(base, "2.1", u.Query().Get("agent")), nil) }()
			}
			if got, err := ask(t, base+path, nil); got != want || err != nil {
				t.Errorf("%q, %v, want %q", got, err, want)
			}
		})
	}
	if got, want := s.Cases(), []string{"2.1", "7.1.1"}; !slices.Equal(got, want) {
		t.Errorf("cases %q", got)
	}
}

func TestErrandsThatMakeNoSenseAreRefused(t *testing.T) {
	_, base := fuzzingServer(t, ServerOptions{Cases: []string{"2.1", "7.1.1"}, MaxAgents: 1})
	if err := echo(t.Context(), runURL(base, "2.1", "the only one"), nil); err != nil {
		t.Error(err)
	}
	for _, path := range []string{
		"/runCase", "/runCase?case=1", "/runCase?agent=x", "/runCase?case=0&agent=x", "/runCase?case=3&agent=x",
		"/runCase?case=-1&agent=x", "/runCase?case=one&agent=x", "/runCase?case=1&case=2&agent=x", "/runCase?case=1&agent=x&agent=y",
		"/runCase?casetuple=1.1.1&agent=x", "/runCase?casetuple=2.1&casetuple=7.1.1&agent=x", "/runCase?case=1&agent=%zz",
		"/runCase?case=1&agent=" + strings.Repeat("x", 201), "/runCase?case=1&agent=another",
		"/getCaseInfo", "/getCaseStatus?case=1", "/getCaseStatus?agent=x", "/updateReports", "/", "/echo",
	} {
		_, response, err := conn.Dial(t.Context(), base+path, nil)
		want := http.StatusInternalServerError
		if path == "/" || path == "/echo" {
			want = http.StatusNotFound
		}
		if err == nil || response == nil || response.StatusCode != want {
			t.Errorf("%s: %v, %v", path, response, err)
		}
	}
}

func TestAClientStopsTheServer(t *testing.T) {
	for path, o := range map[string]ServerOptions{
		"/stopServer": {},
		"/updateReports?agent=x&shutdownOnComplete=true": {},
		"/updateReports?agent=x":                         {Once: true},
	} {
		s, err := NewServer(o)
		if err != nil {
			t.Fatal(err)
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- s.Serve(t.Context(), ln) }()
		if _, err := ask(t, "ws://"+ln.Addr().String()+path, nil); conn.CloseStatus(err) != conn.StatusNoStatus {
			t.Errorf("%s: %v", path, err)
		}
		if err := <-served; err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestStuckClientsAreLeft has clients connect that say nothing, or nothing more: the server ends without waiting for them.
func TestStuckClientsAreLeft(t *testing.T) {
	server, _ := testtls.Configs(tls.VersionTLS13)
	for name, o := range map[string]ServerOptions{"ws": {}, "wss": {TLS: server}} {
		_, base := fuzzingServer(t, o)
		u, _ := url.Parse(base)
		c, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(name, err)
		}
		defer c.Close()
	}
	s, base := fuzzingServer(t, ServerOptions{})
	c, _, err := conn.Dial(t.Context(), runURL(base, "9.1.6", "stuck"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if busy, _ := s.agents.busy("stuck"); !busy {
		t.Error("the case does not run")
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	_, base := fuzzingServer(t, ServerOptions{MaxConnections: 1})
	u, _ := url.Parse(base)
	first, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	_ = second.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := second.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the second connection: %v", err)
	}
}

func TestAReportThatIsNotWrittenIsToldToTheClient(t *testing.T) {
	_, base := fuzzingServer(t, ServerOptions{Update: func([]*Report) error { return net.ErrClosed }})
	if _, err := ask(t, base+"/updateReports?agent=x", nil); conn.CloseStatus(err) != conn.StatusInternalError {
		t.Errorf("%v", err)
	}
}

func TestResultsOfAServerSaySo(t *testing.T) {
	s, base := fuzzingServer(t, ServerOptions{Cases: []string{"1.1.1", "2.1"}})
	_ = echo(t.Context(), runURL(base, "2.1", "b"), nil)
	_ = echo(t.Context(), runURL(base, "1.1.1", "a"), nil)
	if _, err := s.Await(t.Context(), "a", "1.1.1"); err != nil {
		t.Fatal(err)
	}
	r, err := s.Await(t.Context(), "b", "2.1")
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(data), `"isServer":true`) || !strings.Contains(string(data), `"case":2,`) {
		t.Errorf("%s, %v", data, err)
	}
	reports := s.Reports()
	if len(reports) != 2 || reports[0].Agent != "a" || reports[1].Agent != "b" || reports[0].Passes() {
		t.Fatalf("%v", reports)
	}
	problems := reports[0].Problems(nil)
	if len(problems) != 1 || problems[0].ID != "2.1" || !problems[0].Missing {
		t.Errorf("%v", problems)
	}
	dir := t.TempDir()
	if err := WriteJSON(dir, reports...); err != nil {
		t.Fatal(err)
	}
	if read, err := report.Read("b", dir); err != nil || len(read.Cases) != 1 {
		t.Errorf("%v, %v", read, err)
	}
}
