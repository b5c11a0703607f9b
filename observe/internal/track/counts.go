package track

import (
	"maps"
	"net/http"

	"github.com/seed-c4549abd/wss/conn"
)

// Closing says how connections have ended.
type Closing struct{ Code, Token string }

// Totals are the counts of an observer's connections since it was made.
type Totals struct {
	Opened, Active int64
	Closed         map[Closing]int64
	Refused        map[string]int64 // by token
	LongestQueue   int64            // bytes: the most that wait for one peer
	conn.Stats                      // sums; Pending of the live ones; RoundTrip is 0
}

// Counts counts the connections that it is told of. The zero value is ready. All methods may be called by any
// number of goroutines.
type Counts struct {
	Codes Codes // must not change

	live   Live[struct{}]
	tokens Tokens

	// live.mu guards what follows.
	opened   int64
	closed   map[Closing]int64
	refused  map[string]int64
	past     conn.Stats // of those that have ended
	reported conn.Stats // what Totals has returned last
}

// Opened counts a connection, as [conn.Observer] says.
func (n *Counts) Opened(c *conn.Conn) {
	n.live.mu.Lock()
	if _, there := n.live.conns[c]; there {
		n.live.mu.Unlock()
		return
	}
	if n.live.conns == nil {
		n.live.conns = map[*conn.Conn]struct{}{}
	}
	n.live.conns[c] = struct{}{}
	n.opened++
	n.live.mu.Unlock()
	if why := Ended(c); why != nil {
		n.Closed(c, why)
	}
}

// Closed counts how a connection has ended. One that Opened has not been called for is counted by Opened, which
// finds that it has ended.
func (n *Counts) Closed(c *conn.Conn, why *conn.CloseError) {
	how := Closing{n.Codes.Name(why.Code), n.tokens.Name(why.Token())}
	n.live.mu.Lock()
	defer n.live.mu.Unlock()
	if _, there := n.live.conns[c]; !there {
		return
	}
	delete(n.live.conns, c)
	if n.closed == nil {
		n.closed = map[Closing]int64{}
	}
	n.closed[how]++
	last := c.Stats()
	add(&n.past, &last)
}

// Refused counts a refused request.
func (n *Counts) Refused(_ *http.Request, why *conn.HandshakeError) {
	token := n.tokens.Name(why.Token)
	n.live.mu.Lock()
	defer n.live.mu.Unlock()
	if n.refused == nil {
		n.refused = map[string]int64{}
	}
	n.refused[token]++
}

// Totals sums up. It asks every live connection, some 100 ns for each, and copies a pointer to each under the lock that
// Opened and Closed take. What is counted never decreases from one call to the next.
func (n *Counts) Totals() Totals {
	n.live.mu.Lock()
	t := Totals{Opened: n.opened, Active: int64(len(n.live.conns)), Stats: n.past}
	t.Closed, t.Refused = maps.Clone(n.closed), maps.Clone(n.refused)
	conns := make([]*conn.Conn, 0, len(n.live.conns))
	for c := range n.live.conns {
		conns = append(conns, c)
	}
	n.live.mu.Unlock()
	// One that ends from here on still has its counts.
	for _, c := range conns {
		s := c.Stats()
		add(&t.Stats, &s)
		t.Pending += s.Pending
		t.LongestQueue = max(t.LongestQueue, s.Pending)
	}
	// A connection may count a little more after Closed has taken its last counts. If that was reported, the next
	// sum may be less; a counter that decreases has been reset, for Prometheus.
	n.live.mu.Lock()
	defer n.live.mu.Unlock()
	atLeast(&t.Stats, &n.reported)
	n.reported = t.Stats
	return t
}

// counters are the fields of Stats that only grow.
func counters(s *conn.Stats) [12]*int64 {
	return [...]*int64{
		&s.MessagesIn, &s.MessagesOut, &s.PayloadIn, &s.PayloadOut, &s.EncodedIn, &s.EncodedOut,
		&s.ControlIn, &s.ControlOut, &s.WireIn, &s.WireOut, &s.Dropped, &s.Replaced,
	}
}

func add(to, s *conn.Stats) {
	sum, more := counters(to), counters(s)
	for i := range sum {
		*sum[i] += *more[i]
	}
}

func atLeast(to, s *conn.Stats) {
	value, least := counters(to), counters(s)
	for i := range value {
		*value[i] = max(*value[i], *least[i])
	}
}
