package frame

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/seed-c4549abd/wss/mask"
)

// wire builds a frame as the peer of role would send it.
func wire(role Role, h Header, payload string) []byte {
	h.Length = int64(len(payload))
	if role == Server {
		h.Masked, h.Key = true, [4]byte{0x37, 0xfa, 0x21, 0x3d}
	}
	raw := h.Append(nil)
	start := len(raw)
	raw = append(raw, payload...)
	if h.Masked {
		mask.XOR(raw[start:], h.Key, 0)
	}
	return raw
}

func join(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

// transcript feeds input in pieces of size bytes and writes down the events,
// the chunks of a message joined.
func transcript(r *Receiver, input []byte, size int) (string, error) {
	var out bytes.Buffer
	var buf []byte
	for len(input) > 0 || len(buf) > 0 {
		k := min(size, len(input))
		buf = append(buf, input[:k]...)
		input = input[k:]
		progress := k > 0
		for {
			ev, n, err := r.Next(buf)
			if err != nil {
				return out.String(), err
			}
			if ev.Kind == None && n == 0 {
				break
			}
			progress = true
			if ev.Kind == Data && ev.First {
				fmt.Fprintf(&out, "%v:", ev.Opcode)
			}
			if ev.Kind == Control {
				fmt.Fprintf(&out, "[%v %s]", ev.Opcode, ev.Payload)
			} else {
				out.Write(ev.Payload)
			}
			if ev.Final {
				out.WriteByte(';')
			}
			buf = buf[n:]
		}
		if !progress {
			return out.String() + "…", nil
		}
	}
	return out.String(), nil
}

func TestMessagesAndControlFramesInEveryPieceSize(t *testing.T) {
	for _, role := range []Role{Server, Client} {
		input := join(
			wire(role, Header{Fin: true, Opcode: Text}, "Hello"),
			wire(role, Header{Opcode: Text}, "fra"),
			wire(role, Header{Fin: true, Opcode: Ping}, "p1"),
			wire(role, Header{Opcode: Continuation}, ""),
			wire(role, Header{Opcode: Continuation}, "gment"),
			wire(role, Header{Fin: true, Opcode: Pong}, ""),
			wire(role, Header{Fin: true, Opcode: Continuation}, "ed"),
			wire(role, Header{Fin: true, Opcode: Binary}, ""),
			wire(role, Header{Opcode: Binary}, ""),
			wire(role, Header{Fin: true, Opcode: Continuation}, ""),
			wire(role, Header{Fin: true, Opcode: Close}, "\x03\xe8"),
		)
		const want = "text:Hello;text:fra[ping p1]gment[pong ]ed;binary:;binary:;[close \x03\xe8]"
		for size := 1; size <= len(input); size++ {
			r := &Receiver{Role: role}
			if got, err := transcript(r, bytes.Clone(input), size); got != want || err != nil {
				t.Fatalf("%v, pieces of %d: got %q, %v", role, size, got, err)
			}
			if r.Pending() || r.Remaining() != 0 {
				t.Errorf("%v: a message is still pending", role)
			}
		}
	}
}

func TestBrokenRulesAreNamed(t *testing.T) {
	for _, tt := range []struct {
		name  string
		role  Role
		input []byte
		err   error
	}{
		{"unmasked frame to a server", Server, wire(Client, Header{Fin: true, Opcode: Text}, "x"), ErrUnmasked},
		{"masked frame to a client", Client, wire(Server, Header{Fin: true, Opcode: Text}, "x"), ErrMasked},
		{"unmasked ping to a server", Server, wire(Client, Header{Fin: true, Opcode: Ping}, ""), ErrUnmasked},
		{"masked ping to a client", Client, wire(Server, Header{Fin: true, Opcode: Ping}, ""), ErrMasked},
		{"fragmented ping", Client, wire(Client, Header{Opcode: Ping}, ""), ErrControlFragment},
		{"fragmented close", Client, wire(Client, Header{Opcode: Close}, ""), ErrControlFragment},
		{"ping of 126 bytes", Client, wire(Client, Header{Fin: true, Opcode: Ping}, string(make([]byte, 126))), ErrControlTooLong},
		{"close of 65536 bytes", Client, wire(Client, Header{Fin: true, Opcode: Close}, string(make([]byte, 65536))), ErrControlTooLong},
		{"continuation of nothing", Client, wire(Client, Header{Fin: true}, "x"), ErrNoMessage},
		{"continuation after a whole message", Client, join(
			wire(Client, Header{Fin: true, Opcode: Text}, "x"), wire(Client, Header{Fin: true}, "x")), ErrNoMessage},
		{"continuation after the last fragment", Client, join(
			wire(Client, Header{Opcode: Text}, "x"), wire(Client, Header{Fin: true}, "x"), wire(Client, Header{}, "x")), ErrNoMessage},
		{"text inside a message", Client, join(
			wire(Client, Header{Opcode: Text}, "x"), wire(Client, Header{Fin: true, Opcode: Text}, "x")), ErrMessagePending},
		{"binary inside an empty first fragment", Client, join(
			wire(Client, Header{Opcode: Text}, ""), wire(Client, Header{Opcode: Binary}, "x")), ErrMessagePending},
		{"text that ends inside a character", Client, wire(Client, Header{Fin: true, Opcode: Text}, "\xe2\x88"), ErrInvalidUTF8},
		{"length with the top bit", Client, []byte("\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00"), ErrLengthOverflow},
		{"length of zero in sixteen bits", Client, []byte("\x82\x7e\x00\x00"), ErrLengthNotMinimal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{1, 2, 7, len(tt.input)} {
				_, err := transcript(&Receiver{Role: tt.role}, bytes.Clone(tt.input), size)
				if !errors.Is(err, tt.err) {
					t.Errorf("pieces of %d: got %v, want %v", size, err, tt.err)
				}
			}
		})
	}
}

