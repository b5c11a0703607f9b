package process

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
)

// Journal keeps the lines of a process, to be waited for. It is made by [NewJournal], and what a process writes to, on
// standard output and standard error.
type Journal struct {
	mu      sync.Mutex
	lines   []string
	rest    string        // of a line that has not ended
	changed chan struct{} // closed, and made anew, with every write
}

// NewJournal returns an empty journal.
func NewJournal() *Journal { return &Journal{changed: make(chan struct{})} }

func (j *Journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := strings.Split(j.rest+string(p), "\n")
	last := len(lines) - 1
	for _, line := range lines[:last] {
		j.lines = append(j.lines, strings.TrimSuffix(line, "\r"))
	}
	j.rest = lines[last]
	close(j.changed)
	j.changed = make(chan struct{})
	return len(p), nil
}

// All returns the lines so far, the last one unfinished perhaps.
func (j *Journal) All() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines[:len(j.lines):len(j.lines)]
	if j.rest != "" {
		lines = append(lines, j.rest)
	}
	return lines
}

// Tail returns the end of the output, for an error.
func (j *Journal) Tail() string {
	const most = 20
	lines := j.All()
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}

// Await waits for a whole line that matches, from the journal's beginning on, and returns its submatches. It gives up
// when ended is closed and no such line has come, or ctx ends.
func (j *Journal) Await(ctx context.Context, ended <-chan struct{}, pattern *regexp.Regexp) ([]string, error) {
	for seen, over := 0, false; ; {
		j.mu.Lock()
		lines, changed := j.lines, j.changed
		j.mu.Unlock()
		for ; seen < len(lines); seen++ {
			if match := pattern.FindStringSubmatch(lines[seen]); match != nil {
				return match, nil
			}
		}
		if over {
			return nil, errors.New("the process has ended")
		}
		select {
		case <-changed:
		case <-ended:
			over = true // its last lines may have come meanwhile
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
