package websocket

import (
	"context"
	"sync"
	"sync/atomic"
)

// writeOrder keeps the writer of NextWriter and the writes of other goroutines apart.
//
// Whoever looks at the open writer, or changes it, has the turn. Writes of whole messages do without the turn as long as no
// writer is open. They are counted, so that a message that is to be sent in fragments begins behind them: otherwise they
// would find no open writer to end, and wait until somebody closes it.
type writeOrder struct {
	open  atomic.Pointer[messageWriter] // set by whoever has the turn
	whole atomic.Int32                  // writes of whole messages in progress

	once    sync.Once
	turn    chan struct{} // full while somebody has the turn; made by the first NextWriter
	awaited atomic.Bool   // somebody waits for whole to become 0
	wake    chan struct{}
}

// init prepares for the first writer.
func (o *writeOrder) init() {
	o.once.Do(func() { o.turn, o.wake = make(chan struct{}, 1), make(chan struct{}, 1) })
}

// lock takes the turn, unless the deadline passes before.
func (o *writeOrder) lock(deadline int64) error {
	select {
	case o.turn <- struct{}{}:
		return nil
	default:
	}
	ctx := contextUntil(deadline)
	defer release(ctx)
	select {
	case o.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.DeadlineExceeded
	}
}

// unlock gives the turn back.
func (o *writeOrder) unlock() { <-o.turn }

// enter counts a write of a whole message.
func (o *writeOrder) enter() { o.whole.Add(1) }

// leave ends what enter began.
func (o *writeOrder) leave() {
	if o.whole.Add(-1) == 0 && o.awaited.Load() {
		select {
		case o.wake <- struct{}{}:
		default:
		}
	}
}

// awaitWhole waits until no whole message is being written. The caller has the turn, and a writer is open, so no other
// write of one begins.
func (o *writeOrder) awaitWhole(ctx context.Context) error {
	o.awaited.Store(true)
	defer o.awaited.Store(false)
	for o.whole.Load() > 0 {
		select {
		case <-o.wake:
		case <-ctx.Done():
			return context.DeadlineExceeded
		}
	}
	return nil
}
