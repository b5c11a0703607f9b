package outbox

import (
	"bytes"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/deflate"
)

func message(payload string) *Message {
	m := new(Message)
	m.Init(frame.Binary, []byte(payload), false)
	return m
}

func server(limit int64, full Policy) Outbox {
	return New(frame.Server, &Options{QueueLimit: limit, WhenFull: full}, nil, nil)
}

// everything that may append, and what it returns behind a close frame.
var everything = []struct {
	name  string
	tries func(o *Outbox) error
}{
	{"a message", func(o *Outbox) error { _, err := o.Append(frame.Text, []byte("late"), false); return err }},
	{"a compressed message", func(o *Outbox) error {
		_, err := o.Append(frame.Text, []byte(strings.Repeat("late", 100)), true)
		return err
	}},
	{"a prepared message", func(o *Outbox) error { return o.Enqueue(message("late"), "", 0, true) }},
	{"a long prepared message", func(o *Outbox) error { return o.Enqueue(message(strings.Repeat("late", 10_000)), "", 0, true) }},
	{"a prepared message at once", func(o *Outbox) error {
		if b, _ := o.CollectAlone(message("late")); b == nil {
			return ErrClosed
		}
		return nil
	}},
	{"a ping", func(o *Outbox) error { _, err := o.Control(frame.Ping, nil); return err }},
	{"a pong", func(o *Outbox) error { _, err := o.Pong(nil, false); return err }},
	{"a pong to a stuck peer", func(o *Outbox) error { _, err := o.Pong(bytes.Repeat([]byte("p"), 125), true); return err }},
	{"a frame that is sent without copying", func(o *Outbox) error { return o.StartFrame(&frame.Header{Fin: true, Opcode: frame.Binary}) }},
	{"a message in fragments", func(o *Outbox) error { return o.BeginStream() }},
	{"another close frame", func(o *Outbox) error {
		if o.Close(1000, "", true) {
			return nil
		}
		return ErrClosed
	}},
}

// TestNothingFollowsACloseFrame (RFC 6455 §5.5.1), whatever is tried and whatever was there before.
func TestNothingFollowsACloseFrame(t *testing.T) {
	long := message(strings.Repeat("x", 40_000))
	for before, prepare := range map[string]func(o *Outbox){
		"nothing":   func(*Outbox) {},
		"a message": func(o *Outbox) { _, _ = o.Append(frame.Text, []byte("early"), false) },
		"a queue":   func(o *Outbox) { _, _ = o.Enqueue(long, "", 0, true), o.Enqueue(long, "", 0, true) },
		"a pong that waits": func(o *Outbox) {
			_, _ = o.Control(frame.Ping, make([]byte, 125))
			_, _ = o.Pong(make([]byte, 125), true)
		},
		"a message in fragments": func(o *Outbox) {
			_ = o.BeginStream()
			_ = o.Enqueue(long, "", 0, true)
		},
	} {
		for _, afterQueue := range []bool{false, true} {
			for _, late := range everything {
				o := New(frame.Server, &Options{QueueLimit: 1 << 20}, &deflate.Compressor{}, nil)
				prepare(&o)
				if !o.Close(4000, "over", afterQueue) {
					t.Fatal("not closed")
				}
				if err := late.tries(&o); err != ErrClosed {
					t.Errorf("%s, then a close frame, then %s: %v", before, late.name, err)
				}
				var all []byte
				for !o.Empty() {
					b := o.Collect()
					all = append(append(all, b.Frames...), b.Long...)
					bufpool.Put(b.Frames)
				}
				if !bytes.HasSuffix(all, []byte("\x88\x06\x0f\xa0over")) || bytes.Contains(all, []byte("late")) {
					t.Errorf("%s, then a close frame, then %s: the end is %q", before, late.name, all[max(0, len(all)-20):])
				}
				o.Drop()
			}
		}
	}
}

// TestAfterTheEndNothingIsHeld, and nothing may be appended.
func TestAfterTheEndNothingIsHeld(t *testing.T) {
	for name, end := range map[string]func(o *Outbox){"Break": (*Outbox).Break, "Drop": (*Outbox).Drop} {
		o := server(1<<20, CloseWhenFull)
		_, _ = o.Append(frame.Text, []byte("early"), false)
		end(&o)
		for _, late := range everything {
			if err := late.tries(&o); err != ErrClosed {
				t.Errorf("%s, then %s: %v", name, late.name, err)
			}
		}
		o.Drop()
		if o.Len() != 0 || !o.Empty() {
			t.Errorf("%s: %d bytes are held", name, o.Len())
		}
	}
}

