package suite

import (
	"bufio"
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/autobahn/suite/faulty"
	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/mask"
)

func TestTheNumbersBeyondAreComplete(t *testing.T) {
	var want []string
	for _, g := range report.Beyond() {
		want = append(want, g.Cases...)
	}
	if got := ids(Beyond()); !slices.Equal(got, want) {
		t.Errorf("cases\n%q, want\n%q", got, want)
	}
	for _, c := range Beyond() {
		if c.Description == "" || c.Expectation == "" || len(c.Outcomes) == 0 && c.Drive == nil {
			t.Errorf("%s lacks something: %+v", c.ID, c)
		}
	}
	if all, err := Select([]string{"*"}); err != nil || len(all) != 517 {
		t.Errorf("a star selects %d cases, %v", len(all), err)
	}
	if _, err := SelectFor(ClientRole, []string{"20.*"}); err == nil {
		t.Error("cases of servers are selected for clients")
	}
}

// sloppyServer answers every request with what answer says, and echoes nothing.
func sloppyServer(t *testing.T, answer func(head string) string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				head, err := readHead(bufio.NewReader(conn))
				if err != nil {
					return
				}
				_, _ = io.WriteString(conn, answer(head))
				_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
				_, _ = io.Copy(io.Discard, conn)
			}()
		}
	}()
	return "ws://" + ln.Addr().String()
}

func readHead(r *bufio.Reader) (head string, err error) {
	for !strings.HasSuffix(head, "\r\n\r\n") {
		line, err := r.ReadString('\n')
		if err != nil {
			return head, err
		}
		head += line
	}
	return head, nil
}

// agreeing agrees to everything, the first extension and subprotocol included.
func agreeing(head string) string {
	value := func(name string) string {
		lines := strings.Split(head, "\r\n")
		i := named(lines, name)
		if i < 0 {
			return ""
		}
		return strings.TrimSpace(strings.SplitN(lines[i], ":", 2)[1])
	}
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		handshake.AcceptKey(value("Sec-WebSocket-Key")) + "\r\n"
	for _, name := range []string{"Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"} {
		if offered := value(name); offered != "" {
			first, _, _ := strings.Cut(offered, ",")
			answer += name + ": " + first + "\r\n"
		}
	}
	return answer + "\r\n"
}

// TestEveryOpeningCanFail: a server that agrees to everything fails those that must be refused or declined, one that
// refuses everything the others, and one that says nothing all.
func TestEveryOpeningCanFail(t *testing.T) {
	cases, err := SelectFor(ServerRole, []string{"20.*"})
	if err != nil {
		t.Fatal(err)
	}
	for name, server := range map[string]struct {
		answer func(string) string
		fails  func(g *Opening) bool
	}{
		"agrees":  {agreeing, func(g *Opening) bool { return true }}, // it does not echo either
		"refuses": {func(string) string { return "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" }, func(g *Opening) bool { return !g.Refuse && !g.Either || g.Field != "" }},
		"mumbles": {func(string) string { return "hello\r\n\r\n" }, func(*Opening) bool { return true }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want []string
			for _, c := range cases {
				if server.fails(c.Opening) {
					want = append(want, c.ID)
				}
			}
			got := caughtBy(t, Options{URL: sloppyServer(t, server.answer), Cases: []string{"20.*"}, Slowness: 0.2}, want)
			if !slices.Equal(got, want) {
				t.Errorf("caught by\n%q, want\n%q", got, want)
			}
		})
	}
}

