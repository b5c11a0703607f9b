package main

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
)

// life is one connection, from both ends.
type life struct {
	id             uint32
	b              *behaviour
	seed           uint64 // of what the client draws
	client, server *side
	accepted       atomic.Bool

	// wantServer and wantClient are the ends that fit, as "code token"; a token of * fits
	// all. They are set before the connection is ended.
	mu                     sync.Mutex
	wantServer, wantClient []string

	offered atomic.Int64 // broadcasts that were meant for it
	opening atomic.Int64 // number of the first of them
}

// want says how the connection is to end, for the server and for the client.
func (l *life) want(server, client []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wantServer, l.wantClient = server, client
}

// lives are the connections that there are, by their ids.
type lives struct {
	last atomic.Uint32
	byID sync.Map // uint32 → *life
}

func (m *lives) add(k *corpus, b *behaviour, seed uint64) *life {
	id := m.last.Add(1)
	l := &life{id: id, b: b, seed: seed, client: newSide(k, id), server: newSide(k, id)}
	if b.subscribes {
		l.client.id, l.client.next, l.client.lossy = 0, -1, true
	}
	l.client.lossy = l.client.lossy || b.policy == "drop"
	m.byID.Store(id, l)
	return l
}

func (m *lives) remove(l *life) { m.byID.Delete(l.id) }

func (m *lives) get(id uint32) *life {
	l, _ := m.byID.Load(id)
	found, _ := l.(*life)
	return found
}

// String names the life in findings, with all that is needed to look for it.
func (l *life) String() string {
	return fmt.Sprintf("connection %d (%s, seed %d)", l.id, l.b.name, l.seed)
}

// endOf is how a side ended, as "code token".
func endOf(s *side) string {
	if s.why == nil {
		return "none"
	}
	return fmt.Sprintf("%d %s", s.why.Code, s.why.Token())
}

// fits reports whether an end is among those that are wanted.
func fits(end string, want []string) bool {
	for _, w := range want {
		if prefix, any := strings.CutSuffix(w, "*"); end == w || any && strings.HasPrefix(end, prefix) {
			return true
		}
	}
	return false
}
