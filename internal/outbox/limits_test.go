package outbox

import (
	"bytes"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/deflate"
)

// fill appends until n bytes are buffered.
func fill(t *testing.T, o *Outbox, n int) {
	t.Helper()
	for left := n - int(o.Len()); left > 0; left = n - int(o.Len()) {
		size := min(left, 4+MaxCopied)
		if left-size > 0 && left-size < 130 {
			size -= 200 // the last one is not to be too short for its header
		}
		if _, err := o.Append(frame.Binary, make([]byte, size-4), false); err != nil {
			t.Fatal(err)
		}
	}
	if o.Len() != int64(n) {
		t.Fatalf("%d bytes, want %d", o.Len(), n)
	}
}

// TestLimitsAreExact: what reaches a limit is taken, and one byte more is not.
func TestLimitsAreExact(t *testing.T) {
	for _, tt := range []struct {
		name    string
		before  int // bytes that are buffered
		takes   func(o *Outbox, more int) bool
		atLimit bool
	}{
		{"a message fills the buffer", Capacity - 1004, func(o *Outbox, more int) bool {
			_, err := o.Append(frame.Text, make([]byte, 1000+more), false)
			return err == nil
		}, true},
		{"a prepared message fills the buffer", Capacity - 1004, func(o *Outbox, more int) bool {
			n := o.End()
			_ = o.Enqueue(message(string(make([]byte, 1000+more))), "", 0, false)
			return o.End() > n
		}, true},
		{"a prepared message reaches the limit of the queue", 1000, func(o *Outbox, more int) bool {
			return o.Enqueue(message(string(make([]byte, 996))), "", 98_000+int64(more), false) == nil
		}, true},
		{"a prepared message may be copied", 0, func(o *Outbox, more int) bool {
			_ = o.Enqueue(message(string(make([]byte, MaxCopied-4+more))), "", 0, false)
			return o.Begin() < o.End()
		}, true},
		{"a prepared message may be passed", 0, func(o *Outbox, more int) bool {
			b, _ := o.CollectAlone(message(string(make([]byte, MaxCopied-4+more))))
			return b != nil
		}, true},
		{"a pong is buffered", Capacity - 100 - frame.MaxHeaderSize, func(o *Outbox, more int) bool {
			n := o.End()
			_, _ = o.Pong(make([]byte, 100+more), false)
			return o.End() > n
		}, true},
		{"a pong is buffered although the peer is stuck", pongsAheadStuck - 100 - frame.MaxHeaderSize, func(o *Outbox, more int) bool {
			n := o.End()
			_, _ = o.Pong(make([]byte, 100+more), true)
			return o.End() > n
		}, true},
		{"pongs need not be sent", pongsAhead - 102, func(o *Outbox, more int) bool {
			send, _ := o.Pong(make([]byte, 100+more), false)
			return !send
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for more, want := range []bool{tt.atLimit, false} {
				o := server(100_000, CloseWhenFull)
				fill(t, &o, tt.before)
				if got := tt.takes(&o, more); got != want {
					t.Errorf("%d more than the limit: %v", more, got)
				}
				o.Drop()
			}
		})
	}
}

// TestQueuedMessagesThatFillTheBufferAreCollectedTogether, and one byte more waits for the next batch.
func TestQueuedMessagesThatFillTheBufferAreCollectedTogether(t *testing.T) {
	for more, want := range []int{Capacity, Capacity - (4 + 10_000)} {
		o := server(1<<20, CloseWhenFull)
		_ = o.BeginStream() // so that all of them are queued
		for left := Capacity; left > 0; {
			n := min(left, 10_004)
			if left-n < 200 {
				n = left
			}
			payload := n - 4
			if left == n {
				payload += more
			}
			if err := o.Enqueue(message(string(make([]byte, payload))), "", 0, false); err != nil {
				t.Fatal(err)
			}
			left -= n
		}
		o.EndStream()
		b := o.Collect()
		if more == 0 && len(b.Frames) != want || more == 1 && (len(b.Frames) >= Capacity || !b.More) {
			t.Errorf("%d bytes more: %d collected, more %v", more, len(b.Frames), b.More)
		}
		bufpool.Put(b.Frames)
		o.Drop()
	}
}

// TestAMessageThatIsTakenBackKeepsNoBuffer: what is collected after it, a long message by itself, would not return one.
func TestAMessageThatIsTakenBackKeepsNoBuffer(t *testing.T) {
	bufpool.Track(true)
	defer bufpool.Track(false)
	o := server(1<<20, CloseWhenFull)
	e, err := o.Append(frame.Text, []byte("taken back"), false)
	if err != nil || !o.Retract(e) {
		t.Fatalf("%v", err)
	}
	if err := o.Enqueue(message(strings.Repeat("x", 2*MaxCopied)), "", 0, false); err != nil {
		t.Fatal(err)
	}
	if b := o.Collect(); len(b.Long) == 0 || b.Frames != nil {
		t.Errorf("%d bytes of a long message, and a buffer of %d bytes", len(b.Long), cap(b.Frames))
	}
	o.Drop()
	if n := bufpool.Outstanding(); n != 0 {
		t.Errorf("%d buffers are not returned\n%s", n, bufpool.Holders())
	}
}

