package main

import (
	"fmt"
	"math/rand/v2"
	"unicode/utf8"

	"github.com/seed-c4549abd/wss/conn"
)

// kinds are the data that messages are cut from; the last is no text.
var kinds = []string{"records", "repeats", "letters", "noise"}

// setCount is the number of sets of messages.
const setCount = 8

// burstLength is the number of small messages that are sent without waiting.
const burstLength = 300

// zipSizes are those of every connection: where headers and windows end. Some
// connections have a mebibyte besides.
var zipSizes = []int{0, 1, 2, 17, 125, 126, 127, 255, 256, 257, 512, 1000, 4096, 32768, 65535, 65536}

// corpus is the data of each kind, of more than 1 MiB.
type corpus map[string][]byte

// messageSet is what one connection sends and gets back: some messages one by one,
// and then a burst.
type messageSet struct {
	Messages []excerpt `json:"messages"`
	Burst    []excerpt `json:"burst"`
}

func (s *messageSet) count() int { return len(s.Messages) + len(s.Burst) }

// excerpt is a message: a part of the data of one kind.
type excerpt struct {
	Kind  string `json:"kind"`
	Text  bool   `json:"text"`
	Start int    `json:"start"`
	End   int    `json:"end"`
}

// newCorpus makes the same data every time.
func newCorpus() corpus {
	const size = 1<<20 + 1<<16
	r := rand.New(rand.NewPCG(7692, 6455))
	c := corpus{}
	for n := 0; len(c["records"]) < size; n++ {
		c["records"] = fmt.Appendf(c["records"],
			"{\"id\":%d,\"user\":\"user-%d\",\"price\":%d.%02d,\"tags\":[\"a\",\"b%d\"],\"open\":%t}\n",
			n, r.IntN(500), r.IntN(1000), r.IntN(100), r.IntN(9), n%3 == 0)
	}
	c["repeats"] = repeats(r, size)
	letters := []rune("äöüßéèñçøåλμπσωжшщюяいろはにほへと世界你好안녕👋🚀🏽")
	for len(c["letters"]) < size {
		word := letters[r.IntN(len(letters)-3):][:3]
		c["letters"] = append(c["letters"], string(word)+" "...)
	}
	for len(c["noise"]) < size {
		c["noise"] = append(c["noise"], byte(r.Uint32()))
	}
	return c
}

// repeats returns hexadecimal digits, most of them seen before: as far back as the
// window of some number of bits reaches, or one byte more or less.
func repeats(r *rand.Rand, size int) []byte {
	var p []byte
	for n := 0; len(p) < size; n++ {
		p = fmt.Appendf(p, "%016x", r.Uint64())
		back := 1<<(8+n%8) + r.IntN(3) - 1
		for range 48 {
			if back <= len(p) {
				p = append(p, p[len(p)-back])
			}
		}
	}
	return p
}

// sets returns the sets of messages: two with a mebibyte of text and of data, two
// with a burst.
func (c corpus) sets() []messageSet {
	sets := make([]messageSet, setCount)
	for k := range sets {
		s := &sets[k]
		s.Burst = []excerpt{} // no null for the scripts
		for n, size := range zipSizes {
			s.Messages = append(s.Messages,
				c.cut(kinds[(n+k)%3], true, 1009*k+97*n, size),
				c.cut(kinds[(n+k)%4], false, 997*k+89*n, size))
		}
		switch k {
		case 0:
			s.Messages = append(s.Messages, c.cut("records", true, 0, messageLimit), c.cut("noise", false, 0, messageLimit))
		case 4:
			s.Messages = append(s.Messages, c.cut("letters", true, 0, messageLimit), c.cut("repeats", false, 0, messageLimit))
		case 2, 6:
			for n := range burstLength {
				s.Burst = append(s.Burst, c.cut(kinds[n%3], n%5 != k/2, 211*n, 1+n*7%600))
			}
		}
	}
	return sets
}

// cut returns about size bytes from start on, whole characters if it is text.
func (c corpus) cut(kind string, text bool, start, size int) excerpt {
	data, end := c[kind], start+size
	if text {
		for !utf8.RuneStart(data[start]) {
			start++
		}
		for end > start && !utf8.RuneStart(data[end]) {
			end--
		}
		end = max(start, end)
	}
	return excerpt{Kind: kind, Text: text, Start: start, End: end}
}

// message returns an excerpt as a message.
func (c corpus) message(e excerpt) conn.Message {
	typ := conn.Binary
	if e.Text {
		typ = conn.Text
	}
	return conn.Message{Type: typ, Data: c[e.Kind][e.Start:e.End]}
}
