package deflate

import (
	"bytes"
	"testing"

	"github.com/seed-c4549abd/wss/internal/bufpool"
)

// websockets CVE-2018-1000518, nats CVE-2026-27571, undici CVE-2026-1526: what
// counts is the inflated size, of every message, however it is cut.
func TestTheLimitIsExact(t *testing.T) {
	for _, limit := range []int64{1, 2, 257, 258, 259, 4096, 70_000} {
		for _, s := range []setting{{15, 1, false}, {9, 0, true}, {15, 9, true}} {
			for _, over := range []int64{-1, 0, 1, 2} {
				for name, send := range feeds {
					c, d := s.pair()
					d.Limit = limit
					p := bytes.Repeat([]byte{'x'}, int(limit))
					for range 3 { // the count begins anew with each message
						if got, err := send(d, c.AppendPiece(nil, p, true)); err != nil || !bytes.Equal(got, p) {
							t.Fatalf("%s: exactly %d bytes: %d, %v", name, limit, len(got), err)
						}
					}
					p = bytes.Repeat([]byte{'y'}, int(limit+over))
					got, err := send(d, c.AppendPiece(nil, p, true))
					if over > 0 && (err != ErrTooBig || int64(len(got)) != limit) {
						t.Fatalf("%s: %d bytes more than %d: %d, %v", name, over, limit, len(got), err)
					}
					if over <= 0 && (err != nil || len(got) != len(p)) {
						t.Fatalf("%s: %d of %d bytes: %d, %v", name, len(p), limit, len(got), err)
					}
				}
			}
		}
	}
}

// feeds are the ways to inflate a message.
var feeds = map[string]func(*Decompressor, []byte) ([]byte, error){
	"whole": func(d *Decompressor, z []byte) ([]byte, error) { return d.Append(nil, z, true) },
	"into plenty of room": func(d *Decompressor, z []byte) ([]byte, error) {
		return d.Append(make([]byte, 0, 2<<20), z, true)
	},
	"byte by byte": func(d *Decompressor, z []byte) (got []byte, err error) {
		for i := range z {
			if got, err = d.Append(got, z[i:i+1], i == len(z)-1); err != nil {
				break
			}
		}
		return got, err
	},
	"in steps": func(d *Decompressor, z []byte) (got []byte, err error) {
		room := make([]byte, 999)
		for err = ErrShortDst; err == ErrShortDst; {
			var n, used int
			n, used, err = d.Inflate(room, z, true)
			got, z = append(got, room[:n]...), z[used:]
		}
		return got, err
	},
}

// A bomb costs the limit, not what it would inflate to.
func TestABombAllocatesNoMoreThanTheLimit(t *testing.T) {
	c := Compressor{Level: 9}
	bomb := c.AppendPiece(nil, make([]byte, 16<<20), true)
	for _, limit := range []int64{1, 1000, 100_000, 1 << 20} {
		d := Decompressor{Limit: limit}
		got, err := d.Append(nil, bomb, true)
		if err != ErrTooBig || int64(len(got)) != limit {
			t.Fatalf("limit %d: %d bytes, %v", limit, len(got), err)
		}
		if most := limit + limit/4 + 8192; int64(cap(got)) > most {
			t.Errorf("limit %d: a buffer of %d bytes", limit, cap(got))
		}
	}
}

// TestAppendGoesOnBehindWhatItIsGiven: the limit is the message's, whatever dst holds, and spare capacity is used.
func TestAppendGoesOnBehindWhatItIsGiven(t *testing.T) {
	p := jsonMessage(source(4), 700)
	z := (&Compressor{}).AppendPiece(nil, p, true)
	for _, tt := range []struct {
		name        string
		limit       int64
		held, spare int
		err         error
	}{
		{"no limit", 0, 1000, 100, nil},
		{"the limit is what is held", 1000, 1000, 100, nil},
		{"the limit is less than what is held", 700, 1000, 0, nil},
		{"the limit is less, and some room is spare", 700, 1000, 100, nil},
		{"enough room is spare", 700, 1000, 5000, nil},
		{"the message is too long", 699, 1000, 100, ErrTooBig},
		{"the message is too long, and there is room", 699, 1000, 5000, ErrTooBig},
	} {
		t.Run(tt.name, func(t *testing.T) {
			held := bytes.Repeat([]byte{'h'}, tt.held)
			dst := append(make([]byte, 0, tt.held+tt.spare), held...)
			d := Decompressor{Limit: tt.limit}
			got, err := d.Append(dst, z, true)
			made := p
			if tt.err != nil {
				made = p[:tt.limit]
			}
			if err != tt.err || !bytes.Equal(got, append(held, made...)) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if tt.spare >= len(p) && cap(got) != cap(dst) {
				t.Error("the spare capacity is not used")
			}
		})
	}
}

// TestAppendGrowsByDoubling, and not by what all of the input might make when most of it is inflated.
func TestAppendGrowsByDoubling(t *testing.T) {
	p := random(source(5), 100_000) // stored, so that input and output go along
	z := (&Compressor{}).AppendPiece(nil, p, true)
	var d Decompressor
	got, err := d.Append(make([]byte, 0, 90_000), z, true)
	if err != nil || !bytes.Equal(got, p) || cap(got) > 250_000 {
		t.Errorf("%d bytes in a buffer of %d, %v", len(got), cap(got), err)
	}
}

// TestALimitLeavesTheLaterPiecesLessRoom: what a message has made before counts.
func TestALimitLeavesTheLaterPiecesLessRoom(t *testing.T) {
	const limit, first = 100_000, 90_000
	c := Compressor{Level: 9}
	d := Decompressor{Limit: limit}
	got, err := d.Append(nil, c.AppendPiece(nil, random(source(6), first), false), false)
	if err != nil || len(got) != first {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	got, err = d.Append(nil, c.AppendPiece(nil, make([]byte, 32<<20), true), true)
	if most := (limit - first) * 5 / 4; err != ErrTooBig || len(got) != limit-first || cap(got) > most {
		t.Errorf("%d bytes in a buffer of %d, want %d in one of %d; %v", len(got), cap(got), limit-first, most, err)
	}
}

func TestAfterAFailureTheDecompressorStaysFailed(t *testing.T) {
	bufpool.Track(true)
	defer bufpool.Track(false)
	d := Decompressor{NoTakeover: true}
	c := Compressor{NoTakeover: true}
	if _, err := d.Append(nil, c.AppendPiece(nil, []byte("Hello"), false), false); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, err := d.Append(nil, []byte{0x06}, true); len(got) > 0 || err != ErrCorrupt {
			t.Fatalf("got %q, %v", got, err)
		}
		if n, used, err := d.Inflate(make([]byte, 10), []byte{0x00}, true); n > 0 || used > 0 || err != ErrCorrupt {
			t.Fatalf("got %d, %d, %v", n, used, err)
		}
	}
	d.Close()
	d.Close()
	c.Close()
	c.Close()
	if n := bufpool.Outstanding(); n != 0 {
		t.Errorf("%d buffers are not given back", n)
	}
}
