package transport

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/pipe"
)

// carrier is one that its test drives.
type carrier struct {
	mu       sync.Mutex
	sends    int
	consumed int
	closed   []bool // orderly?
	half     bool
}

func (c *carrier) Send()             { c.mu.Lock(); c.sends++; c.mu.Unlock() }
func (c *carrier) Receive()          {}
func (c *carrier) Consumed(n int)    { c.mu.Lock(); c.consumed += n; c.mu.Unlock() }
func (c *carrier) Closed(o bool)     { c.mu.Lock(); c.closed = append(c.closed, o); c.mu.Unlock() }
func (c *carrier) NetConn() net.Conn { e, _ := pipe.New(1); return e }
func (c *carrier) HalfCloses() bool  { return c.half }

// collect returns all that is to be sent.
func collect(s *Stream) (p []byte, end bool) {
	buf := make([]byte, 1000)
	for {
		n, e := s.Collect(buf)
		p = append(p, buf[:n]...)
		s.Carried(n)
		if end = end || e; n == 0 {
			return p, end
		}
	}
}

func TestAStreamDelivers(t *testing.T) {
	c := &carrier{}
	s := NewStream(c)
	p := make([]byte, 100)
	if n, err := s.Read(p); n != 0 || err != ErrWouldBlock || s.Ready() {
		t.Errorf("nothing has come: %d, %v", n, err)
	}
	s.DeliverCopy([]byte("one"))
	s.DeliverCopy([]byte("two"))
	b := bufpool.Get(10)
	s.Deliver(b, copy(b, "three"))
	if n, err := s.Read(p[:4]); string(p[:n]) != "onet" || err != nil {
		t.Errorf("%q, %v", p[:n], err)
	}
	s.End(io.EOF)
	if n, err := s.Read(p); string(p[:n]) != "wothree" || err != nil {
		t.Errorf("%q, %v", p[:n], err)
	}
	if n, err := s.Read(p); n != 0 || err != io.EOF || !s.Ready() {
		t.Errorf("at the end: %d, %v", n, err)
	}
	if s.DeliverCopy([]byte("late")) || c.consumed != 11 {
		t.Errorf("behind the end; %d bytes consumed", c.consumed)
	}
	if in, _ := s.Counts(); in != 15 {
		t.Errorf("%d bytes in", in)
	}
}

// TestSmallDeliveriesTakeLittle: many frames of one byte do not take a buffer each.
func TestSmallDeliveriesTakeLittle(t *testing.T) {
	bufpool.Track(true)
	defer bufpool.Track(false)
	s := NewStream(&carrier{})
	for range 10_000 {
		s.DeliverCopy([]byte{'x'})
	}
	if n := bufpool.OutstandingBytes(); n > 11_000 {
		t.Errorf("%d bytes are held", n)
	}
	s.Drop()
	if n := bufpool.Outstanding(); n != 0 {
		t.Errorf("%d buffers are out", n)
	}
}

func TestWaitsOfAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStream(&carrier{})
		_ = s.SetReadDeadline(time.Now().Add(time.Second))
		start := time.Now()
		if err := s.Wait(); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		_ = s.SetReadDeadline(time.Time{})
		go func() { time.Sleep(time.Second); s.DeliverCopy([]byte("x")) }()
		if err := s.Wait(); err != nil {
			t.Error(err)
		}
		_ = s.Write(make([]byte, 2*sendBuffer), false)
		_ = s.SetWriteDeadline(time.Now().Add(time.Second))
		if err := s.Flush(); !errors.Is(err, os.ErrDeadlineExceeded) || s.Pending() != sendBuffer {
			t.Errorf("%v, %d pending", err, s.Pending())
		}
		_ = s.SetWriteDeadline(time.Time{})
		go func() { time.Sleep(time.Second); collect(s) }()
		if err := s.Flush(); err != nil || s.Pending() != 0 {
			t.Errorf("%v, %d pending", err, s.Pending())
		}
		go func() { time.Sleep(time.Second); _ = s.Close() }()
		s.Drop()
		if s.AwaitRoom() {
			t.Error("room in a stream that nobody reads")
		}
		time.Sleep(2 * time.Second)
		if err := s.Close(); err != net.ErrClosed {
			t.Errorf("closed twice: %v", err)
		}
	})
}

