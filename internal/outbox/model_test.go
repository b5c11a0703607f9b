package outbox

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/deflate"
	"github.com/seed-c4549abd/wss/mask"
)

// model is an outbox that is slow and obvious: lists of frames, each with its bytes.
type model struct {
	key       int // bytes of a masking key in each frame
	options   Options
	buffer    []item
	queue     []item
	pong      []byte
	hasPong   bool
	streaming bool
	held      bool  // the queue waits
	closed    bool  // nothing may be appended
	close     *item // waits for the queue
	sent      []item
	counts    Counts
}

// item is a frame.
type item struct {
	opcode  frame.Opcode
	payload string
	size    int    // bytes that it takes
	latest  string // its key, in the queue
	raw     int    // of the queue: bytes that it takes uncompressed as a server sends it, which is what limits count
	end     int64  // position behind it, as Append returned it
}

func (m *model) item(op frame.Opcode, payload string) item {
	h := frame.Header{Opcode: op, Length: int64(len(payload))}
	return item{opcode: op, payload: payload, size: h.Size() + len(payload) + m.key}
}

func total(items []item) (n int) {
	for _, i := range items {
		n += i.size
	}
	return n
}

func raw(items []item) (n int) {
	for _, i := range items {
		n += i.raw
	}
	return n
}

func (m *model) add(i item) {
	m.buffer = append(m.buffer, i)
	if i.opcode.IsControl() {
		m.counts.Control++
	}
}

func (m *model) countMessage(n, by int) {
	m.counts.Messages += int64(by)
	m.counts.Payload += int64(by * n)
}

func (m *model) appendError(size int) error {
	switch n := total(m.buffer); {
	case m.closed:
		return ErrClosed
	case m.streaming:
		return ErrStreaming
	case len(m.queue) > 0, n > 0 && n+size > Capacity:
		m.held = false
		return ErrFull
	}
	return nil
}

// depth is what waits for the peer. A queued message counts as a server sends it.
func (m *model) depth() int { return total(m.buffer) + raw(m.queue) }

func (m *model) enqueue(i item, unsent int, offered bool) error {
	size := i.raw
	if m.closed {
		return ErrClosed
	}
	if i.latest == "" {
		m.held = false
	}
	full := func() bool {
		d := m.depth() + unsent
		for _, q := range m.queue {
			if i.latest != "" && q.latest == i.latest {
				d -= q.raw
			}
		}
		return d > 0 && int64(d+size) > m.options.QueueLimit
	}
	replace := func() bool {
		for n, q := range m.queue {
			if i.latest != "" && q.latest == i.latest {
				m.counts.Replaced++
				m.countMessage(len(q.payload), -1)
				m.countMessage(len(i.payload), +1)
				m.queue[n] = i
				return true
			}
		}
		return false
	}
	if full() {
		if !offered {
			return ErrOffer
		}
		switch m.options.WhenFull {
		case BlockWhenFull:
			m.held = false
			return ErrWait
		case ReplaceWhenFull:
			for len(m.queue) > 0 && full() {
				m.counts.Dropped++
				m.countMessage(len(m.queue[0].payload), -1)
				m.queue = m.queue[1:]
			}
			if replace() {
				return nil
			}
			m.countMessage(len(i.payload), +1)
			m.queue = append(m.queue, i)
			return nil
		case CloseWhenFull:
			m.counts.Dropped++
			m.end(FullCode, FullReason, false)
		default:
			m.counts.Dropped++
		}
		return ErrQueueFull
	}
	if replace() {
		return nil
	}
	m.countMessage(len(i.payload), +1)
	if n := total(m.buffer); i.latest != "" || m.streaming || len(m.queue) > 0 || size > MaxCopied || n > 0 && n+size > Capacity {
		m.queue = append(m.queue, i)
	} else {
		m.add(i)
	}
	return nil
}

