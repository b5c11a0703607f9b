package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
)

// Every pair of window bits with every takeover, each value with every set.
func TestMatrixHasAllCombinations(t *testing.T) {
	for name, links := range map[string][]*link{"client": clientLinks(), "server": serverLinks(), "browser": browserLinks()} {
		t.Run(name, func(t *testing.T) {
			agreed := make(map[agreement]bool)
			sets := make(map[string]bool)
			for id, l := range links {
				if l.ID != id {
					t.Fatalf("link %d has id %d", id, l.ID)
				}
				agreed[l.want] = true
				sets[fmt.Sprint("server", l.want.serverBits, l.Set)] = true
				sets[fmt.Sprint("client", l.want.clientBits, l.Set)] = true
			}
			want := 8 * 8 * 4
			if name == "browser" {
				want = 8 * 8 * 2 // its offer leaves takeover to us, and we choose for both
			}
			if len(agreed) != want {
				t.Errorf("%d agreements, want %d", len(agreed), want)
			}
			for bits := 8; bits <= widest; bits++ {
				for set := range setCount {
					for _, side := range []string{"server", "client"} {
						if !sets[fmt.Sprint(side, bits, set)] {
							t.Errorf("%s bits %d never have set %d", side, bits, set)
						}
					}
				}
			}
		})
	}
}

func TestWhatIsToBeAgreedOn(t *testing.T) {
	for _, test := range []struct {
		name                   string
		theirs                 choice
		mode                   conn.CompressionMode
		serverBits, clientBits int
		want                   agreement
	}{
		{"nothing in particular", choice{}, conn.CompressionTakeover, 0, 0, agreement{serverBits: 15, clientBits: 15}},
		{"the smaller bits", choice{ServerBits: 9, ClientBits: 12}, conn.CompressionTakeover, 10, 11, agreement{serverBits: 9, clientBits: 11}},
		{"our mode", choice{}, conn.CompressionNoTakeover, 0, 0, agreement{true, true, 15, 15}},
		{"their takeover", choice{ClientAlone: true}, conn.CompressionTakeover, 0, 0, agreement{false, true, 15, 15}},
		{"bits that were not offered", choice{ClientBits: notOffered}, conn.CompressionTakeover, 0, 9, agreement{false, true, 15, 15}},
		{"nor asked for", choice{ClientBits: notOffered}, conn.CompressionTakeover, 0, 0, agreement{false, false, 15, 15}},
	} {
		m := &matrix{server: true}
		m.add(test.theirs, test.mode, test.serverBits, test.clientBits)
		if got := m.links[0].want; got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
		if got := m.links[0].ours; got.WindowBits != test.serverBits || got.PeerWindowBits != test.clientBits || got.Threshold >= 0 {
			t.Errorf("%s: our server has %+v", test.name, got)
		}
	}
}

func TestResponsesAreCompared(t *testing.T) {
	a := agreement{serverAlone: true, serverBits: 9, clientBits: 15}
	for header, want := range map[string]string{
		"permessage-deflate; server_no_context_takeover; server_max_window_bits=9":                         "",
		"permessage-deflate;server_max_window_bits=9;server_no_context_takeover;client_max_window_bits=15": "",
		"":                       "no compression was agreed on",
		"permessage-brotli":      "want permessage-deflate",
		"permessage-deflate":     "want {serverAlone:true",
		"permessage-deflate; no": `unknown parameter "no"`,
		"permessage-deflate; server_max_window_bits": "invalid syntax",
	} {
		err := a.matches(header)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %q", header, err, want)
		}
	}
	if err := a.matches(a.header()); err != nil {
		t.Error(err)
	}
}
