//go:build unix

package wire

import "testing"

// TestLoopReadsOnWhereThePeerIsQuick: what the peer has answered by the time that a message
// is handled is read without a wait in between.
func TestLoopReadsOnWhereThePeerIsQuick(t *testing.T) {
	a, b := connected(t)
	c := Plain(b)
	c.Switch()
	waits := -1 // the first call of poll follows no wait
	poll := c.poll
	c.poll = func(fd uintptr) bool {
		waits++
		return poll(fd)
	}
	const messages = 100
	got := 0
	_, _ = a.Write([]byte("x"))
	err := c.Loop(func() bool {
		p := make([]byte, 10)
		for c.Ready() {
			n, err := c.Read(p)
			if err != nil {
				t.Error(err)
				return false
			}
			got += n
		}
		_, _ = a.Write([]byte("x"))
		return got < messages
	})
	if err != nil {
		t.Fatal(err)
	}
	if waits > messages/2 {
		t.Errorf("%d messages took %d waits", got, waits)
	}
}
