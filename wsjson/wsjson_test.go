package wsjson

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/race"
)

type state struct {
	Name     string `json:"name"`
	Position struct {
		X float64 `json:"x"`
	} `json:"position"`
}

// pair returns both ends of a connection in memory.
func pair(t testing.TB) (client, server *conn.Conn) {
	t.Helper()
	a, b := pipe.New(1 << 20)
	accepted := make(chan *conn.Conn, 1)
	go func() {
		c, _ := conn.Upgrade(context.Background(), b, nil)
		accepted <- c
	}()
	client, _, err := conn.Client(context.Background(), a, "ws://localhost/", nil)
	server = <-accepted
	if err != nil || server == nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.CloseNow(); _ = server.CloseNow() })
	return client, server
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	client, server := pair(t)
	var want state
	want.Name, want.Position.X = "grüße <&>\u2028", 1.5
	for range 3 { // buffers are used again
		if err := Write(t.Context(), client, want); err != nil {
			t.Fatal(err)
		}
		got, err := Read[state](t.Context(), server, DisallowUnknownFields())
		if err != nil || got != want {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	p, err := Prepare(want)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Send(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if got, err := Read[*state](t.Context(), client); err != nil || *got != want {
		t.Errorf("prepared: %+v, %v", got, err)
	}
}

// TestAnErrorSaysWhere, and the connection is open.
func TestAnErrorSaysWhere(t *testing.T) {
	client, server := pair(t)
	strict := []Option{DisallowUnknownFields()}
	for _, tt := range []struct {
		name, message string
		binary        bool
		options       []Option
		offset        int64
		field         string
		cause         error
		says          string
	}{
		{name: "binary", message: "{}", binary: true, offset: -1, cause: ErrNotText, says: "not text"},
		{name: "a syntax error", message: `{"name": nope}`, offset: 10, says: "invalid character 'o'"},
		{name: "a syntax error, strictly", message: `{"name": nope}`, options: strict, offset: 10, says: "invalid character 'o'"},
		{name: "cut off", message: `{"name": "x`, offset: 11, cause: io.ErrUnexpectedEOF, says: "unexpected EOF"},
		{name: "cut off, strictly", message: `{"name": "x`, options: strict, offset: 11, cause: io.ErrUnexpectedEOF, says: "unexpected EOF"},
		{name: "empty", message: " ", offset: 1, cause: io.ErrUnexpectedEOF, says: "unexpected EOF"},
		{name: "empty, strictly", message: " ", options: strict, offset: 1, cause: io.ErrUnexpectedEOF, says: "unexpected EOF"},
		{name: "another type", message: `{"position": {"x": "far"}}`, offset: 23, field: "position.x", says: `("position.x")`},
		{name: "an unknown field", message: `{"name": "x", "label": 1}`, options: strict, offset: -1, field: "label", cause: ErrUnknownField, says: `("label"): there is no such field`},
		{
			name: "a name that would forge a line of a log", message: `{"x\nlevel=ERROR` + strings.Repeat("x", 1000) + `": 1}`, options: strict, offset: -1,
			field: "x\nlevel=ERROR" + strings.Repeat("x", 1000), cause: ErrUnknownField, says: `("x\nlevel=ERROR` + strings.Repeat("x", 51) + `…")`,
		},
		{name: "more", message: `{} {}`, offset: 3, cause: ErrMore, says: "continues"},
		{name: "more, strictly", message: `{} {}`, options: strict, offset: 3, cause: ErrMore, says: "continues"},
		{name: "too long", message: `{"name": "long"}`, options: []Option{Limit(15)}, offset: -1, cause: ErrTooLong, says: "longer than Limit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			typ := conn.Text
			if tt.binary {
				typ = conn.Binary
			}
			if err := client.Write(t.Context(), typ, []byte(tt.message)); err != nil {
				t.Fatal(err)
			}
			v, err := Read[state](t.Context(), server, tt.options...)
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Offset != tt.offset || e.Field != tt.field || !strings.Contains(err.Error(), tt.says) || tt.cause != nil && !errors.Is(err, tt.cause) {
				t.Errorf("%+v: %v", e, err)
			}
			if v != (state{}) {
				t.Errorf("a value in spite of it: %+v", v)
			}
			if err := Write(t.Context(), client, state{Name: "next"}); err != nil {
				t.Fatal(err)
			}
			if v, err := Read[state](t.Context(), server); err != nil || v.Name != "next" {
				t.Errorf("the next message: %+v, %v", v, err)
			}
		})
	}
}

func TestAValueThatIsNoJSONIsNotSent(t *testing.T) {
	client, server := pair(t)
	for _, v := range []any{math.NaN(), func() {}, make(chan int)} {
		if err := Write(t.Context(), client, v); err == nil || !strings.HasPrefix(err.Error(), "wsjson: ") {
			t.Errorf("%T: %v", v, err)
		}
		if _, err := Prepare(v); err == nil {
			t.Errorf("%T is prepared", v)
		}
	}
	if err := Write(t.Context(), client, 1); err != nil {
		t.Fatal(err)
	}
	if n, err := Read[int](t.Context(), server); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

// TestTheEndOfAConnectionIsItsOwnError.
func TestTheEndOfAConnectionIsItsOwnError(t *testing.T) {
	client, server := pair(t)
	go func() { _, _, _ = client.Read(context.Background()) }()
	_ = server.Close(conn.StatusGoingAway, "")
	if _, err := Read[int](t.Context(), server); conn.CloseStatus(err) != conn.StatusGoingAway {
		t.Errorf("Read: %v", err)
	}
	if err := Write(t.Context(), server, 1); conn.CloseStatus(err) != conn.StatusGoingAway {
		t.Errorf("Write: %v", err)
	}
}

// TestOneAllocationLess than with Read and json.Unmarshal, and with json.Marshal and Write.
func TestOneAllocationLess(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector has pools forget")
	}
	client, server := pair(t)
	ctx := context.Background()
	v := &state{Name: strings.Repeat("x", 100)}
	data, _ := json.Marshal(v)
	for name, way := range map[string]struct{ obvious, ours func() }{
		"Write": {
			func() {
				data, _ := json.Marshal(v)
				_ = client.Write(ctx, conn.Text, data)
				_, _, _ = server.Read(ctx)
			},
			func() {
				_ = Write(ctx, client, v)
				_, _, _ = server.Read(ctx)
			},
		},
		"Read": {
			func() {
				_ = client.Write(ctx, conn.Text, data)
				_, data, _ := server.Read(ctx)
				var got state
				_ = json.Unmarshal(data, &got)
			},
			func() {
				_ = client.Write(ctx, conn.Text, data)
				_, _ = Read[state](ctx, server)
			},
		},
	} {
		obvious, ours := testing.AllocsPerRun(200, way.obvious), testing.AllocsPerRun(200, way.ours)
		if ours > obvious-1 {
			t.Errorf("%s: %v allocations, %v in the obvious way", name, ours, obvious)
		}
	}
}
