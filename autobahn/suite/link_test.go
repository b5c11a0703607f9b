package suite

import (
	"io"
	"net"
	"testing"
)

// TestNothingFollowsTheEndOfOurDirection: a pong behind a frame that was cut off would be taken for its payload.
func TestNothingFollowsTheEndOfOurDirection(t *testing.T) {
	ours, theirs := net.Pipe()
	l := newLink(ours, nil)
	defer l.close()
	l.mu.Lock() // the writer takes what is queued afterwards
	l.queue = append(l.queue, []byte("half"))
	l.mu.Unlock()
	l.endOutput(false)
	l.send([][]byte{[]byte("pong")})
	got := make([]byte, 8)
	n, err := io.ReadAtLeast(theirs, got, 4)
	if err != nil || string(got[:n]) != "half" {
		t.Errorf("%q, %v", got[:n], err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) > 0 {
		t.Errorf("%q is queued behind the end", l.queue)
	}
}
