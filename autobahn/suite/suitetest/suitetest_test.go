package suitetest_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/autobahn/suite/faulty"
	"github.com/seed-c4549abd/wss/autobahn/suite/suitetest"
	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/race"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// some are cases that are quick, and one that waits.
var some = suitetest.Cases("1.1.*", "2.*", "5.1", "6.4.1", "7.1.*")

func echoServer(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, &conn.AcceptOptions{Compression: conn.Compression{Mode: conn.CompressionTakeover, Threshold: -1}})
		if err != nil {
			return
		}
		_ = c.Serve(r.Context(), func(c *conn.Conn, m conn.Message) error { return c.Write(r.Context(), m.Type, m.Data) })
	}))
	t.Cleanup(srv.Close)
	return "ws" + strings.TrimPrefix(srv.URL, "http")
}

func echo(config *tls.Config) func(ctx context.Context, url string) error {
	return func(ctx context.Context, url string) error {
		c, _, err := conn.Dial(ctx, url, &conn.DialOptions{TLS: config})
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
}

func TestServer(t *testing.T) {
	t.Parallel()
	suitetest.Server(t, echoServer(t), some, suitetest.Slowness(3))
}

func TestClient(t *testing.T) {
	t.Parallel()
	suitetest.Client(t, echo(nil), some, suitetest.Slowness(3))
}

func TestClientOverTLS(t *testing.T) {
	t.Parallel()
	server, client := testtls.Configs(tls.VersionTLS13)
	suitetest.Client(t, echo(client), some, suitetest.TLS(server), suitetest.Slowness(3))
}

// faultyServer does not answer pings.
func faultyServer(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- faulty.Serve(ln, faulty.NoPongs) }()
	t.Cleanup(func() {
		_ = ln.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return "ws://" + ln.Addr().String()
}

// again is set in a run of this test's executable whose tests are to fail.
const again = "WSS_SUITETEST_FAILS"

func TestFailing(t *testing.T) {
	if os.Getenv(again) == "" {
		t.Skip("fails; for TestAFailureSaysWhatCame")
	}
	golden, err := report.ReadGolden(strings.NewReader("1.1.1 FAILED UNCLEAN # it passes\n2.1 FAILED UNCLEAN # as it is\n"))
	if err != nil {
		t.Fatal(err)
	}
	suitetest.Server(t, faultyServer(t), suitetest.Cases("1.1.1", "1.1.2", "2.1", "2.2"), suitetest.Slowness(3), suitetest.Known(golden))
}

// TestAFailureSaysWhatCame, and a known deviation is none only where it appears.
func TestAFailureSaysWhatCame(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run", "^TestFailing$", "-test.v")
	cmd.Env = append(os.Environ(), again+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("it passes:\n%s", out)
	}
	for _, want := range []string{
		"--- FAIL: TestFailing/case/1.1.1", "take it out of the known deviations",
		"--- PASS: TestFailing/case/1.1.2",
		"--- FAIL: TestFailing/case/2.2", "FAILED",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("there is no %q in\n%s", want, out)
		}
	}
}

// TestCasesOfTheOtherRoleAreLeftOut: group 20 is about servers, and 21 about clients.
func TestCasesOfTheOtherRoleAreLeftOut(t *testing.T) {
	t.Parallel()
	patterns := []string{"beyond"}
	if testing.Short() {
		patterns = []string{"20.1.*", "21.*", "23.*"} // servers', clients', both
	}
	beyond := suitetest.Cases(patterns...)
	t.Run("of a server", func(t *testing.T) { suitetest.Server(t, echoServer(t), beyond, suitetest.Slowness(3)) })
	t.Run("of a client", func(t *testing.T) { suitetest.Client(t, compressing, beyond, suitetest.Slowness(3)) })
}

// compressing is an echo client that offers permessage-deflate, which some cases are about.
func compressing(ctx context.Context, url string) error {
	c, _, err := conn.Dial(ctx, url, &conn.DialOptions{Compression: conn.Compression{Mode: conn.CompressionTakeover, Threshold: -1}})
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

// TestHanging fails: its client returns only when its test's process ends.
func TestHanging(t *testing.T) {
	if os.Getenv(again) == "" {
		t.Skip("fails; for TestARunIsBoundedInTimeAndSaysSo")
	}
	suitetest.Client(t, func(context.Context, string) error { select {} }, suitetest.Cases("2.1", "20.1.1"), suitetest.Slowness(0.001),
		suitetest.Latency(time.Millisecond))
}

func TestARunIsBoundedInTimeAndSaysSo(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the bound to pass")
	}
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run", "^TestHanging$", "-test.v")
	cmd.Env = append(os.Environ(), again+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("it passes:\n%s", out)
	}
	for _, want := range []string{"1 cases, ", ": usually in about 1s, in ", " at most, and each within 13s", "the client has not returned within "} {
		if !strings.Contains(string(out), want) {
			t.Errorf("there is no %q in\n%s", want, out)
		}
	}
}

// rerun runs a test of this executable that is to fail, and returns what it prints.
func rerun(t *testing.T, test string, flags ...string) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, append([]string{"-test.run", "^" + test + "$", "-test.v"}, flags...)...)
	cmd.Env = append(os.Environ(), again+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("it passes:\n%s", out)
	}
	return string(out)
}

