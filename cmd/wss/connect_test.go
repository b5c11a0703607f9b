package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// pipe runs the command as a process with an input, and returns what it has printed.
func pipe(t *testing.T, input string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := processOf(ctx, args...)
	var out, errors bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &errors
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errors.String()}
}

func TestLinesOfAPipeAreMessages(t *testing.T) {
	srv := newEcho(t)
	binary := []byte{0, 1, 2, 0xff}
	for name, test := range map[string]struct {
		input, want string
		args        []string
	}{
		"lines":                          {"one\ntwo\n", "one\ntwo\n", nil},
		"a last line without an end":     {"one\n\ntwo", "one\n\ntwo\n", nil},
		"control characters stay":        {"\x1b[31m\n", "\x1b[31m\n", nil},
		"JSON stays":                     {`{"a":1}` + "\n", `{"a":1}` + "\n", nil},
		"JSON, indented":                 {`{"a":1}` + "\nno JSON\n", "{\n  \"a\": 1\n}\nno JSON\n", []string{"-json"}},
		"binary":                         {"AAEC/w==\n", base64.StdEncoding.EncodeToString(binary) + "\n", []string{"-binary"}},
		"all as one message":             {"one\ntwo\n", "one\ntwo\n", []string{"-whole"}},
		"all as one binary message":      {string(binary), string(binary), []string{"-whole", "-binary"}},
		"compressed":                     {strings.Repeat("a", 1000), strings.Repeat("a", 1000) + "\n", []string{"-compress"}},
		"nothing":                        {"", "", []string{"-wait", "0s"}},
		"longer than a message may be":   {strings.Repeat("a", 1<<20), strings.Repeat("a", 1<<20) + "\n", nil},
		"flags behind the URL work, too": {"one\n", "one\n", []string{"-quiet", "-json"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := pipe(t, test.input, append([]string{"connect", srv.url, "-ca", srv.ca}, test.args...)...)
			r.check(t, 0)
			if r.out != test.want {
				t.Error(cmp.Diff(test.want, r.out))
			}
			if said := strings.Contains(r.errors, "closed: 1000, normal closure"); said == strings.Contains(name, "flags") {
				t.Errorf("stderr: %s", r.errors)
			}
		})
	}
}

func TestInputThatCannotBeSentFails(t *testing.T) {
	srv := newEcho(t)
	pipe(t, "one\nno base64\n", "connect", "-binary", "-ca", srv.ca, srv.url).check(t, exitFailed, "not base64")
	pipe(t, "one\n\xff\n", "connect", "-ca", srv.ca, srv.url).check(t, exitFailed, "not UTF-8")
	pipe(t, "one\n\xff\n", "connect", "-whole", "-ca", srv.ca, srv.url).check(t, exitFailed, "not UTF-8")
}

// TestTheStatusTellsHowTheServerHasClosed also waits for it: the input has ended long before.
func TestTheStatusTellsHowTheServerHasClosed(t *testing.T) {
	for _, test := range []struct {
		code   conn.StatusCode
		reason string
		status int
		says   string
	}{
		{1000, "bye", 0, `closed by the server: 1000, normal closure; reason: "bye"`},
		{1001, "", 0, "closed by the server: 1001, going away: it shuts down"},
		{conn.StatusNoStatus, "", 0, "1005, no code was given"},
		{1008, "\x1b[31m", exitFailed, `1008, a policy was violated; reason: "\x1b[31m"`},
		{1013, "", exitFailed, "1013, try again later"},
		{4321, "", exitFailed, "4321, a code of the application"},
		{3999, "", exitFailed, "3999, an unknown code"},
	} {
		t.Run(fmt.Sprint(test.code), func(t *testing.T) {
			srv := newCloser(t, test.code, test.reason, text("first"))
			r := runCommand(t, "connect", "-wait", "-1s", "-ca", srv.ca, srv.url)
			r.check(t, test.status, "first\n", test.says)
		})
	}
}

