//go:build unix

package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/bufpool"
)

// TestLoopReadsOnWhenTheBufferWasFull: nothing new has to come for what was here already.
func TestLoopReadsOnWhenTheBufferWasFull(t *testing.T) {
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	a, err := net.Dial("unix", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	const total = 2*bufpool.Bulk + 10_000 // of a wait the poller may know before
	_ = a.(*net.UnixConn).SetWriteBuffer(1 << 20)
	_ = a.SetWriteDeadline(time.Now().Add(time.Minute))
	if _, err := a.Write(make([]byte, total)); err != nil {
		t.Fatal(err)
	}
	c := Plain(b)
	c.Switch()
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	got := 0
	p := make([]byte, total)
	err = c.Loop(func() bool {
		for c.Ready() {
			n, err := c.Read(p)
			if err != nil {
				t.Error(err)
				return false
			}
			got += n
		}
		return got < total
	})
	if err != nil || got != total {
		t.Errorf("%d bytes of %d, %v", got, total, err)
	}
}

// TestLoopHoldsLittleForAPeerThatStalls inside a record.
func TestLoopHoldsLittleForAPeerThatStalls(t *testing.T) {
	a, b := connected(t)
	c := TLS(b)
	c.Switch()
	_, _ = a.Write(append(record(23, 1000), record(23, 16000)[:100]...))
	got := 0
	p := make([]byte, 20_000)
	for got < headerSize+1000 || c.w-c.r < 100 { // a deadline may pass before anything is read
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		err := c.Loop(func() bool {
			for c.Ready() {
				n, err := c.Read(p)
				if err != nil {
					t.Error(err)
					return false
				}
				got += n
			}
			return true
		})
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}
	if len(c.in) != bufpool.Small {
		t.Errorf("a buffer of %d for %d bytes", len(c.in), c.w-c.r)
	}
	c.Drop()
}

// TestLoopSaysHowTheStreamEnded, and has given its buffers back by then.
func TestLoopSaysHowTheStreamEnded(t *testing.T) {
	whole := record(23, 1000)
	for _, tt := range []struct {
		name string
		sent []byte
		got  int // bytes handed over
		want error
	}{
		{"with nothing", nil, 0, io.EOF},
		{"between records", whole, len(whole), io.EOF},
		{"in a record's header", append(bytes.Clone(whole), 23, 3), len(whole) + 2, io.ErrUnexpectedEOF},
		{"in a record", append(bytes.Clone(whole), whole[:500]...), len(whole) + 500, io.ErrUnexpectedEOF},
	} {
		lent(t, tt.name, func(t *testing.T) {
			a, b := connected(t)
			c := TLS(b)
			c.Switch()
			_, _ = a.Write(tt.sent)
			_ = a.Close()
			var got int
			var end error
			handle := func() bool {
				p := make([]byte, 2000)
				for end == nil && c.Ready() {
					var n int
					n, end = c.Read(p)
					got += n
				}
				return end == nil
			}
			for end == nil { // an end that comes with the last bytes is seen by the next Loop
				_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
				_ = c.Loop(handle)
			}
			if got != tt.got || end != tt.want || !c.Truncated() {
				t.Errorf("%d bytes and %v, want %d and %v", got, end, tt.got, tt.want)
			}
		})
	}
}

func TestRefusedTellsOfAReset(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(ours, peers net.Conn)
		want   bool
	}{
		{"the peer is there", func(ours, peers net.Conn) {}, false},
		{"the peer has closed", func(ours, peers net.Conn) { _ = peers.Close() }, false},
		{"the peer has reset", func(ours, peers net.Conn) {
			_ = peers.(*net.TCPConn).SetLinger(0)
			_ = peers.Close()
		}, true},
		{"our socket is closed", func(ours, peers net.Conn) { _ = ours.Close() }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ours, peers := connected(t)
			tt.change(ours, peers)
			got := Refused(ours)
			for end := time.Now().Add(time.Minute); got != tt.want && time.Now().Before(end); got = Refused(ours) {
				time.Sleep(time.Millisecond) // a reset may be on its way
			}
			if got != tt.want {
				t.Errorf("refused: %v", got)
			}
		})
	}
	if _, pipe := net.Pipe(); Refused(pipe) {
		t.Error("a pipe knows of no reset")
	}
}