// TestTooLong fails: its cases wait for longer than its process may last.
func TestTooLong(t *testing.T) {
	if os.Getenv(again) == "" {
		t.Skip("fails; for TestARunEndsBeforeGoTestDoes")
	}
	// One after the other: the client's cases would keep the places of the server's. Those are as many as may run at once: the one
	// that passes need not wait for another to end.
	t.Run("of a server", func(t *testing.T) {
		suitetest.Server(t, faultyServer(t), suitetest.Cases("1.1.1", "2.9", "2.10", "2.11"), suitetest.Slowness(20))
	})
	t.Run("of a client", func(t *testing.T) {
		suitetest.Client(t, func(context.Context, string) error { select {} }, suitetest.Cases("2.*"), suitetest.Slowness(20))
	})
}

// TestARunEndsBeforeGoTestDoes, so that what has been run has its verdicts, and what has not is named.
func TestARunEndsBeforeGoTestDoes(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for go test's deadline")
	}
	t.Parallel()
	patience := "15s"
	if race.Enabled {
		patience = "40s"
	}
	out := rerun(t, "TestTooLong", "-test.timeout", patience, "-test.parallel", "4")
	for _, want := range []string{
		"; go test ends in ", "(-timeout), and cases that have not ended by then fail",
		"--- PASS: TestTooLong/of_a_server/case/1.1.1", "not run: go test is about to end", "not run to its end: go test is about to end",
		"--- FAIL: TestTooLong/of_a_client/case/2.1",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("there is no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "panic: ") {
		t.Errorf("go test has ended it:\n%s", out)
	}
}

// TestGone fails: its server is there for the first case alone.
func TestGone(t *testing.T) {
	if os.Getenv(again) == "" {
		t.Skip("fails; for TestAServerThatIsGoneIsNamedOnce")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "ws://" + ln.Addr().String()
	ln.Close()
	suitetest.Server(t, url, suitetest.Cases("1.1.*"), suitetest.Latency(time.Millisecond))
}

// TestAServerThatIsGoneIsNamedOnce, and the cases after that are not run.
func TestAServerThatIsGoneIsNamedOnce(t *testing.T) {
	t.Parallel()
	out := rerun(t, "TestGone", "-test.parallel", "1")
	if n := strings.Count(out, "no server accepts connections at ws://127.0.0.1"); n != 1 {
		t.Errorf("it is named %d times in\n%s", n, out)
	}
	if n := strings.Count(out, "not run: the server is gone"); n != 7 {
		t.Errorf("%d cases are not run in\n%s", n, out)
	}
}
