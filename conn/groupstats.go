package conn

// GroupStats are the counts of a group since its first use.
type GroupStats struct {
	Opened  int64 // connections that ever joined
	Active  int64 // those that have not ended
	Refused int64 // requests for which there was no place
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
	for m := range g.members {
		conns = append(conns, m.c)
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
}
