package slog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/observe"
	"github.com/seed-c4549abd/wss/observe/internal/observetest"
	wssslog "github.com/seed-c4549abd/wss/observe/slog"
)

// lines is an io.Writer that collects log lines.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// records decodes the lines of a JSON handler.
func (l *lines) records(t *testing.T) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(l.String()) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, r)
	}
	return all
}

func jsonLogger(level slog.Level) (*lines, *slog.Logger) {
	out := new(lines)
	return out, slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level}))
}

func TestASceneInLines(t *testing.T) {
	out, logger := jsonLogger(slog.LevelDebug)
	end := observetest.Scene(t, wssslog.New(wssslog.Options{Logger: logger}), observe.ConnContext)
	end()
	var got []string
	for _, r := range out.records(t) {
		got = append(got, r["level"].(string)+" "+r["msg"].(string))
	}
	want := []string{
		"DEBUG websocket opened", "INFO websocket closed", "DEBUG websocket opened", "INFO websocket closed",
		"WARN websocket handshake refused", "DEBUG websocket opened", "INFO websocket closed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	all := out.records(t)
	opened, closed, hostile, refused := all[0], all[1], all[3], all[4]
	group := func(r map[string]any, name string) map[string]any {
		g, _ := r[name].(map[string]any)
		return g
	}
	if c := group(opened, "conn"); !strings.HasPrefix(c["remote"].(string), "127.0.0.1:") || c["tls"] != "TLS 1.3" || c["subprotocol"] != "chat" || c["compressed"] != true {
		t.Errorf("opened: %v", opened)
	}
	if r := group(opened, "request"); r["path"] != "/chat" || r["host"] == "" {
		t.Errorf("opened: %v", opened)
	}
	delete(group(closed, "stats"), "wire_in")
	delete(group(closed, "stats"), "wire_out")
	delete(group(closed, "stats"), "round_trip")
	if diff := cmp.Diff(map[string]any{"messages_in": 3., "messages_out": 3., "payload_in": 3000., "payload_out": 3000.}, group(closed, "stats")); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"code": 1000., "token": "peer", "by": "peer"}, group(closed, "close")); diff != "" {
		t.Errorf("close (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{
		"code": 4001., "token": "peer", "by": "peer", "reason": `bye\nlevel=ERROR \x1b[31m\u202egnp.exe`,
	}, group(hostile, "close")); diff != "" {
		t.Errorf("hostile reason (-want +got):\n%s", diff)
	}
	if r := group(refused, "refusal"); r["token"] != "origin" || r["status"] != 403. || !strings.Contains(r["reason"].(string), "elsewhere") {
		t.Errorf("refused: %v", refused)
	}
	if strings.Contains(out.String(), "secret") {
		t.Errorf("a token of a URL is logged:\n%s", out)
	}
}

// TestAttributesCanBeLeftOut, except code, token, the side that closed, and duration.
func TestAttributesCanBeLeftOut(t *testing.T) {
	out, logger := jsonLogger(slog.LevelDebug)
	o := wssslog.New(wssslog.Options{Logger: logger, Attributes: wssslog.None, More: func(c *conn.Conn) []slog.Attr {
		return []slog.Attr{slog.String("user", "ada")}
	}})
	observetest.Scene(t, o, observe.ConnContext)()
	for _, r := range out.records(t) {
		for key := range r {
			switch key {
			case "time", "level", "msg", "user", "close", "refusal", "duration":
			default:
				t.Errorf("%s: %v", r["msg"], r)
			}
		}
		if c, ok := r["close"].(map[string]any); ok && c["reason"] != nil || r["msg"] != "websocket handshake refused" && r["user"] != "ada" {
			t.Errorf("%v", r)
		}
	}
}

