package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seed-c4549abd/wss/conn"
)

// widest is the largest number of window bits, and what they are if none are agreed
// on (RFC 7692 §7.1.2).
const widest = 15

// notOffered stands for a client that does not offer client_max_window_bits. A server
// may not send it then.
const notOffered = -1

// choice is what a peer is to offer, or to answer with. For bits, 0 is what the
// library does by itself: a client then offers client_max_window_bits without a value.
type choice struct {
	ServerAlone bool `json:"serverAlone"` // server_no_context_takeover
	ClientAlone bool `json:"clientAlone"`
	ServerBits  int  `json:"serverBits"`
	ClientBits  int  `json:"clientBits"`
}

// agreement is what both are to compress with.
type agreement struct {
	serverAlone, clientAlone bool
	serverBits, clientBits   int
}

// link is one connection.
type link struct {
	ID     int    `json:"id"`
	Set    int    `json:"set"` // of messages
	Theirs choice `json:"theirs"`

	ours conn.Compression
	want agreement
}

func (l *link) String() string {
	return fmt.Sprintf("connection %d, theirs %+v, ours {Mode:%d Level:%d WindowBits:%d PeerWindowBits:%d}",
		l.ID, l.Theirs, l.ours.Mode, l.ours.Level, l.ours.WindowBits, l.ours.PeerWindowBits)
}

func (l *link) clientHas8() bool { return l.want.clientBits == 8 }
func (l *link) serverHas8() bool { return l.want.serverBits == 8 }

// allBits are the values of window bits, and that of a peer that says nothing.
var allBits = []int{0, 8, 9, 10, 11, 12, 13, 14, 15}

// levels are gone through, because our compressor has a method for each.
var levels = []int{0, 1, 6, 9}

// matrix makes links.
type matrix struct {
	links  []*link
	server bool // we are it
}

// add adds a link. Sets of messages are chosen so that each occurs with each value of
// every setting.
func (m *matrix) add(theirs choice, mode conn.CompressionMode, serverBits, clientBits int) {
	l := &link{ID: len(m.links), Theirs: theirs}
	l.ours = conn.Compression{Mode: mode, WindowBits: clientBits, PeerWindowBits: serverBits, Threshold: -1}
	if m.server {
		l.ours.WindowBits, l.ours.PeerWindowBits = serverBits, clientBits
	}
	turn := max(theirs.ServerBits, serverBits) + max(theirs.ClientBits, clientBits, 0)
	if theirs.ServerAlone || mode == conn.CompressionNoTakeover {
		turn += 2
	}
	if theirs.ClientAlone {
		turn += 4
	}
	l.Set = turn % setCount
	l.ours.Level = levels[len(m.links)%len(levels)]
	alone := mode == conn.CompressionNoTakeover
	l.want = agreement{
		serverAlone: theirs.ServerAlone || alone, clientAlone: theirs.ClientAlone || alone,
		serverBits: min(orWidest(theirs.ServerBits), orWidest(serverBits)),
		clientBits: min(orWidest(theirs.ClientBits), orWidest(clientBits)),
	}
	if theirs.ClientBits == notOffered {
		// Our server then asks for no context takeover, if it is to save memory.
		l.want.clientAlone = l.want.clientAlone || orWidest(clientBits) < widest
		l.want.clientBits = widest
	}
	m.links = append(m.links, l)
}

func orWidest(bits int) int {
	if bits <= 0 {
		return widest
	}
	return bits
}

// addTheirs adds everything that a peer can say, with us accepting it.
func (m *matrix) addTheirs(serverBits, clientBits []int) {
	for _, s := range serverBits {
		for _, c := range clientBits {
			for n := range 4 {
				theirs := choice{ServerAlone: n&1 != 0, ClientAlone: n&2 != 0, ServerBits: s, ClientBits: c}
				m.add(theirs, conn.CompressionTakeover, 0, 0)
			}
		}
	}
}

// addOurs adds all that we can say, to a peer that says one thing.
func (m *matrix) addOurs(theirs choice, serverBits, clientBits []int) {
	for _, s := range serverBits {
		for _, c := range clientBits {
			m.add(theirs, conn.CompressionNoTakeover, s, c)
			m.add(theirs, conn.CompressionTakeover, s, c)
		}
	}
}

// clientLinks are those of a foreign client with our server.
func clientLinks() []*link {
	m := &matrix{server: true}
	m.addTheirs(allBits, append([]int{notOffered}, allBits...))
	m.addOurs(choice{}, allBits[1:], allBits[1:])
	m.addOurs(choice{ClientBits: notOffered}, []int{0}, allBits[1:])
	return m.links
}

// serverLinks are those of our client with a foreign server.
func serverLinks() []*link {
	m := &matrix{}
	m.addTheirs(allBits, allBits)
	m.addOurs(choice{}, allBits[1:], allBits[1:])
	return m.links
}

// browserLinks are those of a browser, whose offer is always the same.
func browserLinks() []*link {
	m := &matrix{server: true}
	m.addOurs(choice{}, allBits[1:], allBits[1:])
	return m.links
}

// matches compares an agreement with the header field of a response. It is read here
// by itself, so that our handshake does not judge its own work.
func (a agreement) matches(header string) error {
	if header == "" {
		return fmt.Errorf("no compression was agreed on, want %+v", a)
	}
	got := agreement{serverBits: widest, clientBits: widest}
	params := strings.Split(header, ";")
	if name := strings.TrimSpace(params[0]); name != "permessage-deflate" {
		return fmt.Errorf("the response is %q, want permessage-deflate", header)
	}
	for _, param := range params[1:] {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		var err error
		switch name {
		case "server_no_context_takeover":
			got.serverAlone = true
		case "client_no_context_takeover":
			got.clientAlone = true
		case "server_max_window_bits":
			got.serverBits, err = strconv.Atoi(value)
		case "client_max_window_bits":
			got.clientBits, err = strconv.Atoi(value)
		default:
			err = fmt.Errorf("unknown parameter %q", name)
		}
		if err != nil {
			return fmt.Errorf("the response is %q: %w", header, err)
		}
	}
	if got != a {
		return fmt.Errorf("the response is %q, want %+v", header, a)
	}
	return nil
}
