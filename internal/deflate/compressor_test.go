package deflate

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/internal/race"
)

// A message that went out uncompressed is not part of the context.
func TestAnAbandonedMessageLeavesTheContext(t *testing.T) {
	for i, s := range settings() {
		t.Run(s.String(), func(t *testing.T) {
			c, d := s.pair()
			r := source(uint64(i))
			for range rounds(50) {
				noise := random(r, 100+r.IntN(1000))
				if z, ok := c.Append(nil, noise); ok { // to prime the context
					if _, err := d.Append(nil, z, true); err != nil || s.noTakeover {
						t.Fatalf("noise was compressed, %v", err)
					}
					continue
				}
				p := append(jsonMessage(r, 300), noise...) // what it must not refer to
				z, ok := c.Append(nil, p)
				if !ok {
					continue
				}
				if got, err := d.Append(nil, z, true); err != nil || !bytes.Equal(got, p) {
					t.Fatalf("%v, or not the same", err)
				}
			}
		})
	}
}

func TestPiecesMakeOneMessage(t *testing.T) {
	for i, s := range settings() {
		t.Run(s.String(), func(t *testing.T) {
			c, d := s.pair()
			r := source(uint64(i))
			for range rounds(20) {
				var got, sent []byte
				for n := r.IntN(5); n >= 0; n-- {
					p := jsonMessage(r, r.IntN(3000))
					z := c.AppendPiece(nil, p, n == 0)
					sent = append(sent, p...)
					var err error
					if got, err = d.Append(got, z, n == 0); err != nil || !bytes.Equal(got, sent) {
						t.Fatalf("%v, or not the same", err)
					}
				}
			}
			if s.noTakeover && c.win.ring != nil {
				t.Error("a window is kept without context takeover")
			}
		})
	}
}

func TestAnEmptyMessageIsOneByte(t *testing.T) {
	var c Compressor
	if z, ok := c.Append(nil, nil); ok || len(z) > 0 {
		t.Errorf("compressing nothing saved something: %x", z)
	}
	if z := c.AppendPiece(nil, nil, true); !bytes.Equal(z, []byte{0}) { // RFC 7692 §7.2.3.6
		t.Errorf("an empty message is %x", z)
	}
	if z := c.AppendPiece(nil, nil, false); len(z) > 0 {
		t.Errorf("an empty piece is %x", z)
	}
	c.AppendPiece(nil, []byte("Hello"), false)
	if z := c.AppendPiece(nil, nil, true); !bytes.Equal(z, []byte{0}) {
		t.Errorf("an empty last piece is %x", z)
	}
}

func TestAppendWithinAMessagePanics(t *testing.T) {
	var c Compressor
	c.AppendPiece(nil, []byte("Hello"), false)
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	c.Append(nil, []byte("Hello"))
}

// A message compressed once, for receivers whose contexts differ.
func TestOneCompressionServesManyConnections(t *testing.T) {
	r := source(8)
	for _, bits := range []int{9, 12, 15} {
		c, d := setting{bits, 0, false}.pair()
		for range 10 {
			own := jsonMessage(r, 1000)
			z := c.AppendPiece(nil, own, true)
			if got, err := d.Append(nil, z, true); err != nil || !bytes.Equal(got, own) {
				t.Fatal(err)
			}
			shared := jsonMessage(r, 2000)
			z, ok := (&Compressor{WindowBits: 9, NoTakeover: true}).Append(nil, shared)
			if !ok {
				t.Fatal("not compressed")
			}
			if got, err := d.Append(nil, z, true); err != nil || !bytes.Equal(got, shared) {
				t.Fatal(err)
			}
			c.Sent(shared)
		}
	}
}

func TestNothingIsAllocatedPerMessage(t *testing.T) {
	if race.Enabled {
		t.Skip("sync.Pool forgets under the race detector")
	}
	for _, s := range []setting{{15, 0, false}, {15, 0, true}, {10, 0, false}, {10, 0, true}} {
		c, d := s.pair()
		r := source(10)
		p := jsonMessage(r, 1024)
		z, back := make([]byte, 0, 2048), make([]byte, 0, 2048)
		step := func() {
			z, ok := c.Append(z, p)
			if !ok {
				t.Fatal("not compressed")
			}
			if _, err := d.Append(back, z, true); err != nil {
				t.Fatal(err)
			}
		}
		for range 64 { // fills the windows
			step()
		}
		if n := testing.AllocsPerRun(200, step); n >= 1 {
			t.Errorf("%v: %v allocations for each message", s, n)
		}
	}
}

