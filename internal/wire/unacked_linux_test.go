package wire

import (
	"net"
	"testing"
	"time"
)

// TestUnacknowledged is what the kernel holds for a peer that does not read.
func TestUnacknowledged(t *testing.T) {
	a, b := connected(t)
	if n, known := Unacknowledged(a); n != 0 || !known {
		t.Errorf("before anything was sent: %d, %v", n, known)
	}
	sent := 0
	for full := false; !full; full = sent > 0 { // a deadline may pass before anything is sent
		_ = a.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
		n, err := 0, error(nil)
		for ; err == nil; sent += n {
			n, err = a.Write(make([]byte, 1<<20))
		}
	}
	if n, known := Unacknowledged(a); n <= 0 || n > int64(sent) || !known {
		t.Errorf("of %d bytes that were sent: %d, %v", sent, n, known)
	}
	_ = a.Close()
	if n, known := Unacknowledged(a); n != 0 || known {
		t.Errorf("of a closed socket: %d, %v", n, known)
	}
	pipe, _ := net.Pipe()
	if n, known := Unacknowledged(pipe); n != 0 || known {
		t.Errorf("of a pipe: %d, %v", n, known)
	}
	_ = b.Close()
}
