package suite

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// GoneError says that there was no server to connect to any more while cases ran, or that there never was one.
type GoneError struct {
	// URL is the server's.
	URL string
	// Done is how many of the Cases had run.
	Done, Cases int
	// Suspects are the cases that the server may have ended by: those whose connections ended without a closing handshake after the
	// last opening handshake that it answered, or else the one that it answered last.
	Suspects []string
	// Err is why there was no connection.
	Err error
}

// mostSuspects bounds those that an error names.
const mostSuspects = 5

func (e *GoneError) Error() string {
	if e.Done == 0 {
		return fmt.Sprintf("suite: no server accepts connections at %s: %v", e.URL, e.Err)
	}
	text := fmt.Sprintf("suite: the server at %s is gone, after %d of %d cases: %v", e.URL, e.Done, e.Cases, e.Err)
	switch n := len(e.Suspects); {
	case n == 1:
		return text + "; it ended while " + e.Suspects[0] + " ran, or soon after"
	case n > mostSuspects:
		return text + fmt.Sprintf("; it ended while one of %s and %d more ran: run them one by one", strings.Join(e.Suspects[:mostSuspects], ", "), n-mostSuspects)
	case n > 1:
		return text + "; it ended while one of " + strings.Join(e.Suspects, ", ") + " ran: run them one by one"
	}
	return text
}

func (e *GoneError) Unwrap() error { return e.Err }

// retries are the pauses before a connection that was refused is tried again: a server may have too many at once.
var retries = []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, time.Second}

// refusedBy returns the error of a connection that was refused, rather than not made in time or broken off later.
func refusedBy(err error) *net.OpError {
	refused, ok := errors.AsType[*net.OpError](err)
	if !ok || refused.Op != "dial" || refused.Timeout() || errors.Is(err, context.Canceled) {
		return nil
	}
	return refused
}

// witness remembers what the connections of a run say about whether the server is there.
type witness struct {
	mu    sync.Mutex
	alive time.Time // when it answered an opening handshake last
	last  string    // the case that it was of
	lost  []loss
}

type loss struct {
	id string
	at time.Time
}

func (w *witness) answered(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.alive, w.last = time.Now(), id
}

// ended takes note of a case that has come to its end.
func (w *witness) ended(r *Result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.streamEnd != nil && !r.WasClean || r.HTTPRequest != "" && r.HTTPResponse == "" {
		w.lost = append(w.lost, loss{r.ID, time.Now()})
	}
}

// doubts reports whether connections have been lost since the server answered an opening handshake last: it may have ended after all
// cases had begun.
func (w *witness) doubts() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.lost) > 0 && w.lost[len(w.lost)-1].at.After(w.alive)
}

// refuses returns the error of a server that accepts no connection any more.
func refuses(ctx context.Context, o *Options) error {
	_, at, err := openPatiently(ctx, o, &Case{}, 0)
	if at != nil {
		_ = at.conn.Close()
	}
	return err
}

// sameTime is within what the ends of connections are noticed that have ended at once.
const sameTime = 200 * time.Millisecond

// gone is the error about a server that refuses connections.
func (w *witness) gone(url string, cases int, err error) *GoneError {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := &GoneError{URL: url, Cases: cases, Err: err}
	for _, l := range w.lost {
		if l.at.After(w.alive.Add(-sameTime)) {
			e.Suspects = append(e.Suspects, l.id)
		}
	}
	if e.Suspects == nil && w.last != "" {
		e.Suspects = []string{w.last}
	}
	return e
}