func (m *model) end(code frame.StatusCode, reason string, afterQueue bool) bool {
	if m.closed {
		return false
	}
	m.closed, m.held = true, false
	body, _ := frame.AppendClose(nil, code, reason)
	c := m.item(frame.Close, string(body))
	if afterQueue && !m.streaming && len(m.queue) > 0 {
		m.close = &c
		return true
	}
	m.dropQueue()
	m.add(c)
	return true
}

func (m *model) dropQueue() {
	for _, i := range m.queue {
		m.counts.Dropped++
		m.countMessage(len(i.payload), -1)
	}
	m.queue = nil
}

// collect moves what one call of Collect takes to sent, and reports whether more is left for another.
func (m *model) collect() (more bool) {
	if m.hasPong && !m.closed {
		m.add(m.item(frame.Pong, string(m.pong)))
	}
	m.hasPong = false
	for len(m.queue) > 0 && !m.streaming && !m.held {
		i, n := m.queue[0], total(m.buffer)
		if n > 0 && n+i.raw > Capacity {
			break
		}
		m.queue = m.queue[1:]
		m.buffer = append(m.buffer, i)
		if n == 0 && i.raw > MaxCopied {
			m.sent, m.buffer = append(m.sent, m.buffer...), nil
			return len(m.queue) > 0 || m.close != nil
		}
	}
	if len(m.queue) == 0 && m.close != nil {
		m.add(*m.close)
		m.close = nil
	}
	m.sent, m.buffer = append(m.sent, m.buffer...), nil
	return len(m.queue) > 0 && !m.streaming && !m.held
}

// program runs operations against an outbox and the model, side by side. Two bytes are one operation.
type program struct {
	t       testing.TB
	o       Outbox
	m       *model
	inflate deflate.Decompressor
	last    Entry
	wire    []byte // what was collected
	lost    int64  // bytes that were appended, and dropped before they were collected
	n       int    // operations
}

// Kinds of compression.
const (
	uncompressed = iota
	noTakeover
	takeover
)

func newProgram(t testing.TB, setup byte) *program {
	role := frame.Role(setup & 1)
	kind := int(setup>>1&3) % 3
	options := &Options{QueueLimit: 100_000, WhenFull: Policy(setup >> 3 & 3), Threshold: 100}
	m := &model{options: *options}
	if role == frame.Client {
		m.key = 4
	}
	var c *deflate.Compressor
	if kind != uncompressed {
		c = &deflate.Compressor{NoTakeover: kind == noTakeover}
	}
	p := &program{t: t, o: New(role, options, c, nil), m: m}
	p.inflate = deflate.Decompressor{NoTakeover: kind == noTakeover}
	return p
}

// payload is different for each operation, so that any change of the order shows.
func (p *program) payload(arg byte) string {
	sizes := [...]int{0, 1, 8, 125, 126, 1000, 5000, 16_000, 16_380, MaxCopied, MaxCopied + 1, 40_000, 65_536, 90_000}
	text := fmt.Sprintf("%d and so on ", p.n)
	n := sizes[int(arg)%len(sizes)]
	return string(bytes.Repeat([]byte(text), n/len(text)+1)[:n])
}

func (p *program) short(arg byte) string { s := p.payload(arg); return s[:min(len(s), MaxCopied)] }

func (p *program) same(what string, got, want any) {
	p.t.Helper()
	if got != want {
		p.t.Fatalf("operation %d, %s: %v, want %v", p.n, what, got, want)
	}
}