// TestPassRefusesWhatHasToWait, and what a client would have to mask.
func TestPassRefusesWhatHasToWait(t *testing.T) {
	m := message("hello")
	for name, prepare := range map[string]func(o *Outbox){
		"nothing":                nil,
		"a message":              func(o *Outbox) { _, _ = o.Append(frame.Text, nil, false) },
		"a queue":                func(o *Outbox) { _ = o.Enqueue(message(strings.Repeat("x", 20_000)), "", 0, false) },
		"a message in fragments": func(o *Outbox) { _ = o.BeginStream() },
		"a close frame":          func(o *Outbox) { o.Close(1000, "", false) },
	} {
		o := server(1<<20, CloseWhenFull)
		if prepare != nil {
			prepare(&o)
		}
		before := o.End()
		b, end := o.CollectAlone(m)
		if passed := b != nil; passed != (prepare == nil) || passed && (string(b) != "\x82\x05hello" || end != before+7) {
			t.Errorf("behind %s: %q, %d", name, b, end)
		}
		o.Drop()
	}
	client := New(frame.Client, &Options{QueueLimit: 1 << 20}, nil, nil)
	if b, _ := client.CollectAlone(m); b != nil {
		t.Error("a client sends an unmasked frame")
	}
}

// TestAFrameThatIsSentWithoutCopying has a key if this is a client, and is counted.
func TestAFrameThatIsSentWithoutCopying(t *testing.T) {
	for _, role := range []frame.Role{frame.Server, frame.Client} {
		o := New(role, &Options{}, nil, nil)
		h := frame.Header{Fin: true, Opcode: frame.Binary, Length: 1000}
		size := o.FrameSize(&h)
		if err := o.StartFrame(&h); err != nil {
			t.Fatal(err)
		}
		o.CountMessage(2000)
		if h.Masked != (role == frame.Client) || size != h.Size()+1000 || o.FrameSize(&h) != size {
			t.Errorf("role %v: %+v, %d bytes", role, h, size)
		}
		if c := o.Counts(); c.Messages != 1 || c.Payload != 2000 || c.Encoded != 1000 {
			t.Errorf("%+v", c)
		}
	}
}

// TestAResponseIsSentFirst.
func TestAResponseIsSentFirst(t *testing.T) {
	o := New(frame.Server, &Options{}, nil, []byte("HTTP/1.1 101 …"))
	n := o.End()
	if _, err := o.Append(frame.Text, []byte("hi"), false); err != nil {
		t.Fatal(err)
	}
	b := o.Collect()
	if string(b.Frames) != "HTTP/1.1 101 …\x81\x02hi" || b.End != n+4 || n != int64(len("HTTP/1.1 101 …")) {
		t.Errorf("%q, %d", b.Frames, b.End)
	}
	bufpool.Put(b.Frames)
	if o := New(frame.Server, &Options{}, nil, nil); !o.Empty() || o.End() != 0 {
		t.Error("without a response there is something to send")
	}
}

// TestTheWindowOutlivesAStream, and does not outlive the connection.
func TestTheWindowOutlivesAStream(t *testing.T) {
	c := new(deflate.Compressor)
	o := New(frame.Server, &Options{}, c, nil)
	payload := make([]byte, 1000)
	for i := range payload {
		payload[i] = byte(i*i*7 + i>>3)
	}
	size := func() int64 {
		before := o.End()
		if _, err := o.Append(frame.Binary, payload, true); err != nil {
			t.Fatal(err)
		}
		return o.End() - before
	}
	first := size()
	_ = o.BeginStream()
	o.EndStream()
	if again := size(); again > first/4 {
		t.Errorf("%d bytes, and %d again: the window is gone", first, again)
	}
	_ = o.BeginStream()
	var h frame.Header
	o.Drop()
	payload, scratch := o.CompressFragment(&h, payload) // by whoever streams, who does not know of the end yet
	if len(payload) > 100 {
		t.Errorf("%d bytes: the window is gone while a message is being streamed", len(payload))
	}
	bufpool.Put(scratch)
	o.EndStream()
}

// TestRSV1IsOnFirstFragmentsOnly (RFC 7692 §6.1).
func TestRSV1IsOnFirstFragmentsOnly(t *testing.T) {
	o := New(frame.Server, &Options{}, &deflate.Compressor{}, nil)
	for _, h := range []frame.Header{{Opcode: frame.Text}, {Opcode: frame.Continuation}, {Fin: true, Opcode: frame.Continuation}} {
		op := h.Opcode
		payload, scratch := o.CompressFragment(&h, []byte("a part"))
		if (h.RSV == frame.RSV1) != (op != frame.Continuation) || h.Length != int64(len(payload)) {
			t.Errorf("opcode %v: %+v", op, h)
		}
		bufpool.Put(scratch)
	}
	o.Drop()
}

// TestMessagesAreCompressedFromTheThreshold, at the level that was chosen, or at messageLevel.
func TestMessagesAreCompressedFromTheThreshold(t *testing.T) {
	var text strings.Builder
	for i := range 3000 {
		text.WriteString([]string{"one ", "two ", "three ", "four "}[i*i>>2&3])
	}
	encoded := func(level, threshold int, payload string) []byte {
		m := message(payload)
		b, _ := m.frameFor(&deflate.Compressor{Level: level}, threshold)
		return b
	}
	n := text.Len()
	if b := encoded(0, n, text.String()); len(b) >= n {
		t.Error("a message of the threshold's size is not compressed")
	}
	if b := encoded(0, n+1, text.String()); len(b) < n {
		t.Error("a shorter message is compressed")
	}
	if !bytes.Equal(encoded(0, 1, text.String()), encoded(messageLevel, 1, text.String())) {
		t.Error("without a level it is not messageLevel")
	}
	if bytes.Equal(encoded(1, 1, text.String()), encoded(9, 1, text.String())) {
		t.Error("levels 1 and 9 are the same")
	}
	if new(Message).Valid() || !message("").Valid() {
		t.Error("Valid")
	}
}
