package fuzz

import (
	"bytes"
	stdflate "compress/flate"
	"io"
	"math"
	"testing"

	"github.com/seed-c4549abd/wss/internal/deflate"
)

// FuzzDeflateRoundTrip sends messages that the input describes over one
// connection: of every setting, whole and in pieces, abandoned where compression
// saves nothing, received in fragments and with little room.
func FuzzDeflateRoundTrip(f *testing.F) {
	f.Add([]byte{15, 0, 0, 1, 5, 'H', 'e', 'l', 'l', 'o', 1, 5, 'H', 'e', 'l', 'l', 'o'})
	f.Add([]byte{8, 0, 1, 0, 0, 2, 200, 'a', 3, 255, 'a', 'b'})
	f.Add(append([]byte{9, 1, 0}, bytes.Repeat([]byte{0x42, 60, 'x', 'y', 'z', 'x', 'y'}, 60)...))
	f.Add(append([]byte{15, 9, 0}, bytes.Repeat([]byte{0x83, 30, '{', '"', 'k', '"', ':', '1', '}'}, 40)...))
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) < 3 {
			return
		}
		bits, level, no := 8+int(in[0])%8, int(in[1])%10, in[2]&1 != 0
		in = in[3:]
		c := deflate.Compressor{WindowBits: bits, Level: level, NoTakeover: no}
		d := deflate.Decompressor{WindowBits: bits, NoTakeover: no, Limit: 1 << 16}
		defer c.Close()
		defer d.Close()
		for sent := 0; len(in) >= 2 && sent < 24; sent++ { // loading a window takes long
			how, n := in[0], min(int(in[1]), len(in)-2)
			p := bytes.Repeat(in[2:2+n], 1+int(how>>6)*20)
			in = in[2+n:]
			var z []byte
			if pieces := 1 + int(how&7); how&8 != 0 {
				for i := range pieces {
					z = c.AppendPiece(z, p[i*len(p)/pieces:(i+1)*len(p)/pieces], i == pieces-1)
				}
			} else {
				var ok bool
				if z, ok = c.Append(nil, p); !ok {
					continue
				}
				if len(z) >= len(p) && (no || len(z) > len(p)+16) { // 16: to prime the context
					t.Fatalf("%d bytes became %d", len(p), len(z))
				}
			}
			got, err := inflate(&d, z, 1+int(how>>2&15)*7, how&32 != 0)
			if err != nil || !bytes.Equal(got, p) {
				t.Fatalf("%d bits, level %d, no takeover %v: %d bytes came back as %d: %v", bits, level, no, len(p), len(got), err)
			}
		}
	})
}

// inflate feeds fragments of step bytes, or gives step bytes of room at a time.
func inflate(d *deflate.Decompressor, z []byte, step int, room bool) (out []byte, err error) {
	if !room {
		for {
			k := min(step, len(z))
			out, err = d.Append(out, z[:k], k == len(z))
			if z = z[k:]; err != nil || len(z) == 0 {
				return out, err
			}
		}
	}
	dst := make([]byte, step)
	for {
		n, used, err := d.Inflate(dst, z, true)
		out, z = append(out, dst[:n]...), z[used:]
		if err != deflate.ErrShortDst {
			return out, err
		}
		if n != step {
			return out, io.ErrNoProgress
		}
	}
}

// FuzzInflate has a peer send anything: no panic, never more than the limit, the
// same however it is cut, and the same as compress/flate makes of it.
func FuzzInflate(f *testing.F) {
	f.Add([]byte{0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00}, uint16(5), byte(1))
	f.Add([]byte{0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00}, uint16(4), byte(2))
	f.Add([]byte{0x00, 0x05, 0x00, 0xfa, 0xff, 'H', 'e', 'l', 'l', 'o', 0x00}, uint16(100), byte(3))
	f.Add([]byte{}, uint16(0), byte(0))
	var c deflate.Compressor
	f.Add(c.AppendPiece(nil, bytes.Repeat([]byte("compress me, "), 100), true), uint16(2000), byte(7))
	c = deflate.Compressor{Level: 9}
	f.Add(c.AppendPiece(nil, []byte(`{"a":[1,2,3,4,5,6,7,8,9,10,11,12],"b":"a longer text, so that its codes differ"}`), true), uint16(90), byte(9))
	f.Fuzz(func(t *testing.T, z []byte, limit16 uint16, step byte) {
		limit := int64(limit16)
		if limit == 0 {
			limit = 1 << 20
		}
		whole := deflate.Decompressor{Limit: limit}
		got, err := whole.Append(nil, z, true)
		if int64(len(got)) > limit {
			t.Fatalf("%d bytes, the limit is %d", len(got), limit)
		}
		for _, room := range []bool{false, true} {
			cut := deflate.Decompressor{Limit: limit}
			again, errAgain := inflate(&cut, z, 1+int(step), room)
			if !bytes.Equal(got, again) || err != errAgain {
				t.Fatalf("whole: %d bytes, %v; cut: %d bytes, %v", len(got), err, len(again), errAgain)
			}
		}
		want, wantErr := inflateStd(z, limit+1)
		if err == deflate.ErrCorrupt && wantErr == nil {
			// A block without a code for its end is corrupt to us, as to zlib. compress/flate
			// finds out where the input ends, and so not before the limit.
			_, wantErr = inflateStd(z, math.MaxInt64)
		}
		switch {
		case err == deflate.ErrTooBig:
			if int64(len(want)) <= limit || !bytes.HasPrefix(want, got) {
				t.Fatalf("too big, but compress/flate makes %d bytes", len(want))
			}
		case err == nil:
			// compress/flate wants a last block, which a message need not have.
			if wantErr != nil && wantErr != io.ErrUnexpectedEOF || !bytes.Equal(got, want) {
				t.Fatalf("%d bytes, but compress/flate makes %d and %v", len(got), len(want), wantErr)
			}
		case !bytes.HasPrefix(want, got) || wantErr == nil && err != deflate.ErrTruncated:
			// Where compress/flate takes the trailer for data, the message is truncated.
			t.Fatalf("%d bytes and %v, but compress/flate makes %d and %v", len(got), err, len(want), wantErr)
		}
	})
}

// inflateStd inflates a payload with compress/flate, up to limit bytes: after a
// last block comes another stream that goes on with the window.
func inflateStd(z []byte, limit int64) (out []byte, err error) {
	in := bytes.NewReader(append(bytes.Clone(z), 0x00, 0x00, 0xff, 0xff))
	for {
		r := stdflate.NewReaderDict(in, out[max(0, len(out)-1<<15):])
		p, err := io.ReadAll(io.LimitReader(r, limit-int64(len(out))))
		out = append(out, p...)
		if err != nil || int64(len(out)) == limit || in.Len() <= 4 {
			return out, err
		}
	}
}