func (p *program) step(op, arg byte) {
	p.n++
	o, m := &p.o, p.m
	switch op % 16 {
	case 0, 1, 2:
		text := p.short(arg)
		i := m.item(frame.Text, text)
		before := o.End()
		e, err := o.Append(frame.Text, []byte(text), op&16 != 0)
		p.same("Append", err, m.appendError(i.size))
		if err == nil {
			i.size, i.end = int(o.End()-before), e.End // it may be compressed
			m.add(i)
			m.countMessage(len(text), +1)
			p.last = e
		}
	case 3:
		got := o.Retract(p.last)
		possible := len(m.buffer) > 0 && m.buffer[len(m.buffer)-1].end == p.last.End && p.last.End != 0 && !m.closed
		if p.last.size != 0 || !possible { // else the compressor's window holds it
			p.same("Retract", got, possible)
		}
		if got {
			i := m.buffer[len(m.buffer)-1]
			m.buffer = m.buffer[:len(m.buffer)-1]
			m.countMessage(len(i.payload), -1)
			p.last = Entry{} // its writer takes it back once
		}
	case 4:
		end, err := o.Control(frame.Ping, []byte{arg})
		p.same("Control", err != nil, m.closed)
		if err == nil {
			p.same("its position", end, o.End())
			m.add(m.item(frame.Ping, string([]byte{arg})))
		}
	case 5:
		text := p.payload(arg % 4)
		stuck := op&16 != 0
		_, err := o.Pong([]byte(text), stuck)
		p.same("Pong", err != nil, m.closed)
		if n := total(m.buffer) + len(text) + frame.MaxHeaderSize; err == nil && (m.hasPong || stuck && n > pongsAheadStuck || n > Capacity) {
			m.pong, m.hasPong = []byte(text), true
		} else if err == nil {
			m.add(m.item(frame.Pong, text))
		}
	case 6, 7, 8:
		text := p.payload(arg)
		var msg Message
		msg.Init(frame.Binary, []byte(text), op&16 != 0)
		o.Encode(&msg)
		i := m.item(frame.Binary, text)
		i.raw = i.size - m.key
		b, _ := msg.frameFor(o.deflate, o.options.Threshold)
		i.size = len(b) + m.key
		i.latest = [...]string{"", "a", "b", ""}[op>>6]
		err := o.Enqueue(&msg, i.latest, int64(arg)*200, op&32 != 0)
		p.same("Enqueue", err, m.enqueue(i, int(arg)*200, op&32 != 0))
	case 9:
		if arg%8 == 0 { // not too often
			p.same("Close", o.Close(1000, "over", op&16 != 0), m.end(1000, "over", op&16 != 0))
		}
	case 10:
		err := o.BeginStream()
		p.same("BeginStream", err == nil, !m.closed && len(m.queue) == 0)
		m.held = m.held && (err != ErrFull)
		m.streaming = m.streaming || err == nil
	case 11:
		p.same("EndStream", o.EndStream(), len(m.queue) > 0)
		m.streaming = false
	case 12:
		if arg%64 == 0 {
			o.Drop()
			m.closed, m.held = true, false
			p.lost += int64(total(m.buffer))
			m.buffer, m.close, m.hasPong = nil, nil, false
			m.dropQueue()
		}
	case 13:
		p.collectOnly(arg)
	case 15:
		if arg%2 == 0 {
			o.Hold()
			m.held = !m.closed
		} else {
			p.same("Release", o.Release(), m.held && len(m.queue) > 0)
			m.held = false
		}
	default:
		p.collect()
	}
	p.same("Len", o.Len(), int64(m.depth()))
}

// collectOnly collects a prepared message, if nothing else has to be collected first.
func (p *program) collectOnly(arg byte) {
	text := p.payload(arg)
	var msg Message
	msg.Init(frame.Binary, []byte(text), false)
	b, err := p.o.CollectOnly(&msg)
	var want error
	switch m := p.m; {
	case m.closed:
		want = ErrClosed
	case m.streaming:
		want = ErrStreaming
	case len(m.buffer)+len(m.queue) > 0, m.hasPong:
		want = ErrFull
		m.held = false
	}
	p.same("CollectOnly", err, want)
	if err != nil {
		return
	}
	i := p.m.item(frame.Binary, text)
	i.raw = i.size - p.m.key
	encoded, _ := msg.frameFor(p.o.deflate, p.o.options.Threshold)
	i.size = len(encoded) + p.m.key
	p.m.countMessage(len(text), +1)
	p.m.queue = append(p.m.queue, i)
	p.m.collect()
	p.collected(b, false)
}

// collect collects one batch.
func (p *program) collect() {
	b := p.o.Collect()
	p.collected(b, p.m.collect())
}