func TestALostConnectionFails(t *testing.T) {
	srv := newServer(t, nil, func(c *conn.Conn, _ *http.Request) { _ = c.CloseNow() }, nil)
	runCommand(t, "connect", "-wait", "-1s", "-ca", srv.ca, srv.url).check(t, exitFailed, "lost without a closing handshake (1006)")
}

// onTerminal makes the console that of a user.
func onTerminal(c *console) { c.inIsTerminal, c.outIsTerminal, c.errIsTerminal = true, true, true }

func TestNothingRawReachesATerminal(t *testing.T) {
	srv := newCloser(t, 1000, "\x1b]0;title\x07", text("\x1b[2Jgone\rover"), text(`{"a":"`+"\u009b"+`"}`), conn.Message{Type: conn.Binary, Data: []byte{27}})
	r := runWith(t, strings.NewReader(""), onTerminal, "connect", "-wait", "-1s", "-ca", srv.ca, srv.url)
	r.check(t, 0, `< \u001b[2Jgone\u000dover`, "< {\n  \"a\": \"\\u009b\"\n}", "< Gw==", "connected, TLS 1.3")
	for _, raw := range []string{"\x1b", "\r", "\u009b", "\a"} {
		if strings.Contains(r.out+r.errors, raw) {
			t.Errorf("%q was printed", raw)
		}
	}
}

func TestARefusalIsPrintedEscaped(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "come\x1b[31m back later", http.StatusTeapot)
	}))
	defer srv.Close()
	r := runCommand(t, "connect", "ws"+strings.TrimPrefix(srv.URL, "http"))
	r.check(t, exitFailed, "418", `come\u001b[31m back later`)
	if strings.Contains(r.errors, "\x1b") {
		t.Errorf("raw: %q", r.errors)
	}
}

