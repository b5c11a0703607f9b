package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"unicode/utf8"

	"github.com/seed-c4549abd/wss/conn"
)

// headSize is the bytes with which each message begins: connection, sequence number and
// length of the body, in eight hexadecimal digits each, so that text may carry them too.
const headSize = 24

// Sizes of what bodies are cut from, and of where they may begin in it.
const (
	maxBody    = 1<<20 - headSize // a message then fits the default limit
	startRange = 64 << 10
)

// corpus is what bodies are cut from; where is told by connection and number, so the
// receiver knows every byte that it has to get.
type corpus struct{ text, binary []byte }

func newCorpus(seed uint64) *corpus {
	r := rand.New(rand.NewPCG(seed, 0))
	k := &corpus{binary: make([]byte, startRange+maxBody)}
	for i := 0; i+8 <= len(k.binary); i += 8 {
		v := r.Uint64()
		for j := range 8 {
			k.binary[i+j] = byte(v >> (8 * j))
		}
	}
	symbols := []string{"EURUSD", "ΔΣΦ", "日経", "BTC", "naïve", "🚀"}
	for len(k.text) < startRange+maxBody+utf8.UTFMax {
		k.text = fmt.Appendf(k.text, `{"s":%q,"p":%d.%02d,"n":%d},`,
			symbols[r.IntN(len(symbols))], r.IntN(1000), r.IntN(100), r.IntN(1e6))
	}
	return k
}

// typeOf alternates, so that a receiver knows the type too.
func typeOf(id, seq uint32) conn.MessageType {
	if (id+seq)%2 == 0 {
		return conn.Text
	}
	return conn.Binary
}

// body returns some n bytes for a message; text may be up to three bytes longer.
func (k *corpus) body(id, seq uint32, n int) []byte {
	start := int((id*2654435761 + seq*40503) % startRange)
	if typeOf(id, seq) == conn.Binary {
		return k.binary[start : start+n]
	}
	start = runeStart(k.text, start)
	return k.text[start:runeStart(k.text, start+n)]
}

func runeStart(p []byte, i int) int {
	for !utf8.RuneStart(p[i]) {
		i++
	}
	return i
}

// append adds message number seq of a connection, with a body of some n bytes, to dst.
func (k *corpus) append(dst []byte, id, seq uint32, n int) []byte {
	body := k.body(id, seq, min(n, maxBody-utf8.UTFMax))
	dst = fmt.Appendf(dst, "%08x%08x%08x", id, seq, len(body))
	return append(dst, body...)
}

// checker looks at a message as it arrives.
type checker struct {
	k    *corpus
	typ  conn.MessageType
	head []byte
	rest []byte // of the body that is still to come
	seq  uint32
	id   uint32
	err  error
}

// newChecker is for a message that has to be of connection id.
func (k *corpus) newChecker(id uint32, typ conn.MessageType) *checker {
	return &checker{k: k, typ: typ, id: id}
}

// Write takes the next bytes. It never fails, so that what is wrong is not mistaken for
// what the connection says.
func (c *checker) Write(p []byte) (int, error) {
	n := len(p)
	if len(c.head) < headSize {
		take := min(headSize-len(c.head), len(p))
		c.head = append(c.head, p[:take]...)
		p = p[take:]
		if len(c.head) == headSize {
			c.begin()
		}
	}
	if c.err != nil || len(p) == 0 {
		return n, nil
	}
	if len(p) > len(c.rest) || !bytes.Equal(p, c.rest[:len(p)]) {
		c.err = fmt.Errorf("message %d: its body is not what was sent", c.seq)
		return n, nil
	}
	c.rest = c.rest[len(p):]
	return n, nil
}

// begin reads the head.
func (c *checker) begin() {
	var field [3]uint32
	for i := range field {
		v, err := strconv.ParseUint(string(c.head[8*i:8*i+8]), 16, 32)
		if err != nil {
			c.err = fmt.Errorf("the head of a message is %q", c.head)
			return
		}
		field[i] = uint32(v)
	}
	c.seq = field[1]
	switch {
	case field[0] != c.id:
		c.err = fmt.Errorf("message %d of connection %d came to connection %d", field[1], field[0], c.id)
	case typeOf(c.id, c.seq) != c.typ:
		c.err = fmt.Errorf("message %d came as %v", c.seq, c.typ)
	case field[2] > maxBody:
		c.err = fmt.Errorf("message %d is %d bytes long", c.seq, field[2])
	default:
		c.rest = c.k.body(c.id, c.seq, int(field[2]))
		if uint32(len(c.rest)) != field[2] {
			c.err = fmt.Errorf("message %d cannot be %d bytes long", c.seq, field[2])
		}
	}
}

// end returns the number of the message, which is complete, or what was wrong with it.
func (c *checker) end() (seq uint32, err error) {
	if c.err == nil && (len(c.head) < headSize || len(c.rest) > 0) {
		c.err = fmt.Errorf("message %d ends %d bytes too early", c.seq, headSize-len(c.head)+len(c.rest))
	}
	return c.seq, c.err
}