// collected compares a batch with the model's, and keeps it.
func (p *program) collected(b Batch, more bool) {
	p.same("More", b.More, more)
	p.same("Begin", p.o.Begin(), p.o.End())
	p.same("End", b.End, p.o.End())
	p.same("End", b.End, int64(total(p.m.sent))+p.lost)
	p.wire = append(p.wire, b.Frames...)
	bufpool.Put(b.Frames)
	p.same("Masked", b.Masked, p.m.key > 0 && len(b.Long) > 0)
	if len(b.Long) == 0 {
		return
	}
	if !b.Masked {
		p.wire = append(p.wire, b.Long...)
		return
	}
	var h frame.Header
	n, _ := h.Parse(b.Long)
	h.Masked, h.Key = true, b.Key
	p.wire = h.Append(p.wire)
	at := len(p.wire)
	p.wire = append(p.wire, b.Long[n:]...)
	mask.XOR(p.wire[at:], h.Key, 0)
}

// compare parses what was collected, and compares it with what the model has sent.
func (p *program) compare() {
	var got []item
	for b := p.wire; len(b) > 0; {
		var h frame.Header
		n, err := h.Parse(b)
		if err != nil || n == 0 || int64(len(b)-n) < h.Length {
			p.t.Fatalf("%d bytes are no whole frame: %v", len(b), err)
		}
		p.same("masked", h.Masked, p.m.key > 0)
		payload := slices.Clone(b[n : n+int(h.Length)])
		if h.Masked {
			mask.XOR(payload, h.Key, 0)
		}
		if h.RSV != 0 {
			if payload, err = p.inflate.Append(nil, payload, true); err != nil {
				p.t.Fatal(err)
			}
		}
		got = append(got, item{opcode: h.Opcode, payload: string(payload)})
		b = b[n+int(h.Length):]
	}
	for i := range max(len(got), len(p.m.sent)) {
		if i >= len(got) || i >= len(p.m.sent) || got[i].opcode != p.m.sent[i].opcode || got[i].payload != p.m.sent[i].payload {
			p.t.Fatalf("of %d frames, %d in the model, frame %d differs", len(got), len(p.m.sent), i)
		}
	}
	for i, f := range got {
		if f.opcode == frame.Close && i != len(got)-1 {
			p.t.Fatal("something follows the close frame")
		}
	}
	counts := p.o.Counts()
	counts.Encoded = 0
	p.same("Counts", counts, p.m.counts)
}

// run is the fuzz target: the first byte sets up an outbox, and each two bytes are an operation.
func run(t testing.TB, data []byte) {
	if len(data) == 0 {
		return
	}
	p := newProgram(t, data[0])
	defer p.o.Drop()
	for data = data[1:]; len(data) >= 2; data = data[2:] {
		p.step(data[0], data[1])
	}
	p.o.EndStream()
	p.o.Release()
	p.m.streaming, p.m.held = false, false
	for more := true; more; {
		p.collect()
		more = !p.o.Empty()
	}
	p.compare()
}

// FuzzOutbox runs random operations against the model: order, limits, policies, nothing behind a close frame, and what
// was taken back.
func FuzzOutbox(f *testing.F) {
	f.Add([]byte{0, 0, 1, 4, 7, 14, 0, 6, 12, 6, 13, 9, 0, 0, 0, 14, 0})
	f.Add([]byte{1, 16, 5, 3, 0, 6, 11, 0, 3, 14, 0, 26, 0, 13, 11})
	f.Add([]byte{0, 6, 11, 15, 0, 4, 0, 14, 0, 70, 3, 14, 0, 15, 1, 14, 0})
	f.Add([]byte{11, 10, 0, 6, 3, 0, 3, 11, 0, 14, 0, 13, 3, 12, 64})
	f.Fuzz(func(t *testing.T, data []byte) { run(t, data[:min(len(data), 2000)]) })
}

// TestRandomOperations is the same with random bytes.
func TestRandomOperations(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 0))
		data := make([]byte, 1+2*r.IntN(60))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		data[0] = byte(seed)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { run(t, data) })
	}
}
