package conn

import (
	"context"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/internal/wheel"
)

// Group is the live connections of a server: those that were accepted with it as
// AcceptOptions.Group. They join when they are opened and leave when they end. It
// limits how many there may be, sends to all of them, counts them, and closes them
// in an orderly way. The zero value is a group without limits; its fields must not
// change once it is used. All methods may be called by any number of goroutines.
type Group struct {
	// MaxConns limits the connections in all, those whose handshake is under way included. One
	// more is refused with 503 when its request has been read. Zero or less: no limit.
	MaxConns int
	// MaxPerAddress limits the connections from one IP address (of IPv6 one /64
	// network, on each link if it is link-local). One more is refused with 429. Peers without an IP address, as those of a
	// unix socket, are not counted. Behind a proxy all come from its address, unless it is
	// one of TrustedProxies. Zero or less: no limit.
	MaxPerAddress int
	// TrustedProxies are the networks of reverse proxies that are believed when they name
	// their client in ProxyHeader: see ClientAddr. Clients must not be able to connect from
	// them; a network of all addresses is refused by Validate. Nil: no header is believed.
	TrustedProxies []netip.Prefix
	// ProxyHeader is the field that all these proxies write: "Forwarded" (RFC 7239), or another
	// with a list of addresses. Other fields are ignored: a proxy forwards a field that it does
	// not set, so a client could forge it. Zero: "X-Forwarded-For".
	ProxyHeader string
	// Key names whom a request's connection counts for: a user, a tenant. "" counts
	// for nobody. It runs before Check, so it must not trust what it has not
	// verified. Zero: no keys.
	Key func(r *http.Request) string
	// MaxPerKey limits the connections of one key. One more is refused with 429. Zero
	// or less: no limit.
	MaxPerKey int
	// RetryAfter is what refused clients are told to wait, rounded up to seconds.
	// Zero or less: 5 s.
	RetryAfter time.Duration

	// MaxAge closes connections that have become older, with 1001, so that load
	// spreads and credentials are checked again. Zero or less: never.
	MaxAge time.Duration
	// AgeJitter is the most by which MaxAge is shortened, at random for each
	// connection, so that those that came together are not closed together. Zero: a
	// tenth of MaxAge. Negative: none.
	AgeJitter time.Duration

	mu       sync.Mutex
	members  map[*member]*Conn
	entering int // admitted, not yet members
	addrs    map[string]int
	keys     map[string]int
	shut     bool          // Shutdown was called: nobody else may join
	emptied  chan struct{} // closed when the last one leaves a group that is shut
	past     GroupStats    // all but what the members' own counts say
}

// DefaultRetryAfter is what Group.RetryAfter stands for when it is zero.
const DefaultRetryAfter = 5 * time.Second

// member is a connection in a group, or the slot that is reserved for one.
type member struct {
	g         *Group
	joined    bool // else the slot is reserved; guarded by g.mu
	gone      bool // the slot was given back; guarded by g.mu
	addr, key string
	age       wheel.Entry
}

// admit reserves a slot for the connection that r asks for, or refuses it with a
// *HandshakeError. A nil group keeps none.
func (g *Group) admit(r *http.Request) (*member, error) {
	if g == nil {
		return nil, nil
	}
	m := &member{g: g}
	if g.MaxPerAddress > 0 {
		m.addr = addressKey(g.ClientAddr(r))
	}
	if g.Key != nil {
		m.key = g.Key(r)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if refused := g.refusal(m); refused != nil {
		g.past.Refused++
		return nil, refused
	}
	g.entering++
	g.count(m, +1)
	return m, nil
}

// refusal says why m may not come in. g.mu is held.
func (g *Group) refusal(m *member) *HandshakeError {
	switch {
	case g.shut:
		return g.refuse(http.StatusServiceUnavailable, "shutting_down", "the server is shutting down")
	case g.MaxConns > 0 && len(g.members)+g.entering >= g.MaxConns:
		return g.refuse(http.StatusServiceUnavailable, "too_many_connections", "the server has as many connections as it takes")
	case m.addr != "" && g.addrs[m.addr] >= g.MaxPerAddress:
		return g.refuse(http.StatusTooManyRequests, "too_many_from_address", "too many connections from this address")
	case m.key != "" && g.MaxPerKey > 0 && g.keys[m.key] >= g.MaxPerKey:
		return g.refuse(http.StatusTooManyRequests, "too_many_for_key", "too many connections for this account")
	}
	return nil
}

func (g *Group) refuse(status int, token, reason string) *HandshakeError {
	wait := positiveOr(g.RetryAfter, DefaultRetryAfter)
	seconds := strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10)
	return &HandshakeError{Status: status, Token: token, Reason: reason, Header: http.Header{"Retry-After": {seconds}}}
}

// addressKey is the address that connections are counted by: networks of IPv6 are cheap to have many
// addresses in, and a link-local one says on which link. What has no IP address, as the peers of a
// unix socket have none, is not counted.
func addressKey(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	if ip.Is4() {
		return ip.String()
	}
	network, _ := ip.WithZone("").Prefix(64)
	return network.Addr().WithZone(ip.Zone()).String()
}

// count adds n to what m counts for. g.mu is held.
func (g *Group) count(m *member, n int) {
	add := func(counts *map[string]int, name string) {
		if name == "" {
			return
		}
		if *counts == nil {
			*counts = map[string]int{}
		}
		if (*counts)[name] += n; (*counts)[name] == 0 {
			delete(*counts, name)
		}
	}
	add(&g.addrs, m.addr)
	add(&g.keys, m.key)
}

