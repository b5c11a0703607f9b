package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/test/process"
)

// startTestServer starts our server, and returns it as a target too.
func startTestServer(t *testing.T) (*server, *target) {
	t.Helper()
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	s, err := startServer(ca)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return s, &target{url: s.url, tls: clientConfig(ca), out: process.NewJournal()}
}

func TestServerNotesHowConnectionsEnd(t *testing.T) {
	s, target := startTestServer(t)
	c, err := target.dial(t.Context(), "/echo?id=mine", messageLimit)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if err := c.Close(4003, "because"); err != nil {
		t.Fatal(err)
	}
	if err := s.sawClose(t.Context(), "mine", 4003, "because"); err != nil {
		t.Error(err)
	}
}

func TestSawCloseComparesCodeAndReason(t *testing.T) {
	s := &server{ends: make(map[string]chan *conn.CloseError)}
	for _, test := range []struct {
		name   string
		why    *conn.CloseError
		reason string
		want   string
	}{
		{"same", &conn.CloseError{Code: 4000, Reason: "a"}, "a", ""},
		{"any reason", &conn.CloseError{Code: 4000, Reason: "a"}, "", ""},
		{"other code", &conn.CloseError{Code: 1006}, "", "want code 4000"},
		{"other reason", &conn.CloseError{Code: 4000, Reason: "b"}, "a", `reason "a"`},
		{"no close", nil, "", "want code 4000"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.end(test.name) <- test.why
			err := s.sawClose(t.Context(), test.name, 4000, test.reason)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.sawClose(ctx, "never", 4000, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestCloseAfterOneNeedsACode(t *testing.T) {
	_, target := startTestServer(t)
	c, err := target.dial(t.Context(), "/close", messageLimit)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if err := c.Write(t.Context(), conn.Text, nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(t.Context()); conn.CloseStatus(err) != conn.StatusAbnormal {
		t.Errorf("got %v, want an abnormal end", err)
	}
}
