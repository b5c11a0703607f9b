package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c4549abd/wss/conn"
)

// served is a running wss serve.
type served struct {
	url    string
	errors *output
	stop   context.CancelFunc
	status chan int
}

var urlPattern = regexp.MustCompile(`\bwss?://\S+/`)

// startServe runs wss serve until the test ends, at a port that is free.
func startServe(t *testing.T, args ...string) *served {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	s := &served{errors: &output{}, stop: stop, status: make(chan int, 1)}
	t.Cleanup(func() {
		stop()
		s.status <- <-s.status
	})
	go func() {
		s.status <- run(ctx, append([]string{"serve", "-listen", "localhost:0"}, args...), &console{out: &output{}, err: s.errors})
	}()
	s.waitFor(t, "serving")
	s.url = urlPattern.FindString(s.errors.String())
	return s
}

// waitFor waits until stderr has a text.
func (s *served) waitFor(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !strings.Contains(s.errors.String(), text); time.Sleep(time.Millisecond) {
		select {
		case status := <-s.status:
			t.Fatalf("ended with status %d:\n%s", status, s.errors)
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("nothing says %q:\n%s", text, s.errors)
		}
	}
}

// dial opens a connection to a server with the certificate for localhost.
func (s *served) dial(t *testing.T, change func(*conn.DialOptions)) (*conn.Conn, error) {
	t.Helper()
	o, err := (&dialFlags{timeout: time.Minute, maxMessage: 1 << 20}).options(&console{err: s.errors}, s.url)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(o)
	}
	c, _, err := conn.Dial(t.Context(), s.url, o)
	if c != nil {
		t.Cleanup(func() { _ = c.CloseNow() })
	}
	return c, err
}

func TestServeEchoes(t *testing.T) {
	for name, args := range map[string][]string{"wss": nil, "ws": {"-plain"}, "compressed": {"-compress"}, "quiet": {"-quiet"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServe(t, append(args, "-echo")...)
			runWith(t, strings.NewReader("hello\n"), nil, "connect", "-compress", s.url).check(t, 0, "hello\n")
			if name != "quiet" {
				s.waitFor(t, "closed by the client: 1000")
			}
			if plain := strings.HasPrefix(s.url, "ws://"); plain != (name == "ws") {
				t.Errorf("serves %s", s.url)
			}
		})
	}
}

func TestServeUsesACertificateFromFiles(t *testing.T) {
	cert, key := keyPair(t)
	s := startServe(t, "-cert", cert, "-key", key, "-echo")
	runWith(t, strings.NewReader("hello\n"), nil, "connect", "-ca", cert, s.url).check(t, 0, "hello\n")
	runCommand(t, "serve", "-cert", key, "-key", cert, "-echo").check(t, exitFailed)
	runCommand(t, "serve", "-listen", "no address", "-echo").check(t, exitFailed)
}

func TestServeLimitsConnectionsAndOrigins(t *testing.T) {
	s := startServe(t, "-max-conns", "1", "-origin", "https://good.example", "-echo")
	origin := func(o string) func(*conn.DialOptions) {
		return func(d *conn.DialOptions) { d.Header.Set("Origin", o) }
	}
	for _, test := range []struct {
		origin string
		status int
	}{{"https://evil.example", http.StatusForbidden}, {"https://good.example", 0}, {"https://good.example", http.StatusServiceUnavailable}} {
		_, err := s.dial(t, origin(test.origin))
		var refused *conn.HandshakeError
		if errors.As(err, &refused); (err == nil) != (test.status == 0) || refused != nil && refused.Status != test.status {
			t.Errorf("%s: %v", test.origin, err)
		}
	}
	s.waitFor(t, "refused")
}