// TestAnAgreementThatHadToBeRefusedIsNamed, rather than that nothing came back.
func TestAnAgreementThatHadToBeRefusedIsNamed(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for echoes that do not come")
	}
	rep, err := Run(t.Context(), Options{URL: sloppyServer(t, agreeing), Cases: []string{"20.1.1", "20.3.1", "20.4.3", "20.6.1", "20.6.3"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rep.Results {
		if !strings.HasPrefix(r.Result, "The server agreed to ") {
			t.Errorf("%s: %s", r.ID, r.Result)
		}
	}
}

// TestAServerThatEchoesBehindARefusalIsCaught.
func TestAServerThatEchoesBehindARefusalIsCaught(t *testing.T) {
	echo := "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n\x81\x10behind a refusal"
	url := sloppyServer(t, func(string) string { return echo })
	eventually(t, func(t *attempt) {
		rep, err := Run(t.Context(), Options{URL: url, Cases: []string{"20.1.1"}})
		if err != nil {
			t.Fatal(err)
		}
		if r := rep.Results[0]; r.Behavior != report.Failed || !strings.Contains(r.Result, "echoed") {
			t.Errorf("%s: %s", r.Behavior, r.Result)
		}
	})
}

// clientOf requests a case by hand, and goes on with after when a head has come.
func clientOf(url string, after func(net.Conn) error) error {
	host, path, _ := strings.Cut(strings.TrimPrefix(url, "ws://"), "/")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET /"+path+" HTTP/1.1\r\nHost: "+host+"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: "+someKey+"\r\nSec-WebSocket-Version: 13\r\n\r\n")
	if _, err := readHead(bufio.NewReader(conn)); err != nil {
		return err
	}
	return after(conn)
}

// TestEveryResponseCanFail: a client that takes any response fails those that it must not take, whether it sends something
// or not, and one that takes none fails the others.
func TestEveryResponseCanFail(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for clients that do not end")
	}
	linger := func(conn net.Conn) error {
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, err := io.Copy(io.Discard, conn)
		return err
	}
	for name, client := range map[string]struct {
		after func(net.Conn) error
		fails string
	}{
		"sends": {func(conn net.Conn) error {
			h := frame.Header{Fin: true, Opcode: frame.Text, Length: 1, Masked: true, Key: mask.NewKey()}
			_, _ = conn.Write(append(h.Append(nil), 'x'))
			return linger(conn)
		}, "21."},
		"keeps":    {linger, "21."},
		"gives up": {func(net.Conn) error { return nil }, "21.2."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := func(ids []string, slowness float64) (failed, all []string) {
				s, base := fuzzingServer(t, ServerOptions{Cases: ids, Slowness: slowness})
				return runAll(t, s, base, "sloppy", s.Cases(), 32, func(_ context.Context, url string) error { return clientOf(url, client.after) }), s.Cases()
			}
			got, want := run([]string{"21.*"}, 0.2)
			want = slices.DeleteFunc(slices.Clone(want), func(id string) bool { return !strings.HasPrefix(id, client.fails) })
			got = retried(t, want, got, func(ids []string) []string { failed, _ := run(ids, 3); return failed })
			if !slices.Equal(got, want) {
				t.Errorf("caught by\n%q, want\n%q", got, want)
			}
		})
	}
}

// TestFaultsAreCaughtByTheCasesBeyond shows the other groups able to fail.
func TestFaultsAreCaughtByTheCasesBeyond(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for answers that do not come")
	}
	for f, want := range map[faulty.Fault][]string{
		faulty.AnyCode:           {"23.1.4"},
		faulty.AnyReason:         {"23.2.4"},
		faulty.FragmentedControl: {"23.3.1"},
		faulty.IgnoresRSV:        {"23.3.2", "26.2.6", "26.2.7", "26.2.8"},
		faulty.LongControl:       {"24.2.4", "24.2.5", "24.2.6"},
		faulty.IgnoresOpcodes:    {"25.2.1"},
		faulty.NoUTF8:            {"25.2.2"},
		faulty.LatePongs:         {"25.1.5", "26.2.1", "26.2.2"},
		faulty.EchoesFragments:   {"22.1.3", "24.3.1", "24.3.2", "24.3.3", "24.3.4", "24.3.5", "25.1.5", "26.2.1", "26.2.2", "26.2.5", "26.2.6"},
		faulty.WidensWindow:      {"26.1.1", "26.1.3", "26.1.4"},
		faulty.ForgetsPromise:    {"26.1.1", "26.1.2", "26.1.3", "26.1.4"},
		faulty.WideWindow:        {"26.1.1", "26.1.3", "26.1.4"},
		faulty.KeepsContext:      {"26.1.2", "26.1.3"},
		faulty.WrongCode: {
			"22.1.1", "22.1.2", "22.1.3", "23.1.4", "23.2.4", "23.3.1", "23.3.2", "24.2.4", "24.2.5", "24.2.6", "25.2.1", "25.2.2",
			"26.2.6", "26.2.7", "26.2.8", "26.2.9",
		},
		faulty.None: nil,
	} {
		t.Run("a server that "+string(f), func(t *testing.T) {
			t.Parallel()
			got := caughtBy(t, Options{URL: faultyServer(t, f, nil), Cases: []string{"22.*", "23.*", "24.*", "25.*", "26.*"}}, want)
			if !slices.Equal(got, want) {
				t.Errorf("caught by %q, want %q", got, want)
			}
		})
	}
}

// TestAServerThatTakesUnmaskedFramesIsCaught.
func TestAServerThatTakesUnmaskedFramesIsCaught(t *testing.T) {
	// It upgrades, and what comes is thrown away: no close frame says that a rule was broken.
	url := sloppyServer(t, agreeing)
	got := failures(t, Options{URL: url, Cases: []string{"22.1.*"}, Slowness: 0.2})
	if want := []string{"22.1.1", "22.1.2", "22.1.3"}; !slices.Equal(got, want) {
		t.Errorf("caught by %q, want %q", got, want)
	}
}
