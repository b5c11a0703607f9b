package suite

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
)

// tattler is a connection whose system has told of a reset when it was written to.
type tattler struct {
	net.Conn
	written chan bool
}

func (c tattler) Write([]byte) (int, error) {
	close(c.written)
	return 0, &net.OpError{Op: "write", Err: syscall.ECONNRESET}
}

func (c tattler) Read([]byte) (int, error) {
	<-c.written
	return 0, io.EOF
}

// TestAResetThatAWriteHasFoundIsTheEndOfTheStream: the reader is told of an orderly end then.
func TestAResetThatAWriteHasFoundIsTheEndOfTheStream(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	l := newLink(tattler{near, make(chan bool)}, nil)
	defer l.close()
	l.send([][]byte{{0x88, 0}})
	for range l.in {
		t.Error("something was read")
	}
	if !errors.Is(l.end, syscall.ECONNRESET) {
		t.Errorf("the stream ended with %v", l.end)
	}
}
