package suite

import (
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/frame"
)

func TestWhatCannotBeSeenIsEscaped(t *testing.T) {
	for in, want := range map[string]string{
		"plain, κόσμε\n\t":        "plain, κόσμε\n\t",
		"\x00\x1b[2J\x7f\u0085":   `\x00\x1b[2J\x7f\x85`,
		"\xff\xef":                `\xff\xef`,
		"\uFFFD":                  "\uFFFD",
		"\u202e\u2066\ufeff":      `\u{202e}\u{2066}\u{feff}`,
		"\U0010fffe\ufffe":        `\u{10fffe}\u{fffe}`,
		"a\r\nb":                  "a\\x0d\nb",
		strings.Repeat("\xed", 2): `\xed\xed`,
	} {
		if got := visible(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestLinesOfALogReadWell(t *testing.T) {
	l := newWireLog()
	l.sentFrame(&frame.Header{Opcode: frame.Text, RSV: frame.RSV2}, &Frame{Opcode: frame.Text, Payload: "ab", Length: 5})
	l.receivedFrame(&frame.Header{Fin: true, Opcode: frame.Close, Masked: true}, []byte("\x03\xe8why\x00"))
	l.received([]byte("\x81\x00"))
	l.wait("CT", 1.0, "A")
	l.enable(false)
	var got []string
	for _, line := range l.lines {
		got = append(got, line.String())
	}
	want := strings.Join([]string{
		"-> text, 5 octets, RSV2: ab",
		`<- close, 6 octets, FIN MASK 00000000: 1000 why\x00`,
		"<- octets, 2 octets: 8100",
		"   waiting 1 s (A)",
		"   what follows is not logged",
	}, "\n")
	if got := strings.Join(got, "\n"); got != want {
		t.Errorf("lines\n%s\nwant\n%s", got, want)
	}
}

func TestAResultExplainsItself(t *testing.T) {
	r := sampleReport()[0].Results[0]
	held(t, "explain.txt", r.Explain(4))
}
