package track

import (
	"maps"
	"net/http"
	"sync"

	"github.com/seed-c4549abd/wss/conn"
)

// Closing is a close code, as Codes names it, and a token of CloseError.
type Closing struct{ Code, Token string }

// Totals are the counts of an observer's connections since it was made.
type Totals struct {
	Opened, Active int64
	Closed         map[Closing]int64
	Refused        map[string]int64 // by token
	LongestQueue   int64            // bytes: the largest Pending of a connection
	conn.Stats                      // sums; Pending of the live connections only; RoundTrip is 0
}

// Counts counts the connections that its methods are called for. Like Live it allows for Closed before Opened. The zero value
// has counted none. All methods may be called by any number of goroutines.
type Counts struct {
	Codes Codes // must not change

	tokens Tokens

	mu       sync.Mutex // guards the fields below
	live     map[*conn.Conn]bool
	opened   int64
	closed   map[Closing]int64
	refused  map[string]int64
	past     conn.Stats // sums of the connections that have ended
	reported conn.Stats // the last result of Totals
}

// Opened counts a connection, as [conn.Observer] says.
func (n *Counts) Opened(c *conn.Conn) {
	n.mu.Lock()
	if n.live[c] {
		n.mu.Unlock()
		return
	}
	if n.live == nil {
		n.live = map[*conn.Conn]bool{}
	}
	n.live[c] = true
	n.opened++
	n.mu.Unlock()
	if why := Ended(c); why != nil {
		n.Closed(c, why)
	}
}

// Closed counts how a connection has ended. If Opened was not called yet, it does nothing: Opened finds that the connection has
// ended.
func (n *Counts) Closed(c *conn.Conn, why *conn.CloseError) {
	how := Closing{n.Codes.Name(why.Code), n.tokens.Name(why.Token())}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.live[c] {
		return
	}
	delete(n.live, c)
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
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refused == nil {
		n.refused = map[string]int64{}
	}
	n.refused[token]++
}

// Totals returns the sums. It calls Stats of every live connection, which takes some 200 ns each; the lock that Opened and Closed
// need is held only to copy the list of connections. No count decreases from one call to the next.
func (n *Counts) Totals() Totals {
	n.mu.Lock()
	t := Totals{Opened: n.opened, Active: int64(len(n.live)), Stats: n.past}
	t.Closed, t.Refused = maps.Clone(n.closed), maps.Clone(n.refused)
	conns := make([]*conn.Conn, 0, len(n.live))
	for c := range n.live {
		conns = append(conns, c)
	}
	n.mu.Unlock()
	// A connection that ends from here on keeps its counts.
	for _, c := range conns {
		s := c.Stats()
		add(&t.Stats, &s)
		t.Pending += s.Pending
		t.LongestQueue = max(t.LongestQueue, s.Pending)
	}
	// A connection may count a little more after Closed has read its counts. If Totals has reported that, the next sum may be
	// less, which Prometheus takes for a counter that was reset.
	n.mu.Lock()
	defer n.mu.Unlock()
	atLeast(&t.Stats, &n.reported)
	n.reported = t.Stats
	return t
}

// counters returns the fields of Stats that only grow.
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