func TestAnInterruptEndsServersGracefully(t *testing.T) {
	s := startServe(t, "-echo")
	c, err := s.dial(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.waitFor(t, "connected")
	s.stop()
	if _, _, err := c.Read(t.Context()); conn.CloseStatus(err) != conn.StatusGoingAway {
		t.Error(err)
	}
	status := <-s.status
	if s.status <- status; status != 0 {
		t.Errorf("status %d", status)
	}
	s.waitFor(t, "closing 1 connections")
}

// asChild has the test's binary be the command of a connection.
const asChild = "WSS_TEST_AS_CHILD"

// child is what it does then.
func child(do string) {
	switch do {
	case "environment":
		for _, name := range []string{"REMOTE_ADDR", "REQUEST_URI", "PATH_INFO", "QUERY_STRING", "HTTP_X_ONE", "HTTP_PROXY", "HTTPS", "WEBSOCKET_SUBPROTOCOL"} {
			os.Stdout.WriteString(name + "=" + os.Getenv(name) + "\n")
		}
	case "fail":
		os.Stderr.WriteString("it went wrong\n")
		os.Exit(3)
	case "no text":
		os.Stdout.WriteString("\xff\n")
	case "long":
		os.Stdout.WriteString(strings.Repeat("a", 2000) + "\n")
	case "deaf":
		time.Sleep(time.Minute)
	case "cat":
		_, _ = os.Stdin.WriteTo(os.Stdout)
	}
}

// serveChild serves a command that is this test's binary.
func serveChild(t *testing.T, do string, args ...string) *served {
	t.Helper()
	t.Setenv(asChild, do)
	return startServe(t, append(args, "--", os.Args[0])...)
}

// readAll reads messages until the end of the connection, and returns its close code.
func readAll(t *testing.T, c *conn.Conn) (messages []string, closed *conn.CloseError) {
	t.Helper()
	for m, err := range c.Messages(t.Context()) {
		if err != nil {
			break
		}
		messages = append(messages, string(m.Data))
	}
	errors.As(context.Cause(c.Context()), &closed)
	return messages, closed
}

func TestACommandSeesTheRequest(t *testing.T) {
	s := serveChild(t, "environment", "-subprotocol", "chat")
	s.url += "a%20b?c=d"
	c, err := s.dial(t, func(o *conn.DialOptions) {
		o.Header.Set("X-One", "1")
		o.Header.Set("Proxy", "evil")
		o.Subprotocols = []string{"chat"}
	})
	if err != nil {
		t.Fatal(err)
	}
	lines, closed := readAll(t, c)
	want := []string{"REMOTE_ADDR=127.0.0.1", "REQUEST_URI=/a%20b?c=d", "PATH_INFO=/a b", "QUERY_STRING=c=d", "HTTP_X_ONE=1", "HTTP_PROXY=" + os.Getenv("HTTP_PROXY"), "HTTPS=on", "WEBSOCKET_SUBPROTOCOL=chat"}
	if len(lines) > 0 && lines[0] == "REMOTE_ADDR=::1" {
		want[0] = lines[0]
	}
	if d := cmp.Diff(want, lines); d != "" || closed.Code != conn.StatusNormalClosure {
		t.Error(d, closed)
	}
	s.url = strings.Replace(s.url, "a%20b", "a%00b", 1)
	if _, err := s.dial(t, nil); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("a path with NUL: %v", err)
	}
}

func TestHowACommandEndsIsTheCloseCode(t *testing.T) {
	for do, test := range map[string]struct {
		code   conn.StatusCode
		reason string
	}{
		"nothing": {conn.StatusNormalClosure, ""},
		"fail":    {conn.StatusInternalError, "exit status 3"},
		"no text": {conn.StatusInternalError, "not UTF-8"},
		"long":    {conn.StatusInternalError, "more than 1000 bytes"},
	} {
		t.Run(do, func(t *testing.T) {
			s := serveChild(t, do, "-max-message", "1000")
			c, err := s.dial(t, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, closed := readAll(t, c)
			if !closed.Remote || closed.Code != test.code || !strings.Contains(closed.Reason, test.reason) {
				t.Error(closed)
			}
			if do == "fail" {
				s.waitFor(t, "it went wrong")
			}
		})
	}
}

// TestACommandThatDoesNotRead does not keep its connection, or its place, for as long as it lives.
func TestACommandThatDoesNotRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("pipes have no deadlines there")
	}
	defer func(d time.Duration) { readPatience = d }(readPatience)
	readPatience = 200 * time.Millisecond
	s := serveChild(t, "deaf", "-grace", "100ms")
	c, err := s.dial(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 4 { // more than a pipe holds
		if err := c.Write(t.Context(), conn.Text, bytes.Repeat([]byte("x"), 100_000)); err != nil {
			break // its patience is over already
		}
	}
	if _, closed := readAll(t, c); closed.Code != conn.StatusInternalError || !strings.Contains(closed.Reason, "does not read") {
		t.Error(closed)
	}
	s.stop()
	if status := <-s.status; status != 0 {
		t.Errorf("status %d\n%s", status, s.errors)
	}
	s.status <- 0
}

func TestMessagesAreLinesOfACommand(t *testing.T) {
	s := serveChild(t, "cat")
	runWith(t, strings.NewReader("one\n\ntwo\n"), nil, "connect", s.url).check(t, 0, "one\n\ntwo\n")
	c, err := s.dial(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Write(t.Context(), conn.Binary, []byte{0})
	if _, closed := readAll(t, c); closed.Code != conn.StatusUnsupportedData {
		t.Error(closed)
	}
	s = serveChild(t, "cat", "-binary")
	r := runWith(t, strings.NewReader("AAEC/w==\n"), nil, "connect", "-binary", s.url)
	r.check(t, 0)
	if r.out != "AAEC/w==\n" {
		t.Errorf("printed %q", r.out)
	}
}

func TestACommandThatIsMissingIsReported(t *testing.T) {
	s := startServe(t, "--", "/none/such")
	c, err := s.dial(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, closed := readAll(t, c); closed.Code != conn.StatusInternalError {
		t.Error(closed)
	}
	s.waitFor(t, "cannot run")
}

func TestFieldsThatCouldPassForOthersAreLeftOut(t *testing.T) {
	r, err := http.NewRequest(http.MethodGet, "https://localhost/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Proxy": {"evil"}, "X_one": {"evil"}, "X-One": {"1", "2"}}
	env := environment(r, "")
	if slices.ContainsFunc(env, func(s string) bool { return strings.Contains(s, "evil") }) || !slices.Contains(env, "HTTP_X_ONE=1, 2") {
		t.Errorf("%q", env)
	}
}
