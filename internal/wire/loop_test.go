package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/pipe"
)

// connected returns two ends of a TCP connection.
func connected(t *testing.T) (a, b net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if a, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(); _ = b.Close() })
	return a, b
}

// TestLoopHandsOverEverything, whether it comes in drops or by the megabyte, until told
// to stop; a read deadline interrupts it, and it goes on.
func TestLoopHandsOverEverything(t *testing.T) {
	a, b := connected(t)
	c := Plain(b)
	c.Switch()
	const total = 4 << 20
	go func() {
		for sent, n := 0, 1; sent < total; n = n*3%70_001 + 1 {
			n = min(n, total-sent)
			_, _ = a.Write(make([]byte, n))
			sent += n
		}
	}()
	got, interrupted := 0, 0
	buf := make([]byte, 1000)
	for {
		err := c.Loop(func() bool {
			for c.Ready() {
				n, err := c.Read(buf)
				if err != nil {
					t.Error(err)
					return false
				}
				got += n
			}
			if got%7 == 0 {
				_ = c.SetReadDeadline(time.Unix(1, 0))
			}
			return got < total
		})
		if err == nil {
			break
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		interrupted++
		_ = c.SetReadDeadline(time.Time{})
	}
	if got != total {
		t.Errorf("%d bytes", got)
	}
	t.Logf("interrupted %d times", interrupted)
}

// TestLoopWithoutReadiness waits by reading: a deadline ends it, and so does handle.
func TestLoopWithoutReadiness(t *testing.T) {
	a, b := pipe.New(1 << 10)
	c := Plain(b)
	c.Switch()
	var got []byte
	handle := func() bool {
		for c.Ready() {
			p := make([]byte, 3)
			n, err := c.Read(p)
			if err != nil {
				t.Error(err)
				return false
			}
			got = append(got, p[:n]...)
		}
		if string(got) == "Hello" {
			_ = c.SetReadDeadline(past)
		}
		return !bytes.HasSuffix(got, []byte("."))
	}
	_, _ = a.Write([]byte("Hello"))
	if err := c.Loop(handle); !errors.Is(err, os.ErrDeadlineExceeded) || string(got) != "Hello" {
		t.Errorf("%q, %v", got, err)
	}
	_ = c.SetReadDeadline(time.Time{})
	_, _ = a.Write([]byte(" World."))
	if err := c.Loop(handle); err != nil || string(got) != "Hello World." {
		t.Errorf("%q, %v", got, err)
	}
}

// TestLoopSeesTheEnd at once if it comes by itself, and when it is entered again if it
// came with the last bytes.
func TestLoopSeesTheEnd(t *testing.T) {
	for _, together := range []bool{false, true} {
		a, b := connected(t)
		c := Plain(b)
		c.Switch()
		_, _ = a.Write([]byte("last"))
		if together {
			_ = a.Close()
			time.AfterFunc(100*time.Millisecond, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })
		}
		var got []byte
		var end error
		handle := func() bool {
			for c.Ready() {
				p := make([]byte, 10)
				n, err := c.Read(p)
				got = append(got, p[:n]...)
				if err != nil {
					end = err
					return false
				}
			}
			if !together {
				_ = a.Close()
			}
			return true
		}
		for c.Loop(handle) != nil {
			_ = c.SetReadDeadline(time.Time{})
		}
		if string(got) != "last" || end != io.EOF {
			t.Errorf("%v: %q, %v", together, got, end)
		}
	}
}

// TestCloseInsideLoopDoesNotWaitForIt, nor does one from outside.
func TestCloseInsideLoopDoesNotWaitForIt(t *testing.T) {
	for _, inside := range []bool{true, false} {
		a, b := connected(t)
		c := Plain(b)
		c.Switch()
		_, _ = a.Write([]byte("x"))
		calls := 0
		err := c.Loop(func() bool {
			for c.Ready() {
				if _, err := c.Read(make([]byte, 10)); err != nil {
					return false
				}
			}
			if calls++; inside {
				_ = c.Close()
			} else {
				done := make(chan struct{})
				go func() { _ = c.Close(); close(done) }()
				<-done
			}
			return true
		})
		if !errors.Is(err, net.ErrClosed) && err != nil || calls != 1 {
			t.Errorf("%v: %v after %d calls", inside, err, calls)
		}
		if _, err := a.Read(make([]byte, 1)); err == nil {
			t.Error("the socket is open")
		}
	}
}

// TestCloseOutsideLoopIsDoneWhenItReturns, also after a Loop, which is refused from then on.
func TestCloseOutsideLoopIsDoneWhenItReturns(t *testing.T) {
	a, b := connected(t)
	c := Plain(b)
	c.Switch()
	_, _ = a.Write([]byte("x"))
	once := func() bool {
		_, _ = c.Read(make([]byte, 10))
		return false
	}
	if err := c.Loop(once); err != nil {
		t.Fatal(err)
	}
	raw, err := b.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := raw.Control(func(uintptr) {}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the socket is open: %v", err)
	}
	if err := c.Loop(once); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Loop after Close: %v", err)
	}
}
