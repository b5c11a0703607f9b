package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
)

func TestWhatOurServerSawIsChecked(t *testing.T) {
	good := conn.Stats{MessagesIn: 3, MessagesOut: 3, PayloadIn: 100, PayloadOut: 100, WireIn: 90, WireOut: 90}
	for _, test := range []struct {
		name, want string
		saw        sighting
		change     func(*conn.Stats)
	}{
		{"all well", "", sighting{compressed: true}, func(*conn.Stats) {}},
		{"an error", "broke", sighting{err: errors.New("broke")}, func(*conn.Stats) {}},
		{"no compression", "did not compress", sighting{}, func(*conn.Stats) {}},
		{"a message less", "2 messages in", sighting{compressed: true}, func(s *conn.Stats) { s.MessagesIn = 2 }},
		{"peer in vain", "the peer did not compress", sighting{compressed: true}, func(s *conn.Stats) { s.WireIn = 100 }},
		{"we in vain", "we did not compress", sighting{compressed: true}, func(s *conn.Stats) { s.WireOut = 100 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.saw.stats = good
			test.change(&test.saw.stats)
			s := &echoes{seen: []chan sighting{make(chan sighting, 1)}}
			s.note(0, test.saw)
			s.note(0, sighting{}) // a second one changes nothing
			err := s.saw(t.Context(), &link{}, 3)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := &echoes{seen: []chan sighting{nil}}
	if err := s.saw(ctx, &link{}, 3); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestUnknownLinksAreRefused(t *testing.T) {
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	s, err := startEchoes(ca, []*link{{}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for _, query := range []string{"", "?id=x", "?id=-1", "?id=1"} {
		_, res, err := conn.Dial(t.Context(), s.url+linkPath+query, &conn.DialOptions{TLS: clientConfig(ca)})
		if err == nil || res == nil || res.StatusCode != http.StatusNotFound {
			t.Errorf("%q: got %v, %v", query, res, err)
		}
	}
}
