package wire

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// What the parent asks for, a byte each, and what it is told.
const (
	askEcho   = 'e' // is answered by itself
	askSpin   = 's' // is answered with saysBegun, and then, when somebody has sent askLet, with saysFreed
	askLet    = 'l' // is answered by itself
	saysBegun = 'b'
	saysFreed = 'f'
	saysStuck = 'x'
)

const childVar = "WSS_WIRE_CHILD"

// TestMain is the server of TestAGoroutineThatDoesNotYieldIsPreempted, when it is told so.
func TestMain(m *testing.M) {
	if os.Getenv(childVar) == "" {
		os.Exit(m.Run())
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	_, _ = os.Stdout.WriteString(ln.Addr().String() + "\n")
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	var let atomic.Bool
	for {
		nc, err := ln.Accept()
		if err != nil {
			panic(err)
		}
		c := Plain(nc)
		c.Switch()
		go func() {
			defer c.Close()
			_ = c.Loop(func() bool { return obey(c, &let) })
		}()
	}
}

// obey does what the parent asks for on one connection.
func obey(c *Conn, let *atomic.Bool) bool {
	for c.Ready() {
		var p [1]byte
		if _, err := c.Read(p[:]); err != nil {
			return false
		}
		answer := p[0]
		switch p[0] {
		case askLet:
			let.Store(true)
		case askSpin:
			let.Store(false)
			if _, err := c.Write([]byte{saysBegun}); err != nil {
				return false
			}
			answer = saysFreed
			for end := time.Now().Add(time.Minute); !let.Load(); {
				if time.Now().After(end) {
					answer = saysStuck
					break
				}
			}
		}
		if _, err := c.Write([]byte{answer}); err != nil {
			return false
		}
	}
	return true
}

// TestAGoroutineThatDoesNotYieldIsPreempted: on the only processor that there is, a callback that
// was woken out of a process wholly asleep computes, calling nobody, until another connection's
// tells it to stop. Whatever is done to make calls cheap must leave the scheduler awake for that.
func TestAGoroutineThatDoesNotYieldIsPreempted(t *testing.T) {
	one, other := child(t)
	const rounds, pings = 3, 500
	for range rounds {
		for range pings { // so many that calls are raw
			ask(t, one, askEcho, askEcho)
		}
		ask(t, one, askSpin, saysBegun)
		ask(t, other, askLet, askLet)
		answered(t, one, saysFreed)
	}
}

// child starts a process with one processor and returns two connections to it.
func child(t *testing.T) (one, other net.Conn) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"=1", "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]net.Conn
	for i := range ends {
		if ends[i], err = net.Dial("tcp", strings.TrimSpace(addr)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = ends[i].Close() })
	}
	return ends[0], ends[1]
}

func ask(t *testing.T, c net.Conn, what, want byte) {
	t.Helper()
	if _, err := c.Write([]byte{what}); err != nil {
		t.Fatal(err)
	}
	answered(t, c, want)
}

// answered checks what the child says next.
func answered(t *testing.T, c net.Conn, want byte) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
	var p [1]byte
	_, err := io.ReadFull(c, p[:])
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("nobody answers")
	} else if err != nil {
		t.Fatal(err)
	}
	if p[0] != want {
		t.Fatalf("answered %q, want %q", p[0], want)
	}
}
