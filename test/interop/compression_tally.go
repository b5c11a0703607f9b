package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// tally counts the connections of one peer in one direction, for one line of the
// report.
type tally struct {
	name  string
	began time.Time

	mu                    sync.Mutex
	connections, messages int
	failures              []string
	skipped               map[string]int // connections, by why the peer cannot have them
}

// add counts a connection, which failed if err is not nil.
func (t *tally) add(l *link, messages int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.connections++
	t.messages += messages
	if err != nil {
		t.failures = append(t.failures, fmt.Sprintf("%v: %v", l, err))
	}
}

// skip counts a connection that the peer cannot have.
func (t *tally) skip(why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.skipped == nil {
		t.skipped = make(map[string]int)
	}
	t.skipped[why]++
}

// report prints the line, and one for each reason not to have connections.
func (t *tally) report(r *report) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, why := range slices.Sorted(maps.Keys(t.skipped)) {
		r.note(fmt.Sprintf("%s: %d connections with windows of 8 bits left out: %s", t.name, t.skipped[why], why))
	}
	r.add(fmt.Sprintf("%s: %d connections, %d messages, in %v",
		t.name, t.connections, t.messages, time.Since(t.began).Round(100*time.Millisecond)), t.err())
}

// err returns the first few failures.
func (t *tally) err() error {
	const most = 5
	failed := len(t.failures)
	if failed == 0 {
		if t.connections == 0 {
			return errors.New("there were no connections")
		}
		return nil
	}
	return fmt.Errorf("%d failed\n%s", failed, strings.Join(t.failures[:min(failed, most)], "\n"))
}