// TestLevelsMayChange, as a slog.LevelVar does, and no line is made at a level that the handler does not take.
func TestLevelsMayChange(t *testing.T) {
	out, logger := jsonLogger(slog.LevelInfo)
	var opened slog.LevelVar
	opened.Set(slog.LevelDebug)
	o := wssslog.New(wssslog.Options{Logger: logger, Opened: &opened, Closed: slog.LevelDebug, Refused: slog.LevelError})
	observetest.Scene(t, o, nil)()
	opened.Set(slog.LevelWarn)
	observetest.Scene(t, o, nil)()
	var got []string
	for _, r := range out.records(t) {
		got = append(got, r["level"].(string)+" "+r["msg"].(string))
	}
	want := []string{
		"ERROR websocket handshake refused", "WARN websocket opened", "WARN websocket opened", "ERROR websocket handshake refused", "WARN websocket opened",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestPeersCannotFillADisk: Limit bounds the lines in a second.
func TestPeersCannotFillADisk(t *testing.T) {
	for _, tt := range []struct {
		limit, first int
		suppressed   any
	}{{0, wssslog.DefaultLimit, 990.}, {3, 3, 997.}, {-1, 1000, nil}} {
		synctest.Test(t, func(t *testing.T) {
			out, logger := jsonLogger(slog.LevelInfo)
			o := wssslog.New(wssslog.Options{Logger: logger, Limit: tt.limit})
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			for range 1000 {
				o.Refused(r, &conn.HandshakeError{Token: "origin"})
			}
			if got := strings.Count(out.String(), "\n"); got != tt.first {
				t.Errorf("limit %d: %d lines", tt.limit, got)
			}
			time.Sleep(time.Second)
			o.Refused(r, &conn.HandshakeError{Token: "origin"})
			all := out.records(t)
			if got := all[len(all)-1]["suppressed"]; len(all) != tt.first+1 || got != tt.suppressed {
				t.Errorf("limit %d: %d lines, %v suppressed", tt.limit, len(all), got)
			}
		})
	}
}

// TestHostileRefusals: a refusal is one short line, whatever strings the request and a Check contain.
func TestHostileRefusals(t *testing.T) {
	out := new(lines)
	o := wssslog.New(wssslog.Options{Logger: slog.New(slog.NewTextHandler(out, nil)), Limit: -1})
	huge := strings.Repeat("\n\x1b[2J", 100_000)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Host, r.URL.Path, r.RemoteAddr = huge, huge, huge
	o.Refused(r, &conn.HandshakeError{Token: huge, Reason: huge, Err: &conn.CloseError{Reason: huge}})
	o.Refused(&http.Request{}, &conn.HandshakeError{}) // a request that Upgrade could not parse may have no URL
	got := out.String()
	if strings.Count(got, "\n") != 2 || len(got) > 4000 || strings.Contains(got, "\x1b") {
		t.Errorf("%d bytes, %d lines: %.300q", len(got), strings.Count(got, "\n"), got)
	}
}

// TestTheZeroValueLogs to slog.Default, in both roles, and an end before Opened makes two lines in order.
func TestTheZeroValueLogs(t *testing.T) {
	out, logger := jsonLogger(slog.LevelDebug)
	before := slog.Default()
	slog.SetDefault(logger)
	defer slog.SetDefault(before)
	o := new(wssslog.Observer)
	url, dial := observetest.Echo(t, nil)
	dial.Observer = observe.All(ender{}, o)
	if c, _, err := conn.Dial(t.Context(), url, dial); err == nil {
		_ = c.CloseNow()
	}
	all := out.records(t)
	if len(all) != 2 || all[0]["msg"] != "websocket opened" || all[1]["msg"] != "websocket closed" {
		t.Errorf("%v", all)
	}
}

type ender struct{ conn.NopObserver }

func (ender) Opened(c *conn.Conn) { _ = c.CloseNow() }

// TestHandlersSeeTheConnectionsContext, for the identifiers of traces.
func TestHandlersSeeTheConnectionsContext(t *testing.T) {
	h := &contextHandler{seen: make(chan any, 10)}
	type key struct{}
	end := observetest.Scene(t, wssslog.New(wssslog.Options{Logger: slog.New(h), Refused: slog.Level(-100)}), func(r *http.Request) context.Context {
		h.key = key{}
		return context.WithValue(r.Context(), key{}, "trace")
	})
	end()
	for range 6 {
		if v := <-h.seen; v != "trace" {
			t.Errorf("got %v", v)
		}
	}
}

type contextHandler struct {
	key  any
	seen chan any
}

func (h *contextHandler) Enabled(_ context.Context, l slog.Level) bool { return l > -100 }
func (h *contextHandler) Handle(ctx context.Context, _ slog.Record) error {
	h.seen <- ctx.Value(h.key)
	return nil
}
func (h *contextHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h *contextHandler) WithGroup(string) slog.Handler      { return h }

// BenchmarkCost is the cost of an echo with the observer.
func BenchmarkCost(b *testing.B) {
	observetest.Cost(b, wssslog.New(wssslog.Options{Logger: slog.New(slog.DiscardHandler)}))
}