// TestReservedBitsByOpcodeAndNegotiation walks the whole matrix.
func TestReservedBitsByOpcodeAndNegotiation(t *testing.T) {
	for _, compression := range []bool{false, true} {
		for rsv := byte(0); rsv < 8; rsv++ {
			for op := Opcode(0); op < 16; op++ {
				r := &Receiver{Role: Client, Compression: compression}
				if op == Continuation {
					if _, _, err := r.Next(wire(Client, Header{Opcode: Binary}, "x")); err != nil {
						t.Fatal(err)
					}
				}
				_, _, err := r.Next(wire(Client, Header{Fin: true, Opcode: op, RSV: rsv << 4}, ""))
				legal := rsv == 0 || rsv == 4 && compression && (op == Text || op == Binary)
				legal = legal && !op.IsReserved()
				if (err == nil) != legal {
					t.Errorf("compression %v, RSV %03b, %v: %v", compression, rsv, op, err)
				}
				if e := (*Error)(nil); err != nil && (!errors.As(err, &e) || e.Code != ProtocolError) {
					t.Errorf("compression %v, RSV %03b, %v: %v is not a protocol error", compression, rsv, op, err)
				}
			}
		}
	}
}

func TestCompressedMessagesAreMarkedAndNotReadAsText(t *testing.T) {
	r := &Receiver{Role: Client, Compression: true}
	input := join(
		wire(Client, Header{Opcode: Text, RSV: RSV1}, "\xff"),
		wire(Client, Header{Fin: true, Opcode: Ping}, "p"),
		wire(Client, Header{Fin: true}, "\xfe"),
		wire(Client, Header{Fin: true, Opcode: Text}, "plain"),
	)
	want := []Event{
		{Kind: Data, Opcode: Text, First: true, Compressed: true},
		{Kind: Control, Opcode: Ping},
		{Kind: Data, Opcode: Text, Final: true, Compressed: true},
		{Kind: Data, Opcode: Text, First: true, Final: true},
	}
	for i, w := range want {
		ev, n, err := r.Next(input)
		if err != nil {
			t.Fatal(err)
		}
		ev.Payload = nil
		if ev.Kind != w.Kind || ev.Opcode != w.Opcode || ev.First != w.First || ev.Final != w.Final || ev.Compressed != w.Compressed {
			t.Errorf("event %d: got %+v, want %+v", i, ev, w)
		}
		input = input[n:]
	}
}

func TestInvalidTextFailsInMidFrame(t *testing.T) {
	r := &Receiver{Role: Client}
	head := (&Header{Fin: true, Opcode: Text, Length: 1000}).Append(nil)
	ev, n, err := r.Next(append(head, "κόσμε"...))
	if err != nil || ev.Final || n == 0 {
		t.Fatal(ev, n, err)
	}
	if _, _, err := r.Next([]byte("\xed\xa0")); !errors.Is(err, ErrInvalidUTF8) {
		t.Errorf("got %v, want %v", err, ErrInvalidUTF8)
	}
}

