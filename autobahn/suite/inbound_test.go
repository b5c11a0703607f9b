package suite

import (
	"slices"
	"testing"

	"github.com/seed-c4549abd/wss/frame"
)

func TestEveryRuleThatAHeaderBreaksIsCounted(t *testing.T) {
	for name, test := range map[string]struct {
		in   inbound
		want int
	}{
		"a message":                    {inbound{head: frame.Header{Fin: true, Opcode: frame.Text}}, 0},
		"a fragment":                   {inbound{head: frame.Header{}, inMessage: true}, 0},
		"a ping in a message":          {inbound{head: frame.Header{Fin: true, Opcode: frame.Ping}, inMessage: true}, 0},
		"reserved bits":                {inbound{head: frame.Header{Fin: true, Opcode: frame.Text, RSV: frame.RSV1}}, 1},
		"a masked frame":               {inbound{head: frame.Header{Fin: true, Opcode: frame.Text, Masked: true}}, 1},
		"a reserved data opcode":       {inbound{head: frame.Header{Fin: true, Opcode: 3}}, 1},
		"a reserved control opcode":    {inbound{head: frame.Header{Fin: true, Opcode: 11}}, 1},
		"a ping without FIN":           {inbound{head: frame.Header{Opcode: frame.Ping}}, 1},
		"a ping that is too long":      {inbound{head: frame.Header{Fin: true, Opcode: frame.Ping, Length: 126}}, 1},
		"a close frame of one octet":   {inbound{head: frame.Header{Fin: true, Opcode: frame.Close, Length: 1}}, 1},
		"a continuation of nothing":    {inbound{head: frame.Header{Fin: true}}, 1},
		"a message within a message":   {inbound{head: frame.Header{Fin: true, Opcode: frame.Text}, inMessage: true}, 1},
		"a length in a longer form":    {inbound{head: frame.Header{Fin: true, Opcode: frame.Text}, lengthy: true}, 1},
		"a pong's length in that form": {inbound{head: frame.Header{Fin: true, Opcode: frame.Pong}, lengthy: true}, 2},
		"a marked message":             {inbound{head: frame.Header{Fin: true, Opcode: frame.Text, RSV: frame.RSV1}, inflater: newInflater()}, 0},
		"other bits with compression":  {inbound{head: frame.Header{Fin: true, Opcode: frame.Text, RSV: frame.RSV1 | frame.RSV2}, inflater: newInflater()}, 1},
		"a marked continuation":        {inbound{head: frame.Header{Fin: true, RSV: frame.RSV1}, inMessage: true, inflater: newInflater()}, 1},
		"a marked control frame":       {inbound{head: frame.Header{Fin: true, Opcode: frame.Ping, RSV: frame.RSV1}, inflater: newInflater()}, 1},
		"two rules at once":            {inbound{head: frame.Header{Opcode: frame.Ping, RSV: frame.RSV3}}, 2},
	} {
		got := test.in.broken()
		if len(got) != test.want || slices.Contains(got, "") {
			t.Errorf("%s: %q, want %d", name, got, test.want)
		}
	}
}

// TestLengthsInALongerFormAreRead: what follows them is still understood.
func TestLengthsInALongerFormAreRead(t *testing.T) {
	for _, test := range []struct {
		octets string
		length int64
		n      int
	}{
		{"\x81\x7e\x00\x05", 5, 4},
		{"\x81\x7f\x00\x00\x00\x00\x00\x00\x00\x05", 5, 10},
		{"\x81\xfe\x00\x05abcd", 5, 8},
		{"\x81\xfe\x00\x05abc", 5, 0},
		{"\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x05", 5, 10},
	} {
		p := &Peer{}
		n := p.parse([]byte(test.octets))
		if n != test.n || p.in.head.Length != test.length || !p.in.lengthy {
			t.Errorf("%x: %d octets, length %d, lengthy %v", test.octets, n, p.in.head.Length, p.in.lengthy)
		}
	}
}