// What an idle connection holds, both directions together.
func TestIdleConnectionsHoldTheirWindows(t *testing.T) {
	for _, s := range settings() {
		c, d := s.pair()
		r := source(11)
		for range 12 {
			if _, err := d.Append(nil, c.AppendPiece(nil, jsonMessage(r, 4000), true), true); err != nil {
				t.Fatal(err)
			}
		}
		send, receive := 1<<s.bits, d.reach()
		if s.noTakeover {
			send, receive = 0, 0
		}
		if cap(c.win.ring) != send || cap(d.win.ring) != receive || d.z != nil {
			t.Errorf("%v: %d and %d bytes, want %d and %d", s, cap(c.win.ring), cap(d.win.ring), send, receive)
		}
	}
	c, _ := setting{15, 0, false}.pair()
	if c.Append(nil, []byte("Hello Hello Hello Hello")); cap(c.win.ring) > minRing {
		t.Errorf("a window with 23 bytes takes %d", cap(c.win.ring))
	}
}

// TestMessagesThatOnlyTheContextShortens: the first enters the context all the
// same, or none would ever be shortened.
func TestMessagesThatOnlyTheContextShortens(t *testing.T) {
	quote := random(source(7), 150)
	for bits := 9; bits <= 15; bits++ {
		c := Compressor{WindowBits: bits}
		var d Decompressor
		for i := range 5 {
			out, ok := c.Append(nil, quote)
			if !ok || i > 0 && len(out) > len(quote)/2 || len(out) > len(quote)+16 {
				t.Errorf("%d bits, message %d: %d bytes, compressed %v", bits, i, len(out), ok)
			}
			if back, err := d.Append(nil, out, true); err != nil || string(back) != string(quote) {
				t.Fatalf("%q, %v", back, err)
			}
		}
	}
}

// TestNoiseIsSentAsItIs but for a few messages, ever fewer; and text that comes after
// it finds its context.
func TestNoiseIsSentAsItIs(t *testing.T) {
	var c Compressor
	noise := make([]byte, 200)
	compressed := 0
	for range 1000 {
		for i := range noise {
			noise[i] = byte(rand.Uint32())
		}
		if _, ok := c.Append(nil, noise); ok {
			compressed++
		}
	}
	if compressed > 13 {
		t.Errorf("%d of 1000 were compressed", compressed)
	}
	quote := random(source(8), 150)
	for i := range maxPause + 2 {
		if out, ok := c.Append(nil, quote); ok && len(out) < len(quote)/2 {
			return
		} else if i > maxPause {
			t.Error("the context never came to serve")
		}
	}
}

// TestWhichMessagesPrimeTheContext: those that are not shortened and enter the context all the same.
func TestWhichMessagesPrimeTheContext(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before string // a message that is shortened
		want   []int  // the numbers of the messages of noise behind it that prime
	}{
		{"a context that never served", "", []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 768}},
		{"a context that served has patience", "Hello Hello Hello Hello", []int{16, 32, 64, 128, 256, 512, 768}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Compressor{Level: 1}
			if _, ok := c.Append(nil, []byte(strings.Repeat(tt.before, 20))); ok != (tt.before != "") {
				t.Fatalf("shortened: %v", ok)
			}
			r := source(14)
			var got []int
			for i := 1; i <= 800; i++ {
				if _, ok := c.Append(nil, random(r, 20)); ok {
					got = append(got, i)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("messages %v primed, want %v", got, tt.want)
			}
		})
	}
}

// TestWhatDstHoldsCountsForNothing: neither whether a message is shortened depends on it nor to what.
func TestWhatDstHoldsCountsForNothing(t *testing.T) {
	for _, tt := range []struct {
		name    string
		message []byte
	}{
		{"text", jsonMessage(source(17), 300)},
		{"noise", random(source(17), 300)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			alone, ok := (&Compressor{NoTakeover: true}).Append(nil, tt.message)
			held := random(source(18), 1000)
			behind, okBehind := (&Compressor{NoTakeover: true}).Append(bytes.Clone(held), tt.message)
			if okBehind != ok || !bytes.Equal(behind, append(held, alone...)) {
				t.Errorf("alone %d bytes, %v; behind others %d, %v", len(alone), ok, len(behind)-len(held), okBehind)
			}
		})
	}
}

