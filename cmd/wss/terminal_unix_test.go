//go:build unix

package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// terminal is a pane of tmux, with a server of tmux of its own.
type terminal struct {
	t      *testing.T
	socket string
}

// newTerminal runs a command line in a terminal. The test is skipped where there is no tmux.
func newTerminal(t *testing.T, line string) *terminal {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed, which gives this test a terminal: apt-get install tmux")
	}
	dir, err := os.MkdirTemp("", "wss-tmux") //nolint:usetesting // t.TempDir is too long for the path of a socket
	if err != nil {
		t.Fatal(err)
	}
	x := &terminal{t, filepath.Join(dir, "s")}
	t.Cleanup(func() {
		_ = exec.Command("tmux", "-S", x.socket, "kill-server").Run()
		os.RemoveAll(dir)
	})
	x.tmux("-f", os.DevNull, "new-session", "-d", "-x", "120", "-y", "50", line+"; echo status $?; sleep 1000")
	return x
}

func (x *terminal) tmux(args ...string) string {
	x.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", x.socket}, args...)...).CombinedOutput()
	if err != nil {
		x.t.Fatalf("tmux %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// waitFor waits until the terminal shows a text.
func (x *terminal) waitFor(text string) (screen string) {
	x.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if screen = x.tmux("capture-pane", "-p"); strings.Contains(screen, text) {
			return screen
		}
	}
	x.t.Fatalf("the terminal does not show %q:\n%s", text, screen)
	return ""
}

func commandLine(args string) string { return fmt.Sprintf("%s=1 '%s' %s", asCommand, os.Args[0], args) }

func TestInATerminal(t *testing.T) {
	srv := newEcho(t)
	x := newTerminal(t, commandLine("connect -ca '"+srv.ca+"' "+srv.url))
	x.waitFor("connected, TLS 1.3; ctrl-D or ctrl-C ends")
	x.tmux("send-keys", "-l", `{"a":[1,true]}`)
	x.tmux("send-keys", "Enter")
	x.waitFor("< {\n  \"a\": [\n    1,\n    true\n  ]\n}")
	x.tmux("send-keys", "-l", "hello")
	x.tmux("send-keys", "Enter")
	x.waitFor("< hello")
	x.tmux("send-keys", "C-d")
	x.waitFor("closed: 1000, normal closure")
	x.waitFor("status 0")
}

func TestCtrlCInATerminal(t *testing.T) {
	srv := newServer(t, nil, func(c *conn.Conn, _ *http.Request) {
		_ = c.Write(c.Context(), conn.Text, []byte("\x1b[2J\x1b]0;title\a"))
		<-c.CloseRead(c.Context()).Done()
	}, nil)
	x := newTerminal(t, commandLine("connect -ca '"+srv.ca+"' "+srv.url))
	x.waitFor(`< \u001b[2J\u001b]0;title\u0007`)
	x.tmux("send-keys", "C-c")
	x.waitFor("closed: 1001")
	x.waitFor("status 0")
}

func TestBenchShowsALineInATerminal(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes three seconds")
	}
	srv := newEcho(t)
	x := newTerminal(t, commandLine("bench -conns 2 -rate 10 -time 2500ms -ca '"+srv.ca+"' "+srv.url))
	x.waitFor("2 s: 2 connections, ")
	x.waitFor("errors    none")
	x.waitFor("status 0")
}

func TestServeInATerminal(t *testing.T) {
	x := newTerminal(t, commandLine("serve -listen localhost:0 -echo"))
	x.waitFor("serving wss://localhost:")
	x.tmux("send-keys", "C-c")
	x.waitFor("status 0")
}
