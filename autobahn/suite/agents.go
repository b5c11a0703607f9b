package suite

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

// maxAgentName bounds the octets of an agent's name.
const maxAgentName = 200

// agents are the results of a fuzzing server, by the names that clients give themselves.
type agents struct {
	mu      sync.Mutex
	known   map[string]*agent
	changed chan struct{} // closed and replaced when something has changed
}

type agent struct {
	results map[string]*Result // by the ids of cases; the latest of each
	running int
	learner learner
}

func newAgents() *agents {
	return &agents{known: map[string]*agent{}, changed: make(chan struct{})}
}

// begin takes note of a case that runs. It is false if there are too many agents.
func (a *agents) begin(name string, limit int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known[name] == nil {
		if len(a.known) >= limit {
			return false
		}
		a.known[name] = &agent{results: map[string]*Result{}}
	}
	a.known[name].running++
	return true
}

// end takes note of a case's result, or nil if it was cut short.
func (a *agents) end(name string, r *Result) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.known[name].running--
	if r != nil {
		a.known[name].results[r.ID] = r
	}
	close(a.changed)
	a.changed = make(chan struct{})
}

// result returns a case's result, or nil and what is closed when that may have changed.
func (a *agents) result(name, id string) (*Result, <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if known := a.known[name]; known != nil && known.results[id] != nil {
		return known.results[id], nil
	}
	return nil, a.changed
}

// learner returns that of an agent, which has begun a case.
func (a *agents) learner(name string) *learner {
	a.mu.Lock()
	defer a.mu.Unlock()
	return &a.known[name].learner
}

// busy says whether cases of an agent are running.
func (a *agents) busy(name string) (bool, <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	known := a.known[name]
	return known != nil && known.running > 0, a.changed
}

// reports returns what there is about each agent, in the order of their names.
func (a *agents) reports(cases []string) []*Report {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []*Report
	for _, name := range slices.Sorted(maps.Keys(a.known)) {
		if len(a.known[name].results) == 0 {
			continue
		}
		results := slices.SortedFunc(maps.Values(a.known[name].results), func(a, b *Result) int { return cmp.Compare(a.Case, b.Case) })
		all = append(all, &Report{Agent: name, Cases: cases, Results: results})
	}
	return all
}
