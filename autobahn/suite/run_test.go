package suite

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"runtime"
	"slices"
	"testing"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// ourServer serves this library's echo over wss and returns its URL with the client's configuration.
func ourServer(t *testing.T) (string, *tls.Config) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, client := testtls.Configs(tls.VersionTLS13)
	srv := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, &conn.AcceptOptions{
			MessageLimit: 32 << 20, Compression: conn.Compression{Mode: conn.CompressionTakeover, Threshold: -1, Level: 1},
		})
		if err != nil {
			return
		}
		ctx := c.Context()
		_ = c.Serve(ctx, func(c *conn.Conn, m conn.Message) error { return c.Write(ctx, m.Type, m.Data) })
	})}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = srv.Serve(tls.NewListener(conn.NewListener(ln), server))
	}()
	t.Cleanup(func() {
		_ = srv.Close()
		<-served
	})
	return "wss://" + ln.Addr().String(), client
}

// TestOurServerPasses runs all groups, with few of the long messages: the command runs every one.
func TestOurServerPasses(t *testing.T) {
	url, client := ourServer(t)
	wanted := slices.Concat(quick, quickCompressed, []string{"beyond"})
	selected, err := SelectFor(ServerRole, wanted)
	if err != nil {
		t.Fatal(err)
	}
	progress := 0
	// Nothing is waited for in vain but in 5.19, 5.20 and 6.4; where a machine is busy half a second can be too short.
	const slowness = 3
	rep, err := Run(t.Context(), Options{URL: url, TLS: client, Cases: wanted, Slowness: slowness, Progress: func(done, total int, r *Result) {
		if progress++; done != progress || total != len(selected) || r == nil {
			t.Errorf("progress %d of %d, want %d of %d", done, total, progress, len(selected))
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if progress != len(rep.Results) {
		t.Errorf("%d of %d results were told about", progress, len(rep.Results))
	}
	// What failed has another chance, by itself, before it counts.
	for i, r := range rep.Results {
		if r.Passes() {
			continue
		}
		again, err := Run(t.Context(), Options{URL: url, TLS: client, Cases: []string{r.ID}, Slowness: slowness})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %s, %s at first", r.ID, r.Behavior, r.BehaviorClose)
		rep.Results[i] = again.Results[0]
	}
	if !rep.Passes() {
		rep.WriteTable(t.Output())
		t.Error("not all pass")
	}
	dir := t.TempDir()
	if err := rep.WriteJSON(dir); err != nil {
		t.Fatal(err)
	}
	read, err := report.Read("", dir)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range rep.Results {
		ids = append(ids, r.ID)
	}
	if problems := read.Problems(ids); problems != nil {
		t.Errorf("read back: %v", problems)
	}
}

func TestARunThatIsCancelledIsAnError(t *testing.T) {
	url, client := ourServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Run(ctx, Options{URL: url, TLS: client, Parallel: 1, Progress: func(int, int, *Result) { cancel() }})
	if err == nil || ctx.Err() == nil {
		t.Errorf("error %v", err)
	}
}

func TestOptionsThatCannotBeUsedAreRefused(t *testing.T) {
	for name, o := range map[string]Options{
		"no URL":                    {},
		"a URL of another kind":     {URL: "https://localhost"},
		"a URL that is none":        {URL: "ws://local host"},
		"a pattern of nothing":      {URL: "ws://localhost", Cases: []string{"1.*", "8.*"}},
		"a pattern within a number": {URL: "ws://localhost", Cases: []string{"1*"}},
	} {
		if rep, err := Run(t.Context(), o); err == nil || rep != nil {
			t.Errorf("%s: report %v, error %v", name, rep, err)
		}
	}
}

// TestAPatternOfNothingIsExplained with the numbers of all cases that there are, by the package that was called.
func TestAPatternOfNothingIsExplained(t *testing.T) {
	_, err := Select([]string{"29.*"})
	want := fmt.Sprintf("suite: pattern \"29.*\" names no case: there are 517 of the original's, and %d beyond them", len(Beyond()))
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestTheNumbersOfEachGroupAreComplete: there are all cases, in their order.
func TestTheNumbersOfEachGroupAreComplete(t *testing.T) {
	want, got := report.AllCases(), []string(nil)
	for _, c := range Cases() {
		got = append(got, c.ID)
		if c.Description == "" || c.Expectation == "" || len(c.Outcomes) == 0 && c.Drive == nil {
			t.Errorf("%s lacks something: %+v", c.ID, c)
		}
	}
	if !slices.Equal(got, want) || len(got) != 517 {
		t.Errorf("cases\n%q, want\n%q", got, want)
	}
}

// TestBusyConnectionsAreFewerThanThoseThatWait, unless the number was chosen.
func TestBusyConnectionsAreFewerThanThoseThatWait(t *testing.T) {
	waits, busy := &Case{}, &Case{ReportTime: true}
	slots, takes := (&Options{}).slots()
	if n := runtime.GOMAXPROCS(0); cap(slots)/takes(waits) != whileWaiting*n || cap(slots)/takes(busy) != whileBusy*n {
		t.Errorf("%d slots, of which cases take %d and %d", cap(slots), takes(waits), takes(busy))
	}
	slots, takes = (&Options{Parallel: 3}).slots()
	if cap(slots) != 3 || takes(waits) != 1 || takes(busy) != 1 {
		t.Errorf("%d slots, of which cases take %d and %d", cap(slots), takes(waits), takes(busy))
	}
}