// TestWhatTheQueueDoesWhenItIsFull.
func TestWhatTheQueueDoesWhenItIsFull(t *testing.T) {
	for _, tt := range []struct {
		policy  Policy
		err     error
		closed  bool
		dropped int64
	}{
		{CloseWhenFull, ErrQueueFull, true, 3},
		{DropWhenFull, ErrQueueFull, false, 1},
		{BlockWhenFull, ErrWait, false, 0},
	} {
		o := server(100_000, tt.policy)
		long := message(strings.Repeat("x", 40_000))
		for range 2 {
			if err := o.Enqueue(long, "", 0, false); err != nil {
				t.Fatal(err)
			}
		}
		if err := o.Enqueue(long, "", 0, false); err != ErrOffer {
			t.Errorf("%v: %v before what waits was offered to the socket", tt.policy, err)
		}
		if err := o.Enqueue(long, "", 0, true); err != tt.err || o.Closed() != tt.closed || o.Counts().Dropped != tt.dropped {
			t.Errorf("%v: %v, closed %v, %d dropped", tt.policy, err, o.Closed(), o.Counts().Dropped)
		}
		o.Drop()
	}
	o := server(1, CloseWhenFull)
	if err := o.Enqueue(message("longer than the limit"), "", 0, false); err != nil {
		t.Errorf("an empty queue takes one message of any length: %v", err)
	}
	o.Drop()
}

// TestTheLatestPingOfAStuckPeerIsAnswered, an empty one too (RFC 6455 §5.5.3).
func TestTheLatestPingOfAStuckPeerIsAnswered(t *testing.T) {
	for _, latest := range []string{"latest", ""} {
		o := server(1<<20, CloseWhenFull)
		for range 10_000 {
			_, _ = o.Pong(bytes.Repeat([]byte("p"), 100), true)
		}
		_, _ = o.Pong([]byte(latest), true)
		if o.Len() > pongsAheadStuck {
			t.Errorf("a flood of pings costs %d bytes", o.Len())
		}
		b := o.Collect()
		if want := "\x8a" + string(rune(len(latest))) + latest; !bytes.HasSuffix(b.Frames, []byte(want)) {
			t.Errorf("the last of the answers is %q", b.Frames[len(b.Frames)-8:])
		}
		bufpool.Put(b.Frames)
	}
}

// TestAMessageIsCompressedOnce for all connections with the same parameters.
func TestAMessageIsCompressedOnce(t *testing.T) {
	m := message(strings.Repeat("again and ", 100))
	for range 3 {
		for _, bits := range []int{9, 15} {
			o := New(frame.Server, &Options{QueueLimit: 1 << 20}, &deflate.Compressor{WindowBits: bits}, nil)
			if err := o.Enqueue(m, "", 0, false); err != nil {
				t.Fatal(err)
			}
			if n := o.Len(); n > 100 {
				t.Errorf("%d bytes", n)
			}
			o.Drop()
		}
	}
	if n := len(*m.variants.Load()); n != 2 {
		t.Errorf("compressed %d times for two sets of parameters", n)
	}
}

// TestNothingIsAllocated by a message that is appended and collected.
func TestNothingIsAllocated(t *testing.T) {
	for _, role := range []frame.Role{frame.Server, frame.Client} {
		o := New(role, &Options{QueueLimit: 1 << 20}, nil, nil)
		payload, m := make([]byte, 1000), message("prepared")
		if n := testing.AllocsPerRun(100, func() {
			_, _ = o.Append(frame.Text, payload, false)
			_ = o.Enqueue(m, "", 0, false)
			b := o.Collect()
			bufpool.Put(b.Frames)
		}); n != 0 {
			t.Errorf("role %v: %v allocations", role, n)
		}
	}
}

// BenchmarkAppend is what a message costs on its way through the outbox.
func BenchmarkAppend(b *testing.B) {
	o := server(1<<20, CloseWhenFull)
	payload := make([]byte, 128)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = o.Append(frame.Text, payload, false)
		batch := o.Collect()
		bufpool.Put(batch.Frames)
	}
}

// TestWhereAControlFrameIsInsideACompressedMessage: between its fragments, whether they follow at once or not.
func TestWhereAControlFrameIsInsideACompressedMessage(t *testing.T) {
	o := server(1<<20, CloseWhenFull)
	for i, step := range []struct {
		h      frame.Header
		inside bool
	}{
		{frame.Header{Fin: true, Opcode: frame.Text, RSV: frame.RSV1}, false}, // whole
		{frame.Header{Opcode: frame.Text}, false},                             // a fragment, not compressed
		{frame.Header{}, false},
		{frame.Header{Fin: true}, false},
		{frame.Header{Opcode: frame.Binary, RSV: frame.RSV1}, true}, // a fragment, compressed
		{frame.Header{}, true},
		{frame.Header{Fin: true}, false},
	} {
		if err := o.StartFrame(&step.h); err != nil || o.InsideCompressed() != step.inside {
			t.Errorf("behind frame %d: inside is %v, %v", i, o.InsideCompressed(), err)
		}
	}
}
