package conn

import (
	"strings"
	"testing"
	"time"
)

// TestGroupStats adds up what connections did, those that live and those that do not.
func TestGroupStats(t *testing.T) {
	g := &Group{}
	dial := grouped(t, g, func(o *AcceptOptions) { o.Compression.Mode = CompressionNoTakeover })
	for i := range 3 {
		c, err := dial()
		must(t, c, err)
		for range 10 {
			if err := c.Write(bg, Text, []byte(strings.Repeat("again ", 200))); err != nil {
				t.Fatal(err)
			}
			if _, _, err := c.Read(bg); err != nil {
				t.Fatal(err)
			}
		}
		if i < 2 {
			if err := c.Close(4000, ""); err != nil {
				t.Fatal(err)
			}
			awaitLen(g, 0)
		}
	}
	for g.Stats().MessagesIn < 30 {
		time.Sleep(time.Millisecond)
	}
	s := g.Stats()
	if s.MessagesIn != 30 || s.MessagesOut != 30 || s.PayloadIn != 30*1200 || s.PayloadOut != 30*1200 ||
		s.EncodedIn != 30*1200 || s.EncodedOut != 30*1200 || s.WireOut < 30*1200 ||
		s.ControlIn != 2 || s.ControlOut != 2 || s.Codes[4000] != 2 || s.Tokens["peer"] != 2 || s.Opened != 3 || s.Active != 1 {
		t.Errorf("%+v", s)
	}
}
