package micro

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/gobwas/ws/wsutil"
	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/frame"
)

// Texts are what is validated, by name.
var texts = []struct{ name, text string }{
	{"ASCII", "The quick brown fox jumps over the lazy dog; 0123456789. "},
	{"Cyrillic", "Съешь же ещё этих мягких французских булок, да выпей чаю. "},
	{"CJK", "敏捷的棕色狐狸跳过了懒狗。いろはにほへとちりぬるを。다람쥐 헌 쳇바퀴에 타고파."},
	{"JSON with emoji", `{"user":"Ana 🙂","text":"see you at 8 🎉🎉","likes":17,"tags":["party","été"]},`},
}

var fragments = []int{64, 1000, 16384}

const textSize = 64 << 10

// UTF8Group names a text in fragments.
func UTF8Group(text string, fragment int) string { return fmt.Sprintf("%s, %d B", text, fragment) }

// UTF8Groups are the groups of UTF8Cases in their order, of one text or, if it is empty,
// of all.
func UTF8Groups(text string) []string {
	var all []string
	for _, t := range texts {
		for _, f := range fragments {
			if text == "" || text == t.name {
				all = append(all, UTF8Group(t.name, f))
			}
		}
	}
	return all
}

// UTF8Cases validate 64 KiB of text in fragments. wss and gobwas keep their state across
// fragments that are cut anywhere; utf8.Valid has none, so it gets fragments that end
// with a character.
func UTF8Cases() []Case {
	var cases []Case
	for _, t := range texts {
		text := whole([]byte(strings.Repeat(t.text, textSize/len(t.text)+1)), textSize)
		for _, size := range fragments {
			cases = append(cases, utf8Case(UTF8Group(t.name, size), text, size))
		}
	}
	return cases
}

// whole cuts text to at most n bytes, after a character.
func whole(text []byte, n int) []byte {
	if n >= len(text) {
		return text
	}
	for !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

func utf8Case(group string, text []byte, size int) Case {
	var anywhere, fitting [][]byte
	for rest := text; len(rest) > 0; {
		n := min(size, len(rest))
		anywhere, rest = append(anywhere, rest[:n]), rest[n:]
	}
	for rest := text; len(rest) > 0; {
		part := whole(rest, size)
		fitting, rest = append(fitting, part), rest[len(part):]
	}
	buf := make([]byte, size)
	return Case{Group: group, Bytes: len(text), Funcs: []Func{
		{"wss", libs.Ours, func(n int) { validate(n, anywhere) }},
		{"utf8.Valid", libs.Peer, func(n int) {
			for range n {
				for _, p := range fitting {
					if !utf8.Valid(p) {
						panic("not UTF-8")
					}
				}
			}
		}},
		{"gobwas", libs.Peer, func(n int) {
			for range n {
				r := wsutil.NewUTF8Reader(bytes.NewReader(text))
				for {
					if k, err := r.Read(buf); k == 0 || err != nil {
						break
					}
				}
				if !r.Valid() {
					panic("not UTF-8")
				}
			}
		}},
	}}
}

func validate(n int, fragments [][]byte) {
	for range n {
		var v frame.UTF8
		for _, p := range fragments {
			if _, ok := v.Write(p); !ok {
				panic("not UTF-8")
			}
		}
		if !v.Complete() {
			panic("incomplete")
		}
	}
}
