package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/test/process"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// The tests are a peer themselves, with a fault that the environment names.
const faultVar = "WSS_MATRIX_FAULT"

func TestMain(m *testing.M) {
	if fault, ok := os.LookupEnv(faultVar); ok {
		ownPeer(fault, os.Args[1], os.Args[2:])
		return
	}
	os.Exit(m.Run())
}

// ownPeer is this library as a peer's program.
func ownPeer(fault, mode string, args []string) {
	switch mode {
	case "client":
		pem, err := os.ReadFile(args[0])
		roots := x509.NewCertPool()
		if err != nil || !roots.AppendCertsFromPEM(pem) {
			panic(err)
		}
		cfg, err := tlsconf.Client(tlsconf.ClientOptions{RootCAs: roots})
		if err != nil {
			panic(err)
		}
		cfg.MinVersion = tls.VersionTLS12
		for _, url := range args[1:] {
			c, _, err := conn.Dial(context.Background(), url, &conn.DialOptions{
				TLS: cfg, Subprotocols: []string{"unknown", "echo"}, MessageLimit: messageLimit,
				Compression: conn.Compression{Mode: conn.CompressionTakeover},
			})
			if err != nil {
				fmt.Printf("{\"failed\": %q}\n", err)
				continue
			}
			ownEcho(fault, c)
		}
	case "server":
		if fault == "fails once, as a client" {
			fault = ""
		}
		mux := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := conn.Accept(w, r, &conn.AcceptOptions{
				Subprotocols: []string{"echo"}, MessageLimit: messageLimit, Compression: conn.Compression{Mode: conn.CompressionTakeover},
			})
			if err == nil {
				ownEcho(fault, c)
			}
		})
		ln, err := net.Listen("tcp", "127.0.0.1:"+args[0])
		if err != nil {
			panic(err)
		}
		fmt.Printf("{\"listening\": %s}\n", args[0])
		panic(http.ServeTLS(ln, mux, args[1], args[2]))
	}
}

func ownEcho(fault string, c *conn.Conn) {
	err := c.Serve(context.Background(), func(c *conn.Conn, m conn.Message) error {
		name, rest, _ := strings.Cut(string(m.Data), " ")
		switch {
		case name == "!close":
			code, reason, _ := strings.Cut(rest, " ")
			n, _ := strconv.Atoi(code)
			return c.Close(conn.StatusCode(n), reason)
		case name == "!send":
			n, _ := strconv.Atoi(rest)
			return c.Write(c.Context(), conn.Binary, make([]byte, n))
		case fault == "drops empty messages" && len(m.Data) == 0:
			return nil
		case fault == "fails once, as a client" && string(m.Data) == "hello" && os.Getenv("WSS_MATRIX_ONCE") != "" && os.Remove(os.Getenv("WSS_MATRIX_ONCE")) == nil:
			return nil
		case fault == "ends at 1 MiB" && len(m.Data) == 1<<20:
			os.Exit(1)
		}
		return c.Write(c.Context(), m.Type, m.Data)
	})
	if fault == "says nothing of ends" {
		return
	}
	e, ok := errors.AsType[*conn.CloseError](context.Cause(c.Context()))
	if !ok {
		panic(err)
	}
	line, _ := json.Marshal(map[string]any{"closed": e.Code, "reason": e.Reason})
	fmt.Printf("%s\n", line)
}

// runOwn runs the matrix with ourselves as the only peer, in both roles at the same time, since most of it is waiting.
func runOwn(t *testing.T, fault string, wanted ...string) *report {
	t.Helper()
	usual, time := checks, checkTime
	t.Cleanup(func() { checks, checkTime = usual, time })
	if fault != "" {
		checkTime /= 10
	}
	if len(wanted) > 0 {
		var some []check
		for _, k := range usual {
			for _, name := range wanted {
				if k.name == name {
					some = append(some, k)
				}
			}
		}
		checks = some
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := process.Command{Args: []string{self}, Env: append(os.Environ(), faultVar+"="+fault)}
	var reports [2]*report
	var tasks sync.WaitGroup
	for i, run := range []func(*matrix, context.Context, *servers, *peer, process.Command) error{(*matrix).foreignClient, (*matrix).foreignServer} {
		reports[i] = &report{w: t.Output()}
		m := &matrix{options: &options{}, work: t.TempDir(), log: io.Discard, report: reports[i]}
		s, err := newServers(m.work)
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		tasks.Go(func() {
			if err := run(m, t.Context(), s, &peer{name: "own", roles: both}, command); err != nil {
				t.Error(err)
			}
		})
	}
	tasks.Wait()
	return &report{w: t.Output(), results: append(reports[0].results, reports[1].results...)}
}

// failures are the checks that failed, as "role: check".
func failures(r *report) string {
	var list []string
	for _, x := range r.results {
		if x.verdict != passed {
			list = append(list, x.role+": "+x.check)
		}
	}
	return strings.Join(list, ", ")
}

func TestThisLibraryPassesAllChecks(t *testing.T) {
	r := runOwn(t, "")
	if got := failures(r); got != "" || len(r.results) != 2*len(checks) {
		t.Errorf("of %d checks these failed: %s", len(r.results), got)
	}
}

func TestWhatAPeerDoesWrongShows(t *testing.T) {
	if got := failures(runOwn(t, "drops empty messages", "text", "empty", "closed by us")); got != "client: empty, server: empty" {
		t.Errorf("failed: %s", got)
	}
}

// TestAPeerThatEndsIsStartedAgain for the checks that are left.
func TestAPeerThatEndsIsStartedAgain(t *testing.T) {
	if got := failures(runOwn(t, "ends at 1 MiB", "text", "1 MiB", "fragments", "wrong CA")); got != "client: 1 MiB, server: 1 MiB" {
		t.Errorf("failed: %s", got)
	}
}

// TestAFailureThatIsGoneTheSecondTime passes, and is reported.
func TestAFailureThatIsGoneTheSecondTime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "once")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("WSS_MATRIX_ONCE", file)
	r := runOwn(t, "fails once, as a client", "text", "empty")
	if got := failures(r); got != "client: text" || r.results[0].verdict != passedAgain || r.results[0].why == "" || !r.close() {
		t.Errorf("failed: %s; the first result: %+v", got, r.results[0])
	}
}

