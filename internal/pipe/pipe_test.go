package pipe

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestBytesArriveInOrderThroughASmallBuffer(t *testing.T) {
	a, b := New(7)
	want := make([]byte, 10_000)
	_, _ = rand.Read(want)
	go func() {
		_, _ = a.Write(want)
		_ = a.Close()
	}()
	got, err := io.ReadAll(b)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

func TestDeadlinesEndACallAndCanBeLifted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := New(4)
		_ = b.SetReadDeadline(time.Now().Add(time.Hour))
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v", err)
		}
		_ = a.SetDeadline(time.Now().Add(time.Hour))
		if n, err := a.Write([]byte("abcdef")); n != 4 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %d, %v", n, err)
		}
		_ = a.SetDeadline(time.Time{})
		_ = b.SetReadDeadline(time.Time{})
		go func() { _, _ = a.Write([]byte("ef")); _ = a.CloseWrite() }()
		if got, err := io.ReadAll(b); string(got) != "abcdef" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		if n := a.Buffered(); n != 0 {
			t.Errorf("%d bytes buffered", n)
		}
	})
}

func TestClosingEndsBothSides(t *testing.T) {
	a, b := New(4)
	_ = a.Close()
	if _, err := a.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("own read: %v", err)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("own write: %v", err)
	}
	if _, err := b.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("other read: %v", err)
	}
	if _, err := b.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("other write: %v", err)
	}
}
