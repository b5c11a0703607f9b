package conn

import "sync/atomic"

// state is where a connection is between its opening handshake and its end. docs/architecture/concurrency.md has the diagram.
type state int32

const (
	stateOpen          state = iota
	stateClosingByUs         // our close frame came first, or waits for what is queued
	stateClosingByPeer       // the peer's close frame came first, and ours answers it
	stateHalfClosed          // the peer's stream has ended without a close frame; it may still receive
	stateBroken              // nothing can be sent any more; what the peer said before can be read
	stateEnded
	states int = iota
)

func (s state) String() string {
	return [states]string{"open", "closing by us", "closing by the peer", "half-closed", "broken", "ended"}[s]
}

// successors are the states that follow each.
var successors = [states][]state{
	stateOpen:          {stateClosingByUs, stateClosingByPeer, stateHalfClosed, stateBroken, stateEnded},
	stateClosingByUs:   {stateBroken, stateEnded},
	stateClosingByPeer: {stateBroken, stateEnded},
	stateHalfClosed:    {stateClosingByUs, stateBroken, stateEnded},
	stateBroken:        {stateEnded},
	stateEnded:         {},
}

// mayPrecede reports whether a connection may change from s to next.
func (s state) mayPrecede(next state) bool {
	for _, t := range successors[s] {
		if t == next {
			return true
		}
	}
	return false
}

// atomicState is the state of a connection. The zero value is open.
type atomicState struct{ v atomic.Int32 }

func (a *atomicState) load() state { return state(a.v.Load()) }

// change changes to next, and reports whether it may follow the present state.
func (a *atomicState) change(next state) bool {
	for {
		now := a.load()
		if !now.mayPrecede(next) {
			return false
		}
		if a.v.CompareAndSwap(int32(now), int32(next)) {
			return true
		}
	}
}
