package main

import (
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/test/process"
)

func TestForeignServersConnectionsAreJudgedOnBothSides(t *testing.T) {
	z, out, links := newTestCompression(t, false)
	lib := &library{name: "fake", server: self(t, "compression-server")}
	if err := z.foreignServer(t.Context(), lib, links); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "ok    compression, fake server: 3 connections, ") {
		t.Errorf("got\n%s", out)
	}
}

func TestAgreementThatIsNotTheWantedOneFails(t *testing.T) {
	z, out, links := newTestCompression(t, false)
	links[0].want.serverBits = 14
	lib := &library{name: "fake", server: self(t, "compression-server")}
	if err := z.foreignServer(t.Context(), lib, links); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "1 failed\n      connection 0") || !strings.Contains(out.String(), "server_max_window_bits=9") {
		t.Errorf("got\n%s", out)
	}
}

// A server that does not compress fails unless it may decline.
func TestDecliningServers(t *testing.T) {
	z, _, links := newTestCompression(t, false)
	l := links[0]
	s, err := startEchoes(z.ca, []*link{{ours: conn.Compression{}}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if header, err := z.useLink(t.Context(), l, s.port, true); header != "" || err != nil {
		t.Errorf("got %q, %v", header, err)
	}
	if _, err := z.useLink(t.Context(), l, s.port, false); err == nil || !strings.Contains(err.Error(), "no compression was agreed on") {
		t.Errorf("got %v", err)
	}
}

func TestPortsAreOneOrOneForEachLink(t *testing.T) {
	for _, test := range []struct {
		line, want string
		links      int
	}{
		{`{"listening": [7]}`, "", 3},
		{`{"listening": [7, 0, 9]}`, "", 3},
		{`{"listening": [7, 8]}`, "want one or 3", 3},
		{`{"listening": 7}`, "no line", 3},
	} {
		dir := t.TempDir()
		fakeProgram(t, dir, "server", "echo '"+test.line+"'")
		p, err := start(t.Context(), process.Command{Args: []string{filepath.Join(dir, "server")}})
		if err != nil {
			t.Fatal(err)
		}
		ports, err := awaitPorts(t.Context(), p, test.links)
		if test.want == "" && (err != nil || len(ports) != test.links) || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %v, %v", test.line, ports, err)
		}
	}
}

func TestEachLinkIsUsedOnce(t *testing.T) {
	var used [50]atomic.Int32
	var links []*link
	for id := range used {
		links = append(links, &link{ID: id})
	}
	eachAbreast(links, func(l *link) { used[l.ID].Add(1) })
	for id := range used {
		if n := used[id].Load(); n != 1 {
			t.Errorf("link %d: %d times", id, n)
		}
	}
}
