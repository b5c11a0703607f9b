package conn

import (
	"io"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/pipe"
)

// TestAStateIsFollowedByItsSuccessorsOnly, and by the end from each.
func TestAStateIsFollowedByItsSuccessorsOnly(t *testing.T) {
	for from := range state(states) {
		for next := range state(states) {
			var a atomicState
			a.v.Store(int32(from))
			changed := a.change(next)
			if want := slices.Contains(successors[from], next); changed != want || changed != (a.load() == next && from != next) {
				t.Errorf("%v to %v: %v, now %v", from, next, changed, a.load())
			}
		}
		if from != stateEnded && !from.mayPrecede(stateEnded) {
			t.Errorf("%v cannot end", from)
		}
		if from.String() == "" {
			t.Errorf("state %d has no name", from)
		}
	}
	if len(successors[stateEnded]) > 0 {
		t.Error("something follows the end")
	}
}

// TestTheStatesOfAConnection: what leads to each, with a peer that takes nothing of what is sent to it, and then the end.
func TestTheStatesOfAConnection(t *testing.T) {
	closeFrame := masked(frame.Header{Fin: true, Opcode: frame.Close}, "\x03\xe8")
	for _, tt := range []struct {
		name string
		do   func(peer *pipe.End, c *Conn)
		want state
	}{
		{"nothing", func(*pipe.End, *Conn) {}, stateOpen},
		{"our close frame comes first", func(_ *pipe.End, c *Conn) { c.startClose(StatusNormalClosure, "") }, stateClosingByUs},
		{"the peer's close frame comes first", func(peer *pipe.End, _ *Conn) { _, _ = peer.Write(closeFrame) }, stateClosingByPeer},
		{"the peer breaks a rule", func(peer *pipe.End, _ *Conn) { _, _ = peer.Write([]byte{0x81, 0x00}) }, stateClosingByUs},
		{"the peer's stream ends", func(peer *pipe.End, _ *Conn) { _ = peer.CloseWrite() }, stateHalfClosed},
		{"nothing can be sent", func(_ *pipe.End, c *Conn) { _ = c.send.writeFailed(io.ErrClosedPipe) }, stateBroken},
		{"CloseNow", func(_ *pipe.End, c *Conn) { _ = c.CloseNow() }, stateEnded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				peer, server := stuck(t, 3)
				served := make(chan error, 1)
				go func() { served <- server.Serve(bg, func(*Conn, Message) error { return nil }) }()
				synctest.Wait()
				tt.do(peer, server)
				synctest.Wait()
				if got := server.life.state.load(); got != tt.want {
					t.Errorf("%v, want %v", got, tt.want)
				}
				if tt.want == stateOpen {
					_ = server.CloseNow()
				}
				<-served
				<-server.life.Done()
				if got := server.life.state.load(); got != stateEnded {
					t.Errorf("in the end %v", got)
				}
				_ = peer.Close()
			})
		})
	}
}
