package frame

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// A validator is one implementation of bulk, for min bytes or more. What is
// particular to an architecture stands in the test file of that architecture.
type validator struct {
	name string
	min  int
	bulk func(p []byte) int
}

func validators() []validator {
	return append([]validator{{"generic", 0, bulkGeneric}}, assembly()...)
}

// write is UTF8.Write for the first piece of a text: what bulk leaves is shown
// to the automaton in pieces too short for another bulk.
func (val validator) write(p []byte) (u UTF8, n int, ok bool) {
	if len(p) >= val.min {
		n = val.bulk(p)
	}
	for n < len(p) {
		m, ok := u.Write(p[n:min(n+8, len(p))])
		n += m
		if !ok {
			return u, n, false
		}
	}
	return u, n, true
}

// Every class of byte that the standard tells apart, by its bounds.
var classes = []byte{
	0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1,
	0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xff,
}

// paddings are what surrounds a sequence; all begin between two characters.
var paddings = []string{"a", "é", "漢", "😀", "aé漢😀"}

// embedding is a text that is right around a gap for a sequence.
type embedding struct {
	text []byte
	gap  []byte // within text
	at   int    // where the gap begins
}

// embed returns a text of before bytes, a gap of n, and behind bytes. Whole
// paddings are next to the gap, ASCII fills up the rest.
func embed(padding string, before, n, behind int) embedding {
	k := len(padding)
	text := strings.Repeat("a", before%k) + strings.Repeat(padding, before/k) + strings.Repeat("?", n) +
		strings.Repeat(padding, behind/k) + strings.Repeat("a", behind%k)
	e := embedding{text: []byte(text), at: before}
	e.gap = e.text[before:][:n]
	return e
}

// check puts a sequence into the gap and holds the validator to where the text
// breaks: at byte broken of the sequence, if it does before its end.
func (e embedding) check(t *testing.T, val validator, sequence []byte, broken int) {
	t.Helper()
	copy(e.gap, sequence)
	want, valid := len(e.text), utf8.Valid(sequence)
	if broken < len(sequence) || !valid && want > e.at+broken {
		want = e.at + broken // if not in the sequence, it is cut short by what follows
	}
	u, n, ok := val.write(e.text)
	if n != want || ok != (want == len(e.text)) || ok && u.Complete() != valid {
		t.Fatalf("%s: % x at %d of %d: stopped at %d, want %d; %v", val.name, sequence, e.at, len(e.text), n, want, u)
	}
}

func TestEveryClassOfSequenceAtEveryOffset(t *testing.T) {
	for n := 1; n <= 2; n++ {
		var embeddings []embedding
		for _, padding := range paddings {
			for before := range 132 {
				if testing.Short() && before%8 > 1 {
					continue
				}
				embeddings = append(embeddings, embed(padding, before, n, []int{0, 1, 40, 130}[before%4]))
			}
		}
		for _, a := range classes {
			for _, b := range classes {
				s := []byte{a, b}[:n]
				broken := firstOffender(s)
				for _, val := range validators() {
					for _, e := range embeddings {
						e.check(t, val, s, broken)
					}
				}
				if n == 1 {
					break
				}
			}
		}
	}
}

// Three and four classes, with offsets and paddings that change all the time.
func TestEveryFourClasses(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 629))
	var embeddings []embedding
	for before := range 132 {
		embeddings = append(embeddings, embed(paddings[before%len(paddings)], before, 4, r.IntN(80)))
	}
	for _, a := range classes {
		for _, b := range classes {
			for _, c := range classes {
				for _, d := range []byte{'a', 0x80, 0xbf, classes[r.IntN(len(classes))]} {
					s := []byte{a, b, c, d}
					broken := firstOffender(s)
					for _, val := range validators() {
						embeddings[r.IntN(len(embeddings))].check(t, val, s, broken)
					}
				}
			}
		}
	}
}

// randomText returns n bytes of UTF-8 or a little more, in runs of like
// characters as texts have them.
func randomText(r *rand.Rand, n int) (p []byte) {
	bounds := []rune{0, 0x80, 0x800, 0x10000, utf8.MaxRune + 1}
	for len(p) < n {
		size := r.IntN(4)
		for range r.IntN(100) {
			p = utf8.AppendRune(p, bounds[size]+r.Int32N(bounds[size+1]-bounds[size]))
		}
	}
	return p
}

// same reports whether two automata are in the same state.
func same(u, v UTF8) bool { return u.need.need == v.need.need && (u.need.need == 0 || u == v) }

func TestRandomTextWithRandomMistakes(t *testing.T) {
	r := rand.New(rand.NewPCG(64, 55))
	for range 3000 {
		p := randomText(r, r.IntN(1000))
		p = p[:r.IntN(len(p)+1)]
		for range min(r.IntN(3), len(p)) {
			p[r.IntN(len(p))] = byte(r.IntN(256))
		}
		var byByte UTF8
		want := 0
		for ; want < len(p); want++ {
			if _, ok := byByte.Write(p[want : want+1]); !ok {
				break
			}
		}
		if valid := want == len(p) && byByte.Complete(); valid != utf8.Valid(p) {
			t.Fatalf("% x: %v byte by byte", p, valid)
		}
		for _, val := range validators() {
			if u, n, ok := val.write(p); n != want || ok != (want == len(p)) || ok && !same(u, byByte) {
				t.Fatalf("%s: % x: stopped at %d in %v, want %d in %v", val.name, p, n, u, want, byByte)
			}
		}
		var u UTF8
		n, ok := 0, true
		for n < len(p) && ok {
			var m int
			m, ok = u.Write(p[n:min(n+r.IntN(200), len(p))])
			n += m
		}
		if n != want || ok && !same(u, byByte) {
			t.Fatalf("in pieces: % x: stopped at %d in %v, want %d in %v", p, n, u, want, byByte)
		}
	}
}

// Whoever leaves a right text to the automaton is slow, not wrong.
func TestBulkTakesAllButTheLastCharacters(t *testing.T) {
	for _, val := range validators() {
		for _, padding := range paddings {
			p := bytes.Repeat([]byte(padding), 400)
			for n := val.min; n <= 400; n++ {
				whole := n - unfinished(p[:n])
				if got := val.bulk(p[:n:n]); got > whole || got < whole-4 {
					t.Errorf("%s: %d of %d bytes of %q", val.name, got, n, padding)
				}
			}
		}
	}
}
