package deflate

import (
	"runtime"
	"slices"
	"sync"
)

// Loading a connection's window into a writer costs more than compressing a short
// message. So the writers that were used last stay with the contexts that they know,
// and go on where they were. They are few, and what a garbage collection finds unused
// since the one before goes back to the pools, which forget it in turn.
var keeper struct {
	mu      sync.Mutex
	writers []*writer // not in use, the one used last at the end
	watched bool      // collected is called after the next garbage collection
}

// maxKept bounds what is kept: about a megabyte each.
const maxKept = 16

// takeKept returns the writer that knows c's context up to its present end, if there is
// one of this kind.
func (c *Compressor) takeKept(bits, level int) *writer {
	keeper.mu.Lock()
	defer keeper.mu.Unlock()
	w := c.kept
	if w == nil {
		return nil
	}
	forget(w)
	if w.pos != c.pos || w.pool != poolOf(bits, level) {
		w.giveBack()
		return nil
	}
	return w
}

// keep leaves w, which knows c's context up to its present end, for c's next message.
func (c *Compressor) keep(w *writer) {
	keeper.mu.Lock()
	defer keeper.mu.Unlock()
	w.out, w.owner, w.pos, w.used = nil, c, c.pos, true
	if len(keeper.writers) >= maxKept {
		oldest := keeper.writers[0]
		forget(oldest)
		oldest.giveBack()
	}
	keeper.writers = append(keeper.writers, w)
	c.kept = w
	if !keeper.watched {
		watchCollections()
	}
}

// forget takes w out of the keeper, whose lock is held.
func forget(w *writer) {
	i := slices.Index(keeper.writers, w)
	keeper.writers = slices.Delete(keeper.writers, i, i+1)
	w.owner.kept = nil
}

// dropKept returns the writer kept for c to the pool.
func (c *Compressor) dropKept() {
	keeper.mu.Lock()
	defer keeper.mu.Unlock()
	if w := c.kept; w != nil {
		forget(w)
		w.giveBack()
	}
}

// watchCollections has collected called after the next garbage collection: then the
// object is gone that nothing refers to. The lock is held.
func watchCollections() {
	type sentinel struct{ _ *sentinel }
	keeper.watched = true
	runtime.AddCleanup(&sentinel{}, func(struct{}) { collected() }, struct{}{})
}

// collected returns the writers that were not used since its last call.
func collected() {
	keeper.mu.Lock()
	defer keeper.mu.Unlock()
	for _, w := range slices.Clone(keeper.writers) {
		if w.used {
			w.used = false
			continue
		}
		forget(w)
		w.giveBack()
	}
	if keeper.watched = false; len(keeper.writers) > 0 {
		watchCollections()
	}
}