func TestThePeersWordIsJudged(t *testing.T) {
	code, none, reason, other := 4001, 0, "bye", "hello"
	k := &check{name: "k", run: subprotocol, code: 4001, reason: "bye"}
	refusal := &check{name: "refusal", with: wrongCA}
	for _, tt := range []struct {
		k    *check
		e    end
		good bool
	}{
		{k, end{Closed: &code, Reason: &reason}, true},
		{k, end{Closed: &none}, true}, // its API does not tell
		{k, end{Closed: &code, Reason: &other}, false},
		{k, end{Closed: new(int), Reason: &other}, false},
		{k, end{Failed: "no"}, false},
		{&check{run: subprotocol, code: 4002}, end{Closed: &code}, false},
		{refusal, end{Failed: "no"}, true},
		{refusal, end{Closed: &code}, false},
	} {
		if err := tt.k.judge(tt.e); (err == nil) != tt.good {
			t.Errorf("%s, and the peer says %v: %v", tt.k.name, tt.e, err)
		}
	}
}

func TestTheReportTellsFaultsFromFailures(t *testing.T) {
	var out bytes.Buffer
	r := &report{w: &out}
	p := &peer{name: "p", faults: []fault{{role: "client", check: "a", like: "odd", shows: "88 00 shows it"}}}
	r.begin(p, "1.0")
	r.add(p, "client", "a", errors.New("an odd thing"))
	r.add(p, "client", "b", nil)
	r.add(p, "client", "c", errNotOffered)
	r.cannot(p, "client", "d", "no such call")
	if !r.close() {
		t.Errorf("a fault of the peer's is no failure:\n%s", out.String())
	}
	r.add(p, "server", "a", errors.New("an odd thing"))
	r.add(p, "client", "a", errors.New("another | thing"))
	if r.close() {
		t.Error("a failure of another kind, or in another role, passes")
	}
	page := string(r.markdown())
	for _, want := range []string{
		"| p | 1.0 | 1 of 5, 1 not offered, 1 not possible, 1 its fault, 1 **failed** | 0 of 1, 1 **failed** |",
		"| p | client | a | 88 00 shows it an odd thing |", `| p | client | a | another \| thing |`, "| p | client | d | no such call |",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
}

func TestFlags(t *testing.T) {
	for _, tt := range []struct {
		args string
		want string // in the error; empty: none
	}{
		{"", ""},
		{"-only ws,undici -role client", ""},
		{"-families npm", ""},
		{"-only nobody", "there is no such peer"},
		{"-families none", "there is no such family"},
		{"-role both", "want client or server"},
		{"-timeout 0s", "want more than nothing"},
		{"left over", "unexpected argument"},
	} {
		_, err := parseOptions(strings.Fields(tt.args), io.Discard)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v", tt.args, err)
		}
	}
}

func TestPeersAreListedOnceAndHaveAFamily(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range peers {
		if seen[p.name] || allFamilies[p.family] == nil || len(p.roles) == 0 || p.command == nil {
			t.Errorf("%+v", p)
		}
		seen[p.name] = true
		for check := range p.cannot {
			if !hasCheck(check) {
				t.Errorf("%s cannot do %q, which is no check", p.name, check)
			}
		}
		for _, f := range p.faults {
			if f.check != "" && !hasCheck(f.check) || f.like == "" || f.shows == "" {
				t.Errorf("%s has an unclear fault: %+v", p.name, f)
			}
		}
	}
	var out bytes.Buffer
	if status := run(t.Context(), []string{"-list"}, &out, io.Discard); status != 0 || strings.Count(out.String(), "\n") != len(peers) {
		t.Errorf("-list ends with %d:\n%s", status, out.String())
	}
}

func hasCheck(name string) bool {
	for _, k := range checks {
		if k.name == name {
			return true
		}
	}
	return false
}