// TestTheCarrierIsTold once, until it has found nothing.
func TestTheCarrierIsTold(t *testing.T) {
	c := &carrier{}
	s := NewStream(c)
	for range 3 {
		_ = s.Write([]byte("x"), false)
		if c.sends != 0 && s.Pending() != 1 {
			t.Errorf("%d bytes pending before the flush", s.Pending())
		}
		if done, err := s.TryFlush(); !done || err != nil {
			t.Error(done, err)
		}
	}
	if c.sends != 1 {
		t.Errorf("told %d times", c.sends)
	}
	if p, _ := collect(s); string(p) != "xxx" {
		t.Errorf("%q", p)
	}
	if done, _ := s.TryFlush(); !done || c.sends != 1 {
		t.Errorf("told of nothing: %d", c.sends)
	}
	_ = s.Write([]byte("y"), true)
	if c.sends != 2 || s.sent() != 3 {
		t.Errorf("told %d times, %d bytes sent", c.sends, s.sent())
	}
}

// TestTheEndOfAStream: which end the carrier is to send, and when.
func TestTheEndOfAStream(t *testing.T) {
	for _, tt := range []struct {
		name    string
		half    bool
		do      func(*Stream)
		rest    string
		end     bool
		orderly []bool
	}{
		{"Shut, where one direction can end", true, func(s *Stream) { _ = s.Shut() }, "rest", true, nil},
		{"Shut, where none can", false, func(s *Stream) { _ = s.Shut() }, "rest", false, nil},
		{"Shut and Close", false, func(s *Stream) { _ = s.Shut(); _ = s.Close() }, "rest", true, []bool{true}},
		{"Close", true, func(s *Stream) { _ = s.Close() }, "", false, []bool{false}},
		{"a reset", true, func(s *Stream) { s.End(errors.New("reset")) }, "", false, nil},
		{"a reset, and Close", true, func(s *Stream) { s.End(errors.New("reset")); _ = s.Shut(); _ = s.Close() }, "", false, []bool{false}},
		{"Shut, Close, and nobody collects", true, func(s *Stream) { _ = s.Shut(); _ = s.Close(); time.Sleep(lingerTime + 1) }, "", false, []bool{true, false}},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := &carrier{half: tt.half}
			s := NewStream(c)
			_ = s.Write([]byte("rest"), false)
			tt.do(s)
			synctest.Wait()
			p, end := collect(s)
			if string(p) != tt.rest || end != tt.end {
				t.Errorf("%s: %q, end %v", tt.name, p, end)
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			if len(c.closed) != len(tt.orderly) || len(c.closed) > 0 && c.closed[0] != tt.orderly[0] {
				t.Errorf("%s: closed %v", tt.name, c.closed)
			}
			if s.Write([]byte("late"), false) == nil {
				t.Errorf("%s: written behind it", tt.name)
			}
		})
	}
}

// TestALargeWriteKeepsItsOrder through a send buffer that is collected piecewise.
func TestALargeWriteKeepsItsOrder(t *testing.T) {
	bufpool.Track(true)
	defer bufpool.Track(false)
	s := NewStream(&carrier{})
	var want, got bytes.Buffer
	buf := make([]byte, 777)
	for i := range 5000 {
		p := bytes.Repeat([]byte{byte(i)}, i%311)
		want.Write(p)
		if err := s.Write(p, i%3 == 0); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			n, _ := s.Collect(buf)
			got.Write(buf[:n])
			s.Carried(n)
		}
	}
	rest, _ := collect(s)
	got.Write(rest)
	if !bytes.Equal(want.Bytes(), got.Bytes()) {
		t.Errorf("%d bytes written, %d collected, not the same", want.Len(), got.Len())
	}
	if n := bufpool.Outstanding(); n != 0 {
		t.Errorf("%d buffers are out", n)
	}
}

// TestAStreamAsANetConn waits.
func TestAStreamAsANetConn(t *testing.T) {
	s := NewStream(&carrier{half: true})
	c := StreamConn{s}
	if New(c) != Conn(s) {
		t.Error("New makes another transport")
	}
	_ = c.SetDeadline(time.Now().Add(time.Millisecond))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	if _, err := c.Write(make([]byte, 2*sendBuffer)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	_ = errors.Join(c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Time{}))
	collect(s)
	if n, err := c.Write([]byte("x")); n != 1 || err != nil {
		t.Error(n, err)
	}
	s.DeliverCopy([]byte("y"))
	if n, err := c.Read(make([]byte, 5)); n != 1 || err != nil {
		t.Error(n, err)
	}
	if c.LocalAddr() == nil || c.RemoteAddr() == nil {
		t.Error("no addresses")
	}
	if err := errors.Join(c.CloseWrite(), c.Close()); err != nil {
		t.Error(err)
	}
	if !s.Resumable() || s.Truncated() || !SendsAfterClose(s) || Refused(s) {
		t.Error("it is not what it says")
	}
}
