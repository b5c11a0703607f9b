package main

import (
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
)

// TestLiarsAreFound: clients that do something else on the wire than what their account
// says.
func TestLiarsAreFound(t *testing.T) {
	s, err := newSoak(options{seed: 1, conns: 1}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer s.server.close()
	s.ctx = t.Context()
	serve := func(*client) (string, url.Values) { return "/serve", url.Values{} }
	for _, tt := range []struct {
		name, want string
		run        func(*client)
	}{
		{"it is honest", "", func(k *client) {}},
		{"a message that it did not send", "client: sent 2 messages", func(k *client) { _ = k.own.wrote(nil) }},
		{"a message that it sent twice", "message 0 came again", func(k *client) {
			p := k.s.corpus.append(nil, k.l.id, 0, 10)
			_ = k.c.Write(k.ctx, typeOf(k.l.id, 0), p)
		}},
		{"a message of another's", "server: message 1 of connection 77 came", func(k *client) {
			seq := k.own.number()
			_ = k.own.wrote(k.c.Write(k.ctx, typeOf(k.l.id, seq), k.s.corpus.append(nil, 77, seq, 10)))
		}},
		{"an end of its own", "the server's end is 1006", func(k *client) { k.reset() }},
	} {
		before := s.tally.found
		s.one(&behaviour{name: tt.name, path: serve, keepsReading: true, httpOnly: true, run: func(k *client) {
			k.l.want([]string{"4000 peer"}, []string{"4000 local"})
			if k.write(100) == nil && k.echoed() == nil {
				tt.run(k)
			}
			_ = k.c.Close(4000, "")
		}}, 5)
		got := strings.Join(s.tally.findings[before:], "\n")
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s: found %q", tt.name, got)
		}
	}
	if n := s.server.group.Len(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
	if err := s.server.group.Shutdown(t.Context(), conn.ShutdownOptions{}); err != nil {
		t.Error(err)
	}
}
