package load

import (
	"bytes"

	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/bench/libs"
)

// unmask takes apart what a ring sends, as a server would see it.
func unmask(t *testing.T, sent []byte, step int) [][]byte {
	t.Helper()
	var all [][]byte
	var message []byte
	p := &frameParser{onData: func(_ bool, b []byte, end bool) error {
		message = append(message, b...)
		if end {
			all = append(all, bytes.Clone(message))
			message = message[:0]
		}
		return nil
	}}
	for sent = bytes.Clone(sent); len(sent) > 0; {
		n := min(step, len(sent))
		if _, err := p.feed(sent[:n]); err != nil {
			t.Fatal(err)
		}
		sent = sent[n:]
	}
	return all
}

func TestRingsSayThePayloadsInOrderRoundAfterRound(t *testing.T) {
	for _, size := range []int{0, 1, 125, 126, 65535, 65536} {
		payloads := Payloads(3, size)
		r := NewRing(payloads, false, 4)
		for i := range uint64(7) {
			got := unmask(t, r.frames(i, 4), 1000)
			for k := range 4 {
				if want := payloads[(int(i)+k)%3]; !bytes.Equal(got[k], want) || !bytes.Equal(r.payload(i+uint64(k)), want) {
					t.Fatalf("size %d: message %d is wrong", size, int(i)+k)
				}
			}
		}
	}
}

func TestMasksAndPayloadsDiffer(t *testing.T) {
	r := RingFor(32, 64)
	a, b := r.frames(0, 1), r.frames(1, 1)
	if bytes.Equal(a[2:6], b[2:6]) || bytes.Equal(r.payload(0), r.payload(1)) {
		t.Error("two frames have the same key or payload")
	}
}

func TestFramesMayArriveInAnyPieces(t *testing.T) {
	payloads := [][]byte{[]byte("one"), {}, bytes.Repeat([]byte("x"), 300), bytes.Repeat([]byte("y"), 70000)}
	for _, step := range []int{1, 2, 7, 4096, 1 << 20} {
		got := unmask(t, NewRing(payloads, true, 1).frames(0, 4), step)
		if len(got) != 4 || !bytes.Equal(got[3], payloads[3]) {
			t.Errorf("step %d: %d messages", step, len(got))
		}
	}
}

func TestFragmentsMakeOneMessageAndPingsAreSeen(t *testing.T) {
	pings := 0
	p := &frameParser{every: 1, want: func(uint64) []byte { return []byte("hello") }, onControl: func(op byte, b []byte) error {
		if op == opPing && string(b) == "!" {
			pings++
		}
		return nil
	}}
	n, err := p.feed([]byte("\x01\x02he\x89\x01!\x80\x03llo\x81\x05hello"))
	if n != 2 || err != nil || pings != 1 {
		t.Errorf("%d messages, %d pings, %v", n, pings, err)
	}
}

func TestWrongRepliesAreFound(t *testing.T) {
	for name, reply := range map[string]string{
		"other content":  "\x81\x05hallo",
		"too short":      "\x81\x04hell",
		"too long":       "\x81\x06hello!",
		"reserved":       "\x83\x05hello",
		"no message":     "\x80\x05hello",
		"within another": "\x01\x02he\x81\x05hello",
	} {
		p := &frameParser{every: 1, want: func(uint64) []byte { return []byte("hello") }}
		if _, err := p.feed([]byte(reply)); err == nil {
			t.Errorf("%s: taken for right", name)
		}
	}
}

func TestBareEchoesAreCountedByBytes(t *testing.T) {
	r := RingFor(32, 4)
	p := &byteParser{ring: r, every: 1}
	sent := bytes.Clone(r.frames(0, 4))
	n, err := p.feed(sent[:r.frameSize()+1])
	if n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if n, err = p.feed(sent[r.frameSize()+1:]); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	if _, err := p.feed(sent[:1]); err != nil {
		t.Fatal(err) // the headers are the same
	}
	if _, err := p.feed(bytes.Repeat([]byte{'x'}, r.frameSize())); err == nil {
		t.Error("other bytes were taken for the echo")
	}
}

func TestAgreementsAreRead(t *testing.T) {
	for value, want := range map[string]agreement{
		"permessage-deflate":                              {bits: 15},
		"permessage-deflate; client_max_window_bits=12":   {bits: 12},
		`permessage-deflate; client_max_window_bits="9"`:  {bits: 9},
		"permessage-deflate; client_no_context_takeover ": {bits: 15, alone: true},
	} {
		got, err := agreed("HTTP/1.1 101 Switching Protocols\r\nsec-websocket-extensions: " + value + "\r\n\r\n")
		if got != want || err != nil {
			t.Errorf("%s: %+v, %v", value, got, err)
		}
	}
	if _, err := agreed("HTTP/1.1 101 Switching Protocols\r\n\r\n"); err == nil {
		t.Error("no compression was taken for an agreement")
	}
}

func TestCompressedRingsInflateForEver(t *testing.T) {
	messages := Orders(80, 1024) // more than 64 KiB in all
	rings := NewRings(messages, 4)
	for _, a := range []agreement{{bits: 15}, {bits: 12}, {bits: 15, alone: true}} {
		r, err := rings.compress(a)
		if err != nil {
			t.Fatal(err)
		}
		inf := &inflater{ring: r, alone: a.alone}
		p := &frameParser{onData: inf.data}
		for i := range uint64(3*80 + 5) {
			if _, err := p.feed(bytes.Clone(r.frames(i, 1))); err != nil {
				t.Fatalf("%+v: %v", a, err)
			}
		}
		if len(r.frames(0, 1)) < len(r.frames(85, 1)) && !a.alone {
			t.Errorf("%+v: the second pass does not profit from the context", a)
		}
	}
}

func TestSinksAnswerTheKeyOfTheRFC(t *testing.T) {
	got := response("GET / HTTP/1.1\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if !strings.Contains(got, acceptKey) {
		t.Error(got)
	}
}

func TestServersFramesAreCounted(t *testing.T) {
	frame := libs.AppendFrame(nil, bytes.Repeat([]byte("z"), 256))
	p := &frameParser{every: 1, want: func(uint64) []byte { return bytes.Repeat([]byte("z"), 256) }}
	if n, err := p.feed(append(bytes.Clone(frame), frame...)); n != 2 || err != nil {
		t.Error(n, err)
	}
}
