package fuzz

import (
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// dice turns the fuzzer's bytes into choices. When they are used up it rolls zeros.
type dice struct{ in []byte }

// roll returns a number below n, which is at most 256.
func (d *dice) roll(n int) int {
	if len(d.in) == 0 {
		return 0
	}
	b := d.in[0]
	d.in = d.in[1:]
	return int(b) % n
}

func pick[T any](d *dice, from ...T) T { return from[d.roll(len(from))] }

// schedule is a conversation as the input describes it.
type schedule struct {
	network network
	tls12   bool
	buffer  int  // bytes that a direction of the pipe holds
	slow    bool // pauses may be longer than closing takes
	sides   [2]plan
}

// network is how the two ends are connected.
type network uint8

const (
	plainPipe    network = iota
	tlsPipe              // TLS on our transport
	serverStream         // TLS without NewListener
	bothStreams          // the same at the client, too
	plainSocket
	tlsSocket
	networks
)

func (n network) socket() bool { return n == plainSocket || n == tlsSocket }
func (n network) secure() bool { return n != plainPipe && n != plainSocket }

// plan is what one side does.
type plan struct {
	limit       int64
	queue       int
	full        conn.FullPolicy
	ping, pong  time.Duration
	compression conn.Compression
	faults      faults

	receive receiving
	pace    time.Duration // before some of the messages
	chunk   int           // of a Reader
	writers [replier][]op

	ending ending
	after  time.Duration // of a Close in the middle
	code   conn.StatusCode
}

// receiving is how a side takes its messages.
type receiving uint8

const (
	byServe receiving = iota
	byGo
	byRead
	byImpatientRead // with contexts that end
	byReader
	byImpatientReader
	byReadInto
	byImpatientServe
	byMessages
	byCloseRead
	receivings
)

// takesAll reports whether messages that come while the side itself closes are
// received: a Read that comes too late finds them discarded.
func (r receiving) takesAll() bool { return r == byServe || r == byGo }

// ending is how a side ends the conversation.
type ending uint8

const (
	waits       ending = iota // it leaves that to the other
	closes                    // when its writers are done
	closesEarly               // in the middle of everything
	abandons                  // CloseNow, in the middle
	endings
)

// op is one thing that a writer does.
type op struct {
	kind   opKind
	typ    conn.MessageType
	size   int
	ctx    patience
	pieces int // of a stream; flushed is after which one comes a Flush
	wait   time.Duration
}

type opKind uint8

const (
	write opKind = iota
	writeUncompressed
	stream
	streamFlushed
	send
	sendUncompressed
	sendTwo
	cork
	uncork
	flush
	ping
	pause
	opKinds
)

// patience is the context of a call.
type patience uint8

const (
	endless   patience = iota
	alike              // the connection's own
	impatient          // it ends soon
	ended              // it has ended
	patiences
)

const mostOps = 40

// plot reads a schedule from the fuzzer's bytes.
func plot(in []byte) schedule {
	d := &dice{in}
	s := schedule{
		network: network(d.roll(int(networks))),
		buffer:  pick(d, 1<<16, 1<<12, 300, 1<<20),
	}
	flags := d.roll(256)
	s.tls12, s.slow = flags&1 != 0, flags&6 == 6
	mode := pick(d, conn.CompressionOff, conn.CompressionTakeover, conn.CompressionNoTakeover)
	for i := range s.sides {
		s.sides[i] = plotSide(d, mode, s.slow)
	}
	if f := [2]faults{s.sides[0].faults, s.sides[1].faults}; f[0].what == blackhole || f[1].what == blackhole {
		for i := range s.sides { // without keepalive nothing ends a connection to a peer that is not there
			s.sides[i].ping, s.sides[i].pong = 200*time.Millisecond, time.Second
		}
	}
	left := 1 << 20 // bytes of all messages
	for range mostOps {
		if len(d.in) == 0 || left < 0 {
			break
		}
		side, writer := d.roll(2), d.roll(replier)
		o := plotOp(d, s.sides[1-side].limit)
		if writer > 0 {
			o.size = max(o.size, headSize)
		}
		left -= o.size
		w := &s.sides[side].writers[writer]
		*w = append(*w, o)
	}
	return s
}

func plotSide(d *dice, mode conn.CompressionMode, slow bool) plan {
	p := plan{
		limit: pick[int64](d, 0, -1, 200_000, 66_000, 1000),
		queue: pick(d, 0, 1000, 20_000, 100_000),
		full:  pick(d, conn.BlockWhenFull, conn.CloseWhenFull, conn.DropWhenFull),
		ping:  pick[time.Duration](d, -1, 200*time.Millisecond),
		compression: conn.Compression{
			Mode: mode, Level: d.roll(10), WindowBits: pick(d, 0, 9, 15), Threshold: pick(d, 0, -1, 5000),
		},
		receive: receiving(d.roll(int(receivings))),
		pace:    pick(d, 0, time.Millisecond, 20*time.Millisecond),
		chunk:   pick(d, 4096, 1, 100, 1<<17),
		ending:  ending(d.roll(int(endings))),
		after:   time.Duration(d.roll(40)) * time.Millisecond,
		code:    pick[conn.StatusCode](d, 1000, 1001, 3000, 4999, 1011, conn.StatusNoStatus),
	}
	p.faults = faults{
		readMax: pick(d, 0, 1, 7, 600), writeMax: pick(d, 0, 3, 100, 1500),
		delay: pick(d, 0, time.Millisecond, 30*time.Millisecond),
	}
	if d.roll(3) == 2 {
		p.faults.at = 1 + int64(d.roll(256))*int64(pick(d, 1, 20, 400))
		p.faults.what = mishap(d.roll(int(mishaps)))
	}
	if slow {
		p.faults.delay, p.pace = 30*p.faults.delay, 30*p.pace
	}
	return p
}

func plotOp(d *dice, limit int64) op {
	o := op{
		kind: opKind(d.roll(int(opKinds))),
		typ:  pick(d, conn.Text, conn.Binary),
		size: pick(d, 0, 1, 7, 8, 40, 125, 126, 127, 600, 4096, 16384, 16385, 30_000, 65535, 65536, 65537, 140_000, -1, -2),
	}
	switch {
	case o.size >= 0:
	case limit > 0:
		o.size = int(limit) - 1 - o.size // the limit, and one more
	default:
		o.size = 99 - o.size
	}
	how := d.roll(256)
	o.ctx = [8]patience{endless, endless, endless, endless, alike, impatient, impatient, ended}[how%8]
	o.pieces = 1 + how/8%5
	o.wait = time.Duration(how/40) * 3 * time.Millisecond
	return o
}
