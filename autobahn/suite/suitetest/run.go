package suitetest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/suite"
)

// atOnce is how many subtests run at once.
func atOnce() int {
	if f := flag.Lookup("test.parallel"); f != nil {
		if n, err := strconv.Atoi(f.Value.String()); err == nil && n > 0 {
			return n
		}
	}
	return runtime.GOMAXPROCS(0)
}

// run is what the cases of a test have in common.
type run struct {
	*settings
	ends time.Time // when go test is about to end the process; zero: it will not
	// grace is how long a client may take to return when its context has ended.
	grace time.Duration

	mu   sync.Mutex
	gone error    // the server has ended
	lost []string // the cases whose connections ended without a closing handshake, in the order in which they did
}

// reserved is what is left of so much time for what has to be done when the cases are over.
func reserved(left time.Duration) time.Duration { return min(5*time.Second, left/5) }

// begin says how long the cases take: usually with a peer of one latency, and at most with one of another.
func (s *settings) begin(t *testing.T, cases []suite.Case, usual, highest time.Duration) *run {
	t.Helper()
	r := &run{settings: s, grace: resultWait}
	o := suite.Options{Parallel: atOnce(), Slowness: s.slowness, Latency: usual}
	usually := o.Plan(cases).Usual
	o.Latency = highest
	plan := o.Plan(cases)
	text := fmt.Sprintf("%d cases, %d at once: usually in about %v, in %v at most, and each within %v", len(cases), atOnce(),
		max(usually, time.Second).Round(time.Second), plan.Bound.Round(time.Second), plan.Longest.Round(time.Second))
	if deadline, ok := t.Deadline(); ok {
		left := time.Until(deadline)
		r.ends = deadline.Add(-reserved(left))
		r.grace = min(resultWait, reserved(left)/2)
		if plan.Bound > left {
			text += fmt.Sprintf("; go test ends in %v (-timeout), and cases that have not ended by then fail", left.Round(time.Second))
		}
	}
	t.Log(text)
	return r
}

// errOutOfTime says that go test is about to end the process.
var errOutOfTime = errors.New("go test is about to end, by its -timeout")

// context returns one that ends before go test does. A test fails whose case cannot begin any more.
func (r *run) context(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	if r.ends.IsZero() {
		return context.WithCancel(t.Context())
	}
	if !time.Now().Before(r.ends) {
		t.Fatalf("not run: %v: give it more time, or choose cases with -run or Cases", errOutOfTime)
	}
	return context.WithDeadlineCause(t.Context(), r.ends, errOutOfTime)
}

// cutShort fails a test whose case was under way when the time was over.
func cutShort(t *testing.T, ctx context.Context) {
	t.Helper()
	if context.Cause(ctx) == errOutOfTime {
		t.Fatalf("not run to its end: %v: give it more time, or choose cases with -run or Cases", errOutOfTime)
	}
}

// ended takes note of a result, or of a server that is gone, which fails the test.
func (r *run) ended(t *testing.T, rep *suite.Report, err error) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if gone, ok := errors.AsType[*suite.GoneError](err); ok && r.gone == nil {
		r.gone = gone
		t.Fatalf("%v\nthe last connections that it ended without a closing handshake were those of %q", err, r.lost[max(0, len(r.lost)-5):])
	}
	if err == nil && !rep.Results[0].WasClean && !rep.Results[0].DroppedByMe {
		r.lost = append(r.lost, rep.Results[0].ID)
	}
}

// there fails a test at once if the server is gone.
func (r *run) there(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone != nil {
		t.Fatal("not run: the server is gone")
	}
}
