package main

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
)

// settledLife is a connection on which each side has sent n messages, and which the
// client has closed: nothing is to be said against it.
func settledLife(t *testing.T, n int64) *life {
	t.Helper()
	var all lives
	k := newCorpus(1)
	l := all.add(k, &behaviour{name: "echo"}, 7)
	l.accepted.Store(true)
	l.want([]string{"1000 peer"}, []string{"1000 local"})
	for seq := range uint32(n) {
		for _, s := range []*side{l.client, l.server} {
			_ = s.wrote(nil)
			s.MessageOut(nil, 0, 0)
			s.MessageIn(nil, 0, 0)
			s.take(typeOf(l.id, seq), k.append(nil, l.id, seq, 10))
		}
	}
	stats := conn.Stats{MessagesIn: n, MessagesOut: n, PayloadIn: 10 * n, PayloadOut: 10 * n}
	l.client.stats, l.server.stats = stats, stats
	l.client.Closed(nil, &conn.CloseError{Code: 1000, Err: net.ErrClosed})
	l.server.Closed(nil, &conn.CloseError{Code: 1000, Remote: true})
	if f := l.judge(false); len(f) > 0 {
		t.Fatalf("found %q", f)
	}
	return l
}

// TestWhatIsNotAccountedForIsFound spoils one thing at a time.
func TestWhatIsNotAccountedForIsFound(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(*life)
		want  string
	}{
		"a message that was lost": {func(l *life) {
			l.server.received--
			l.server.seenIn--
			l.server.stats.MessagesIn--
		}, "client to server: 5 messages were sent before an orderly end"},
		"a message that came twice": {func(l *life) {
			l.client.take(typeOf(1, 4), l.client.corpus.append(nil, 1, 4, 10))
		}, "client: message 4 came again"},
		"a message that came too early": {func(l *life) {
			l.client.take(typeOf(1, 7), l.client.corpus.append(nil, 1, 7, 10))
		}, "client: message 7 came when 5 was due"},
		"more received than sent": {func(l *life) { l.client.received = 9 }, "9 messages were received, 5 sent"},
		"a write that was not counted": {func(l *life) {
			_ = l.client.wrote(nil)
		}, "client: sent 6 messages"},
		"a message that should not have left": {func(l *life) { l.client.stats.MessagesOut++ }, "client: sent 5 messages"},
		"an observer that was not told":       {func(l *life) { l.server.seenIn-- }, "the Observer was told of 4"},
		"statistics that are wrong":           {func(l *life) { l.server.stats.MessagesIn++ }, "Stats says 6"},
		"bytes that differ":                   {func(l *life) { l.server.stats.PayloadIn++ }, "50 bytes were sent, 51 received"},
		"a drop that nobody counted":          {func(l *life) { _ = l.server.wrote(conn.ErrQueueFull) }, "Stats.Dropped is 0"},
		"a drop of nobody's":                  {func(l *life) { l.server.stats.Dropped++ }, "Stats.Dropped is 1"},
		"another code":                        {func(l *life) { l.server.why.Code = 1001 }, "the server's end is 1001 peer"},
		"another token":                       {func(l *life) { l.client.why.Remote, l.client.why.Err = true, nil }, "the client's end is 1000 peer"},
		"no end":                              {func(l *life) { l.server.why = nil }, "the server's end is none"},
		"two ends":                            {func(l *life) { l.server.Closed(nil, nil) }, "told 2 times"},
		"bytes that still wait":               {func(l *life) { l.server.stats.Pending = 3 }, "3 bytes still wait"},
		"a fault of a call":                   {func(l *life) { l.client.fault("it %s", "failed") }, "client: it failed"},
	} {
		l := settledLife(t, 5)
		tt.spoil(l)
		if f := l.judge(false); !strings.Contains(strings.Join(f, "\n"), tt.want) {
			t.Errorf("%s: found %q", name, f)
		}
	}
}

// TestWhatMayBe is not held against a connection.
func TestWhatMayBe(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*life)
		cut    bool
	}{
		"a first part, when the connection breaks off": {func(l *life) {
			l.server.why = &conn.CloseError{Code: 1006}
			l.want([]string{"1006 network"}, []string{"1000 local"})
			l.client.stats.MessagesOut, l.client.sent = 8, 8
		}, false},
		"a call that the end has met": {func(l *life) {
			_ = l.client.wrote(&conn.CloseError{Code: 1000})
			l.client.stats.MessagesOut++
			l.server.MessageIn(nil, 0, 0)
			l.server.take(typeOf(1, 5), l.server.corpus.append(nil, 1, 5, 10))
			l.server.stats.MessagesIn++
		}, false},
		"a write that was given up": {func(l *life) { _ = l.client.wrote(errors.New("context ended")) }, false},
		"the end of the group": {func(l *life) {
			l.server.why = &conn.CloseError{Code: 1001, Err: net.ErrClosed}
			l.client.why = &conn.CloseError{Code: 1001, Remote: true}
		}, true},
	} {
		l := settledLife(t, 5)
		tt.change(l)
		if f := l.judge(tt.cut); len(f) > 0 {
			t.Errorf("%s: found %q", name, f)
		}
	}
}

// TestBroadcastsAreAccountedFor by what was offered, dropped and received.
func TestBroadcastsAreAccountedFor(t *testing.T) {
	for _, tt := range []struct {
		name             string
		offered, dropped int64
		numbers          []uint32
		want             string
	}{
		{"all", 3, 0, []uint32{10, 11, 12}, ""},
		{"none was offered", 0, 0, nil, ""},
		{"one is missing", 3, 0, []uint32{10, 12}, "1 broadcasts are missing"},
		{"the first is missing", 3, 0, []uint32{11, 12}, "1 broadcasts are missing"},
		{"one was dropped", 3, 1, []uint32{10, 12}, ""},
		{"in another order", 3, 0, []uint32{10, 12, 11}, "message 11 came again, or late"},
		{"one that was not offered", 2, 0, []uint32{9, 10}, "the first offered was 10"},
		{"more than were offered", 1, 0, []uint32{10, 11}, "1 broadcasts were offered, but 2 sent"},
	} {
		var all lives
		k := newCorpus(1)
		l := all.add(k, &behaviour{name: "subscriber", subscribes: true}, 7)
		l.accepted.Store(true)
		l.want([]string{"1000 peer"}, []string{"1000 local"})
		l.offered.Store(tt.offered)
		l.opening.Store(10)
		for _, seq := range tt.numbers {
			l.client.MessageIn(nil, 0, 0)
			l.client.take(typeOf(0, seq), k.append(nil, 0, seq, 10))
		}
		n := int64(len(tt.numbers))
		l.server.stats = conn.Stats{MessagesOut: n, Dropped: tt.dropped}
		l.client.stats = conn.Stats{MessagesIn: n}
		l.client.Closed(nil, &conn.CloseError{Code: 1000, Err: net.ErrClosed})
		l.server.Closed(nil, &conn.CloseError{Code: 1000, Remote: true})
		got := strings.Join(l.judge(false), "\n")
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s: found %q", tt.name, got)
		}
	}
}

func TestEndsFit(t *testing.T) {
	for _, tt := range []struct {
		end, want string
		fits      bool
	}{
		{"1000 peer", "1000 peer", true}, {"1000 local", "1000 peer", false},
		{"1006 truncated", "1006 *", true}, {"1001 peer", "1006 *", false},
	} {
		if got := fits(tt.end, []string{"4000 peer", tt.want}); got != tt.fits {
			t.Errorf("%s, want %s: %v", tt.end, tt.want, got)
		}
	}
}