// TestWhichSizesPrimeTheContext: what can be shortened at all, and fits the window.
func TestWhichSizesPrimeTheContext(t *testing.T) {
	for _, tt := range []struct {
		name string
		bits int
		n    int // bytes of noise
		want bool
	}{
		{"nothing", 15, 0, false},
		{"too little to be shortened", 15, minPlain - 1, false},
		{"a little more", 15, minPlain, true},
		{"the window", 9, 512, true},
		{"more than the window", 9, 513, false},
	} {
		c := Compressor{WindowBits: tt.bits}
		if _, ok := c.Append(nil, random(source(19), tt.n)); ok != tt.want {
			t.Errorf("%s: %v", tt.name, ok)
		}
		c.Close()
	}
}

// TestWhoCompressesShortMessages: flate's faster methods find nothing in them, so level 7 takes their place.
func TestWhoCompressesShortMessages(t *testing.T) {
	for _, tt := range []struct {
		name            string
		c               Compressor
		before, n       int // bytes in the context and in the message
		wantBits, level int
	}{
		{"a fast level", Compressor{Level: 1}, 100, fastMin - 1, maxBits, chainLevel},
		{"a fast level, and the message is long enough", Compressor{Level: 1}, 100, fastMin, maxBits, 1},
		{"a fast level, and there is no context yet", Compressor{Level: 1}, 0, fastMin - 1, maxBits, 1},
		{"a thorough level", Compressor{Level: 9}, 100, fastMin - 1, maxBits, 9},
		{"a small window", Compressor{WindowBits: 10}, 100, fastMin - 1, maxBits, chainLevel},
		{"a small window, and the message is long enough", Compressor{WindowBits: 10}, 100, fastMin, 10, defaultLevel},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, r := tt.c, source(15)
			c.Sent(random(r, tt.before))
			_, w := c.compress(nil, random(r, tt.n))
			if w.pool != poolOf(tt.wantBits, tt.level) {
				t.Errorf("a writer of %d bits, want %d bits and level %d", w.bits, tt.wantBits, tt.level)
			}
			w.giveBack()
		})
	}
}

// TestTheOldestBytesOfTheWindowServe short messages as well, for which less is loaded if the writer's window is the larger one.
func TestTheOldestBytesOfTheWindowServe(t *testing.T) {
	for _, tt := range []struct {
		c    Compressor
		loss int // oldest bytes that are not loaded
	}{{Compressor{}, 0}, {Compressor{Level: 1}, 100}, {Compressor{WindowBits: 10}, 100}} {
		history := random(source(16), tt.c.size())
		c := tt.c
		c.Sent(history)
		p := history[tt.loss : tt.loss+100]
		z, ok := c.Append(nil, p)
		if !ok || len(z) > 20 {
			t.Errorf("%d bits, level %d: %d bytes became %d, %v", c.bits(), c.Level, len(p), len(z), ok)
		}
		d := Decompressor{WindowBits: c.WindowBits}
		d.win.add(history, d.reach(), false)
		want(t, &d, z, p)
	}
}

// Short messages, which most are: the context makes them shorter by much.
func TestShortMessagesProfitFromTheContext(t *testing.T) {
	for _, s := range settings() {
		if s.noTakeover {
			continue
		}
		c, d := s.pair()
		var m meter
		r := source(12)
		in, out := 0, 0
		for range rounds(200) {
			p := jsonMessage(r, 60+r.IntN(60))
			z := c.AppendPiece(nil, p, true)
			in, out = in+len(p), out+len(z)
			if got, err := d.Append(nil, z, true); err != nil || !bytes.Equal(got, p) {
				t.Fatalf("%v: %v, or not the same", s, err)
			}
			if _, err := m.message(z); err != nil {
				t.Fatal(err)
			}
		}
		if !race.Enabled && out > in/2 {
			t.Errorf("%v: %d bytes became %d", s, in, out)
		}
		if m.longest > 1<<s.bits {
			t.Errorf("%v: a match refers %d bytes back", s, m.longest)
		}
	}
}

// rounds is n, or fewer under the race detector: there sync.Pool forgets on
// purpose, and every writer anew takes a megabyte.
func rounds(n int) int {
	if race.Enabled {
		return n/5 + 1
	}
	return n
}