func TestTimesAndPingsArePrinted(t *testing.T) {
	var pings atomic.Int32
	srv := newServer(t, nil, func(c *conn.Conn, _ *http.Request) {
		_ = c.Write(c.Context(), conn.Text, []byte("first"))
		ctx := c.CloseRead(c.Context())
		for c.Stats().ControlIn < 3 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		pings.Store(int32(c.Stats().ControlIn))
		_ = c.Close(1000, "")
	}, nil)
	r := runCommand(t, "connect", "-t", "-ping", "5ms", "-wait", "-1s", "-ca", srv.ca, srv.url)
	r.check(t, 0, "ping: ")
	if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\S+ first\n$`).MatchString(r.out) {
		t.Errorf("printed %q", r.out)
	}
	if pings.Load() < 3 {
		t.Errorf("%d pings", pings.Load())
	}
}

func TestTheRequestIsAsTheFlagsSay(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("Authorization: Bearer x\n\nX-Two: 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	requests := make(chan *http.Request, 1)
	srv := newServer(t, &conn.AcceptOptions{Subprotocols: []string{"b"}, OriginPatterns: []string{"https://example.com"}}, func(c *conn.Conn, r *http.Request) {
		requests <- r
		_ = c.Close(1000, c.Subprotocol())
	}, nil)
	runCommand(t, "connect", "-ca", srv.ca, "-H", "X-One: 1", "-H", "@"+secret, "-H", "Host: other.example", "-origin", "https://example.com",
		"-subprotocol", "a", "-subprotocol", "b", srv.url+"path?q").check(t, 0, `reason: "b"`)
	r := <-requests
	got := []string{r.RequestURI, r.Host, r.Header.Get("Origin"), r.Header.Get("X-One"), r.Header.Get("X-Two"), r.Header.Get("Authorization")}
	if d := cmp.Diff([]string{"/path?q", "other.example", "https://example.com", "1", "2", "Bearer x"}, got); d != "" {
		t.Error(d)
	}
	runCommand(t, "connect", "-ca", srv.ca, "-origin", "https://evil.example", srv.url).check(t, exitFailed, "403")
}

func TestCertificates(t *testing.T) {
	cert, key := keyPair(t)
	srv := newServer(t, nil, func(c *conn.Conn, r *http.Request) {
		_ = c.Close(1000, fmt.Sprint(len(r.TLS.PeerCertificates), " certificates"))
	}, func(s *httptest.Server) { s.TLS.ClientAuth = tls.RequestClientCert })
	wait := "-wait=-1s"
	runCommand(t, "connect", wait, srv.url).check(t, exitFailed, "certificate")
	r := runCommand(t, "connect", wait, "-insecure", srv.url)
	r.check(t, 0, "WARNING: -insecure", "0 certificates")
	runCommand(t, "connect", wait, "-ca", srv.ca, "-cert", cert, "-key", key, srv.url).check(t, 0, "1 certificates")
	runCommand(t, "connect", wait, "-ca", srv.ca, "-pin", "sha256/"+strings.Repeat("A", 43)+"=", srv.url).check(t, exitFailed, "pin")
	runCommand(t, "connect", wait, "-ca", srv.ca, "-server-name", "other.example", srv.url).check(t, exitFailed, "other.example")
	runCommand(t, "connect", wait, "-ca", key, srv.url).check(t, exitFailed, "holds no certificate")
	runCommand(t, "connect", wait, "-ca", key+".none", srv.url).check(t, exitFailed)
	runCommand(t, "connect", wait, "-cert", key, "-key", cert, srv.url).check(t, exitFailed)
}

func TestTheProxyIsUsed(t *testing.T) {
	asked := make(chan string, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.Host
		http.Error(w, "no", http.StatusForbidden)
	}))
	defer proxy.Close()
	runCommand(t, "connect", "-proxy", strings.TrimPrefix(proxy.URL, "http://"), "wss://example.com/").check(t, exitFailed, "proxy")
	if got := <-asked; got != "CONNECT example.com:443" {
		t.Errorf("the proxy was asked to %s", got)
	}
	srv := newEcho(t)
	t.Setenv("ALL_PROXY", proxy.URL)
	runCommand(t, "connect", "-proxy", "none", "-wait", "0s", "-ca", srv.ca, srv.url).check(t, 0)
}

func TestReconnectDialsAgainAndSendsTheRest(t *testing.T) {
	var count atomic.Int32
	srv := newServer(t, nil, func(c *conn.Conn, _ *http.Request) {
		n := count.Add(1)
		_ = c.Serve(c.Context(), func(c *conn.Conn, m conn.Message) error {
			_ = c.Write(c.Context(), conn.Text, fmt.Appendf(nil, "%s on %d", m.Data, n))
			if n == 1 {
				return &conn.CloseError{Code: conn.StatusGoingAway}
			}
			return nil
		})
	}, nil)
	in, typed := io.Pipe()
	out := &output{}
	go func() {
		fmt.Fprintln(typed, "one")
		for count.Load() < 2 {
			time.Sleep(time.Millisecond)
		}
		fmt.Fprintln(typed, "two")
		typed.Close()
	}()
	r := runWith(t, in, func(c *console) { c.out = out }, "connect", "-reconnect", "-ca", srv.ca, srv.url)
	r.check(t, 0, "closed by the server: 1001")
	if got := out.String(); got != "one on 1\ntwo on 2\n" {
		t.Errorf("printed %q", got)
	}
}

// TestInputBehindTheEnd of a connection is not sent, and ends nothing but that: there is more of it than could be.
func TestInputBehindTheEnd(t *testing.T) {
	srv := newServer(t, nil, func(c *conn.Conn, _ *http.Request) {
		_, _, _ = c.Read(c.Context())
		_ = c.Close(conn.StatusNormalClosure, "enough")
	}, nil)
	r := runWith(t, endless{}, nil, "connect", "-ca", srv.ca, srv.url)
	r.check(t, 0, "closed by the server: 1000")
	if n := strings.Count(r.errors, "\n"); n > 5 {
		t.Errorf("%d lines:\n%.1000s", n, r.errors)
	}
}

// endless is lines without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = "y\n"[i%2]
	}
	return len(p) &^ 1, nil
}

// TestAMessageThatConnectionsAreLostBy is given up with -reconnect.
func TestAMessageThatConnectionsAreLostBy(t *testing.T) {
	srv := newServer(t, nil, func(c *conn.Conn, _ *http.Request) { _ = c.CloseNow() }, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, trusting := testtls.Configs(tls.VersionTLS13)
	c := &session{
		options: &connectOptions{reconnect: true}, console: &console{out: &output{}, err: &output{}},
	}
	m := &outgoing{typ: conn.Text, data: []byte("poison")}
	for try := 1; try <= maxLosses; try++ {
		connection, _, err := conn.Dial(ctx, srv.url, &conn.DialOptions{TLS: trusting})
		if err != nil {
			t.Fatal(err)
		}
		<-connection.CloseRead(ctx).Done()
		c.unsent = nil
		lost, err := c.sendOne(ctx, connection, m)
		if !lost || err != nil || (c.unsent == nil) != (try == maxLosses) {
			t.Errorf("try %d: %v, %v, %v", try, lost, err, c.unsent)
		}
	}
}

func TestReconnectStopsWhereItIsOfNoUse(t *testing.T) {
	srv := newCloser(t, 4001, "")
	runCommand(t, "connect", "-reconnect", "-wait", "-1s", "-ca", srv.ca, srv.url).check(t, exitFailed, "4001")
	runCommand(t, "connect", "-reconnect", srv.url).check(t, exitFailed, "certificate")
}

func TestAnInterruptClosesNormally(t *testing.T) {
	closed := make(chan conn.StatusCode, 1)
	connected := make(chan struct{})
	srv := newServer(t, nil, func(c *conn.Conn, _ *http.Request) {
		_, _, _ = c.Read(c.Context())
		close(connected)
		_, _, err := c.Read(c.Context())
		closed <- conn.CloseStatus(err)
	}, nil)
	ctx, interrupt := context.WithCancel(t.Context())
	go func() { <-connected; interrupt() }()
	in, typed := io.Pipe()
	defer typed.Close()
	go fmt.Fprintln(typed, "first")
	var told output
	status := run(ctx, []string{"connect", "-ca", srv.ca, srv.url}, &console{in: in, out: io.Discard, err: &told})
	if code := <-closed; status != 0 || code != conn.StatusGoingAway {
		t.Errorf("status %d, code %d", status, code)
	}
	if want := "closed: 1001, going away: the program ends"; !strings.HasPrefix(told.String(), want) {
		t.Errorf("told %q, want %q", told.String(), want)
	}
}

func TestAConnectionWithoutEncryptionIsNotMadeSilently(t *testing.T) {
	for _, command := range []string{"connect", "probe", "bench"} {
		runCommand(t, command, "http://example.com/chat").check(t, exitUsage, "http is not encrypted: use wss://example.com, or ws://example.com if that is meant")
	}
	runCommand(t, "conform", "http://localhost:1/").check(t, exitUsage, "want ws://host:port/path, or wss")
	const warning = "WARNING: ws is not encrypted"
	// A proxy that refuses keeps the request on this machine.
	proxy := httptest.NewServer(http.NotFoundHandler())
	defer proxy.Close()
	runCommand(t, "connect", "-proxy", proxy.URL, "ws://example.com/").check(t, exitFailed, warning, "wss://example.com")
	for _, quiet := range [][]string{{"-quiet", "-proxy", proxy.URL, "ws://example.com/"}, {"ws://localhost:1/"}} {
		if r := runCommand(t, append([]string{"connect"}, quiet...)...); strings.Contains(r.errors, warning) {
			t.Errorf("%q warns", quiet)
		}
	}
}

func TestSomebodyWhoTypesIsToldOfMistakes(t *testing.T) {
	srv := newEcho(t)
	r := runWith(t, strings.NewReader("?\nAAA=\n"), onTerminal, "connect", "-binary", "-ca", srv.ca, srv.url)
	r.check(t, 0, "not sent: the line is not base64", "< AAA=\n")
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAnOutputThatFailsEndsTheCommand(t *testing.T) {
	srv := newEcho(t)
	runWith(t, strings.NewReader("one\n"), func(c *console) { c.out = brokenWriter{} }, "connect", "-wait", "-1s", "-ca", srv.ca, srv.url).
		check(t, exitFailed, "cannot print")
}