// TestDeclaredLengths is the table of lengths that overflowed elsewhere: with a
// limit each is refused at the header, without one each is received, and
// nothing is allocated for it.
func TestDeclaredLengths(t *testing.T) {
	for _, l := range []int64{0, 1, 125, 126, 127, 65535, 65536, 1 << 31, 1 << 32, 1 << 40, math.MaxInt64} {
		raw := (&Header{Fin: true, Opcode: Binary, Length: l}).Append(nil)
		for _, limit := range []int64{0, 1, 126, 65536, math.MaxInt64} {
			r := &Receiver{Role: Client, Limit: limit}
			_, _, err := r.Next(raw)
			if tooBig := limit > 0 && l > limit; tooBig != errors.Is(err, ErrMessageTooBig) || !tooBig && err != nil {
				t.Errorf("length %d, limit %d: %v", l, limit, err)
			}
		}
	}
	raw := (&Header{Fin: true, Opcode: Binary, Length: 1 << 40}).Append(nil)
	if n := testing.AllocsPerRun(10, func() {
		r := Receiver{Role: Client}
		if _, _, err := r.Next(raw); err != nil || r.Remaining() != 1<<40 {
			t.Fatal(r.Remaining(), err)
		}
	}); n != 0 {
		t.Errorf("a header that declares 1 TiB costs %v allocations", n)
	}
}

func TestLimitCountsAllFragmentsExactly(t *testing.T) {
	for _, tt := range []struct {
		sizes []int
		err   error
	}{
		{[]int{100}, nil},
		{[]int{101}, ErrMessageTooBig},
		{[]int{50, 50}, nil},
		{[]int{50, 51}, ErrMessageTooBig},
		{[]int{0, 0, 100, 0}, nil},
		{[]int{99, 1, 1}, ErrMessageTooBig},
	} {
		r := &Receiver{Role: Client, Limit: 100}
		for range 3 { // the count starts again with each message
			var err error
			for i, size := range tt.sizes {
				h := Header{Fin: i == len(tt.sizes)-1}
				if i == 0 {
					h.Opcode = Binary
				}
				if _, _, err = r.Next(wire(Client, h, string(make([]byte, size)))); err != nil {
					break
				}
			}
			if !errors.Is(err, tt.err) {
				t.Errorf("%v: got %v, want %v", tt.sizes, err, tt.err)
			}
			if err != nil {
				break
			}
		}
	}
}

func TestPayloadReadStraightIntoItsDestination(t *testing.T) {
	r := &Receiver{}
	raw := wire(Server, Header{Fin: true, Opcode: Text}, "0123456789")
	ev, n, err := r.Next(raw[:9]) // the header and three bytes
	if err != nil || n != 9 || string(ev.Payload) != "012" || r.Remaining() != 7 || r.Message() != Text {
		t.Fatalf("%q, %d, %v, %d remain", ev.Payload, n, err, r.Remaining())
	}
	if ev, err = r.Payload(raw[9:11]); err != nil || string(ev.Payload) != "34" || ev.Final {
		t.Fatalf("%q, %v", ev.Payload, err)
	}
	if ev, err = r.Payload(raw[11:]); err != nil || string(ev.Payload) != "56789" || !ev.Final || ev.First {
		t.Fatalf("%q, %v", ev.Payload, err)
	}
}

func TestManyTinyFragmentsRetainNothing(t *testing.T) {
	r := &Receiver{Role: Client}
	if _, _, err := r.Next(wire(Client, Header{Opcode: Binary}, "")); err != nil {
		t.Fatal(err)
	}
	one, zero := wire(Client, Header{}, "x"), wire(Client, Header{}, "")
	if n := testing.AllocsPerRun(100_000, func() {
		for _, f := range [][]byte{one, zero} {
			if ev, n, err := r.Next(f); err != nil || n != len(f) || ev.Final {
				t.Fatal(ev, n, err)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations a fragment", n)
	}
}

func BenchmarkReceiver(b *testing.B) {
	for _, size := range []int{32, 1024, 65536} {
		b.Run(fmt.Sprintf("text/%d", size), func(b *testing.B) {
			raw := wire(Server, Header{Fin: true, Opcode: Text}, string(bytes.Repeat([]byte("x"), size)))
			buf := make([]byte, len(raw))
			var r Receiver
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				copy(buf, raw)
				if _, _, err := r.Next(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
