package fuzz

import (
	"fmt"
	"hash/maphash"
	"strings"
	"sync"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
)

// Every message of a conversation can be computed from who sent it and when. One of at
// least headSize bytes says so itself; shorter ones are writer 0's.
const (
	headSize = 8
	writers  = 4
	replier  = writers - 1 // not a goroutine of its own: the callback of Serve
)

var (
	words = []string{"é", "漢字", "😀", "message ", "and ", "0123456789", "{\"k\":1}", "\x00", "ß"}
	seed  = maphash.MakeSeed()
)

// content returns the message number seq of a writer.
func content(side, writer, seq int, typ conn.MessageType, size int) []byte {
	p := make([]byte, 0, size+16)
	if size >= headSize {
		p = fmt.Appendf(p, "%c%c%05d ", '0'+writer, 'a'+side, seq)
	}
	x := uint64(seq+1)*0x9e3779b97f4a7c15 + uint64(side*writers+writer)
	random := typ == conn.Binary && seq%2 == 0 // else it can be compressed
	for len(p) < size {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		if random {
			p = append(p, byte(x), byte(x>>8), byte(x>>16), byte(x>>24), byte(x>>32))
			continue
		}
		word := words[x>>32%uint64(len(words))]
		if len(p)+len(word) > size {
			word = "x"
		}
		p = append(p, word...)
	}
	return p[:size]
}

// fate is what has become of a message as far as its writer was told.
type fate uint8

const (
	certain   fate = iota // it arrives if the connection is closed in good order
	queued                // so it does unless the peer closed: Send promises no more
	unknown               // the connection ended meanwhile
	forgotten             // it never arrives
)

// entry is a message in a ledger.
type entry struct {
	typ  conn.MessageType
	size int
	sum  uint64
	fate fate // of those that were sent
}

func entryOf(typ conn.MessageType, p []byte) entry {
	return entry{typ: typ, size: len(p), sum: maphash.Bytes(seed, p)}
}

func (e entry) same(f entry) bool { return e.typ == f.typ && e.size == f.size && e.sum == f.sum }

// ledger is what was sent in one direction, and what arrived.
type ledger struct {
	mu   sync.Mutex
	sent [writers][]entry
	got  [writers][]entry
}

// send notes what has become of a writer's next message.
func (l *ledger) send(writer int, e entry, f fate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.fate = f
	l.sent[writer] = append(l.sent[writer], e)
}

// arrive notes a message that was received, and returns whose it is.
func (l *ledger) arrive(typ conn.MessageType, p []byte) (writer int) {
	if len(p) >= headSize {
		writer = int(p[0]) - '0'
	}
	if writer < 0 || writer >= writers {
		writer = 0 // and there it will be found to be wrong
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got[writer] = append(l.got[writer], entryOf(typ, p))
	return writer
}

// demand is how much has to have arrived.
type demand uint8

const (
	prefix     demand = iota // nothing in particular, but in order and without gaps
	written                  // all whose Write returned nil
	everything               // all whose Send returned nil, too
)

// check compares what arrived with what was sent.
func (l *ledger) check(d demand) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for w := range writers {
		if err := compare(l.sent[w], l.got[w], d); err != nil {
			return fmt.Errorf("writer %d: %w", w, err)
		}
	}
	return nil
}

func compare(sent, got []entry, d demand) error {
	var want []entry
	for _, e := range sent {
		if e.fate != forgotten {
			want = append(want, e)
		}
	}
	for i, e := range got {
		if i < len(want) && want[i].same(e) {
			continue
		}
		return fmt.Errorf("%s: message %d of %d is %v of %d bytes; %d were sent", diagnose(sent, want[:min(i, len(want))], e), i, len(got), e.typ, e.size, len(want))
	}
	for i, e := range want[len(got):] {
		if e.fate == certain && d >= written || e.fate == queued && d >= everything {
			return fmt.Errorf("lost: message %d of %d, %v of %d bytes, did not arrive", len(got)+i, len(want), e.typ, e.size)
		}
	}
	return nil
}

// diagnose says what is wrong with a message that is not the next one.
func diagnose(sent, before []entry, e entry) string {
	for _, b := range before {
		if b.same(e) {
			return "duplicated"
		}
	}
	for _, s := range sent {
		switch {
		case !s.same(e):
		case s.fate == forgotten:
			return "forgotten, but it arrived"
		default:
			return "lost or reordered"
		}
	}
	return "damaged"
}

func TestTheLedgerFindsWhatIsWrong(t *testing.T) {
	const size = 20
	for _, test := range []struct {
		name  string
		fates string // of messages 0, 1, …: certain, queued, unknown, forgotten
		got   string // numbers; x is a damaged one
		d     demand
		want  string // part of the error
	}{
		{"all is there", "ccc", "012", everything, ""},
		{"a lost message", "ccc", "02", prefix, "lost or reordered"},
		{"a lost message at the end", "ccc", "01", written, "lost"},
		{"the end may be missing after a fault", "ccc", "01", prefix, ""},
		{"a duplicated message", "ccc", "0112", prefix, "duplicated"},
		{"messages in another order", "ccc", "021", prefix, "lost or reordered"},
		{"a damaged message", "ccc", "0x2", prefix, "damaged"},
		{"a message more", "cc", "01x", prefix, "damaged"},
		{"a forgotten message that did not arrive", "cfc", "02", everything, ""},
		{"a forgotten message that arrived", "cfc", "012", prefix, "forgotten"},
		{"what was under way at the end may arrive", "ccu", "012", everything, ""},
		{"what was under way at the end may be missing", "ccu", "01", everything, ""},
		{"queued messages that a peer did not wait for", "ccq", "01", written, ""},
		{"queued messages that have to arrive", "ccq", "01", everything, "lost"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var l ledger
			for i, f := range test.fates {
				l.send(1, entryOf(conn.Text, content(0, 1, i, conn.Text, size)), fate(strings.IndexRune("cquf", f)))
			}
			for _, n := range test.got {
				p := content(0, 1, int(n-'0'), conn.Text, size)
				if n == 'x' {
					p[size-1]++
				}
				l.arrive(conn.Text, p)
			}
			err := l.check(test.d)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}
