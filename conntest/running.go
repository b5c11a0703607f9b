package conntest

import "sync"

// running counts goroutines. Unlike with sync.WaitGroup, add may be called while another goroutine waits.
type running struct {
	mu    sync.Mutex
	n     int
	ended chan struct{} // closed when n becomes zero; nil: no goroutine waits
}

func (r *running) add(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n += n
	if r.n == 0 && r.ended != nil {
		close(r.ended)
		r.ended = nil
	}
}

// none returns a channel that is closed when no goroutine runs.
func (r *running) none() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended == nil {
		r.ended = make(chan struct{})
	}
	ended := r.ended
	if r.n == 0 {
		close(r.ended)
		r.ended = nil
	}
	return ended
}