// abandon gives back the slot of a connection that did not come about. For one that has joined it
// does nothing.
func (m *member) abandon() {
	if m == nil {
		return
	}
	g := m.g
	g.mu.Lock()
	defer g.mu.Unlock()
	if m.joined || m.gone {
		return
	}
	m.gone = true
	g.entering--
	g.count(m, -1)
	g.signalEmpty()
}

// join makes the connection a member. It may be closed at once: the group may have
// begun to shut down meanwhile.
func (m *member) join(c *Conn) {
	g := m.g
	g.mu.Lock()
	m.joined = true
	g.entering--
	if g.members == nil {
		g.members = map[*member]*Conn{}
	}
	g.members[m] = c
	g.past.Opened++
	shut := g.shut
	g.mu.Unlock()
	if g.MaxAge > 0 {
		c.settings.wheel.Schedule(&m.age, (*ageTask)(c), g.age())
	}
	if why := c.life.ended.Load(); why != nil {
		m.remove(c, why)
	} else if shut {
		c.startClose(StatusGoingAway, "")
	}
}

// age draws how old a connection may become.
func (g *Group) age() time.Duration {
	most := min(g.MaxAge, maxDuration)
	jitter := min(orDefault(g.AgeJitter, most/10), most)
	if jitter <= 0 {
		return most
	}
	return most - rand.N(jitter+1)
}

// ageTask is a connection that ends at its group's MaxAge.
type ageTask Conn

// Tick closes the connection: it has reached its age.
func (t *ageTask) Tick() time.Duration {
	go (*Conn)(t).startClose(StatusGoingAway, "maximum age reached")
	return 0
}

// remove takes the connection out of the group, and its counts into the group's, when it
// has ended and nobody handles a message of it any more.
func (m *member) remove(c *Conn, why *CloseError) {
	g := m.g
	if g.MaxAge > 0 {
		c.settings.wheel.Cancel(&m.age)
	}
	last := c.Stats()
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.members[m]; !ok {
		return // it has left already, or never joined
	}
	delete(g.members, m)
	g.count(m, -1)
	g.past.end(&last, why)
	g.signalEmpty()
}

// signalEmpty wakes Shutdown when the group has no connections left. g.mu is held.
func (g *Group) signalEmpty() {
	if g.emptied != nil && len(g.members)+g.entering == 0 {
		close(g.emptied)
		g.emptied = nil
	}
}

// Len returns the number of connections.
func (g *Group) Len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.members)
}

// Conns returns the connections that there are at this moment.
func (g *Group) Conns() iter.Seq[*Conn] {
	return func(yield func(*Conn) bool) {
		for _, c := range g.snapshot() {
			if !yield(c) {
				return
			}
		}
	}
}

func (g *Group) snapshot() []*Conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	conns := make([]*Conn, 0, len(g.members))
	for _, c := range g.members {
		conns = append(conns, c)
	}
	return conns
}

// Broadcast sends messages to every connection, or to those that pick returns true for
// if it is not nil, and returns how many took them. A slow peer holds nobody up: what
// becomes of its messages is its connection's QueueLimit and WhenFull. (With
// BlockWhenFull it does hold up the others, until ctx ends.)
func (g *Group) Broadcast(ctx context.Context, pick func(*Conn) bool, messages ...*Prepared) int {
	n := 0
	for _, c := range g.snapshot() {
		if (pick == nil || pick(c)) && c.Send(ctx, messages...) == nil {
			n++
		}
	}
	return n
}

// GroupStats are the counts of a group since its first use.
type GroupStats struct {
	Opened  int64 // connections that ever joined
	Active  int64 // those that have not ended
	Refused int64 // requests for which there was no slot
	// Codes and Tokens count how connections have ended: by CloseError.Code, and by
	// CloseError.Token.
	Codes  map[StatusCode]int64
	Tokens map[string]int64

	// Stats are the sums over all connections; RoundTrip is the longest of the last ones
	// of those that live.
	Stats
}

// Stats returns the group's counts. It asks every connection, so it is for a look now
// and then, not for each message. The maps are the caller's.
func (g *Group) Stats() GroupStats {
	g.mu.Lock()
	s := g.past.clone()
	conns := make([]*Conn, 0, len(g.members))
	for _, c := range g.members {
		conns = append(conns, c)
	}
	// One that ends from here on is counted below all the same: its own counts stay.
	g.mu.Unlock()
	s.Active = int64(len(conns))
	for _, c := range conns {
		own := c.Stats()
		s.add(&own)
		s.RoundTrip = max(s.RoundTrip, own.RoundTrip)
		s.Pending += own.Pending
	}
	return s
}

func (s *GroupStats) clone() GroupStats {
	c := *s
	c.Codes, c.Tokens = map[StatusCode]int64{}, map[string]int64{}
	for code, n := range s.Codes {
		c.Codes[code] = n
	}
	for token, n := range s.Tokens {
		c.Tokens[token] = n
	}
	return c
}

// end adds a connection that has ended.
func (s *GroupStats) end(last *Stats, why *CloseError) {
	if s.Codes == nil {
		s.Codes, s.Tokens = map[StatusCode]int64{}, map[string]int64{}
	}
	s.Codes[why.Code]++
	s.Tokens[why.Token()]++
	s.add(last)
}

// add adds what can be added: not what is at one moment.
func (s *Stats) add(t *Stats) {
	s.MessagesIn += t.MessagesIn
	s.MessagesOut += t.MessagesOut
	s.PayloadIn += t.PayloadIn
	s.PayloadOut += t.PayloadOut
	s.EncodedIn += t.EncodedIn
	s.EncodedOut += t.EncodedOut
	s.ControlIn += t.ControlIn
	s.ControlOut += t.ControlOut
	s.WireIn += t.WireIn
	s.WireOut += t.WireOut
	s.Dropped += t.Dropped
	s.Replaced += t.Replaced
}
