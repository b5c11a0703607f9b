package alarm

import (
	"net"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestMain is the other end of BenchmarkWakeUp, when it is told so.
func TestMain(m *testing.M) {
	addr := os.Getenv("WSS_ALARM_PEER")
	if addr == "" {
		os.Exit(m.Run())
	}
	c, err := net.Dial("tcp", addr)
	if err != nil {
		os.Exit(1)
	}
	for b := make([]byte, 64); ; {
		n, err := c.Read(b)
		if err == nil {
			_, err = c.Write(b[:n])
		}
		if err != nil {
			os.Exit(0)
		}
	}
}

// BenchmarkWakeUp is a ping-pong with another process, which sleeps each time that this one
// is awake, and the CPU time of this one: while nothing is set, while a timer of the runtime's
// ticks every ten milliseconds, and while one of this package's does. Bind it to one processor
// (taskset -c 0): else it depends on where the other end runs.
func BenchmarkWakeUp(b *testing.B) {
	const tick = 10 * time.Millisecond
	type timer interface {
		Reset(d time.Duration)
	}
	for _, set := range []struct {
		name string
		tick func(f func()) timer
	}{
		{"nothing", nil},
		{"runtime", func(f func()) timer { return runtimeTimer{time.AfterFunc(tick, f)} }},
		{"alarm", func(f func()) timer { return AfterFunc(tick, f) }},
	} {
		b.Run(set.name, func(b *testing.B) {
			c := peer(b)
			if set.tick != nil {
				var ticking timer
				ready, over := make(chan struct{}), make(chan struct{})
				var stop atomic.Bool
				ticking = set.tick(func() {
					<-ready
					if stop.Load() {
						close(over)
						return
					}
					ticking.Reset(tick)
				})
				close(ready)
				defer func() { stop.Store(true); <-over }()
			}
			p := make([]byte, 64)
			before := cpu(b)
			for b.Loop() {
				if _, err := c.Write(p); err != nil {
					b.Fatal(err)
				}
				if _, err := c.Read(p); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

type runtimeTimer struct{ *time.Timer }

func (t runtimeTimer) Reset(d time.Duration) { t.Timer.Reset(d) }

// peer starts the other end, which ends with the connection.
func peer(b *testing.B) net.Conn {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "WSS_ALARM_PEER="+ln.Addr().String())
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	c, err := ln.Accept()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = c.Close()
		_ = cmd.Wait()
	})
	return c
}

// cpu is what this process has used so far.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
