//go:build unix

package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// TestAProcessGroupEndsWithItsConnection has a command that ignores the end of its input, and one that ignores SIGTERM, each with a child.
func TestAProcessGroupEndsWithItsConnection(t *testing.T) {
	for name, script := range map[string]string{
		"a command that stays":        `sleep 1000 & echo $!; echo $$; wait`,
		"one that ignores SIGTERM":    `trap '' TERM; sleep 1000 & echo $!; echo $$; wait; wait; sleep 1000`,
		"one that leaves a child":     `sleep 1000 >/dev/null 2>&1 & echo $!; echo $$`,
		"one that reads and children": `sleep 1000 & echo $!; echo $$; cat >/dev/null`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServe(t, "-grace", "100ms", "--", "sh", "-c", script)
			c, err := s.dial(t, nil)
			if err != nil {
				t.Fatal(err)
			}
			var pids []int
			for range 2 {
				_, line, err := c.Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				pid, err := strconv.Atoi(strings.TrimSpace(string(line)))
				if err != nil {
					t.Fatal(err)
				}
				pids = append(pids, pid)
			}
			_ = c.Close(conn.StatusNormalClosure, "")
			for _, pid := range pids {
				waitGone(t, pid)
			}
		})
	}
}

// waitGone waits until a process has ended. A zombie, whose parent has died and which nobody waits for, has ended too.
func waitGone(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); syscall.Kill(pid, 0) == nil && !isZombie(pid); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("process %d is still there", pid)
			_ = syscall.Kill(pid, syscall.SIGKILL)
			return
		}
	}
}

// TestAnInterruptEndsCommands, whose connections it closes.
func TestAnInterruptEndsCommands(t *testing.T) {
	s := startServe(t, "-grace", "100ms", "--", "sh", "-c", "echo $$; sleep 1000")
	c, err := s.dial(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, line, err := c.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.stop()
	if _, closed := readAll(t, c); closed.Code != conn.StatusGoingAway {
		t.Error(closed)
	}
	status := <-s.status
	s.status <- status
	pid, _ := strconv.Atoi(string(line))
	if syscall.Kill(pid, 0) == nil || status != 0 {
		t.Errorf("status %d, and process %d", status, pid)
	}
}

// isZombie reads the state of a process where there is /proc.
func isZombie(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(stat), ") Z ")
}

// TestACommandThatDoesNotReadIsEnded although messages wait for it.
func TestACommandThatDoesNotReadIsEnded(t *testing.T) {
	s := startServe(t, "-grace", "100ms", "--", "sh", "-c", "echo $$; sleep 1000")
	c, err := s.dial(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, line, err := c.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(t.Context(), conn.Text, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	go readAll(t, c)
	s.stop()
	status := <-s.status
	s.status <- status
	if status != 0 {
		t.Errorf("status %d", status)
	}
	pid, _ := strconv.Atoi(string(line))
	waitGone(t, pid)
}
