package deflate

import (
	"bytes"
	"strconv"
	"testing"

	"github.com/klauspost/compress/flate"
)

// A connection in the middle of its life: 200 messages of 1 KiB were sent.
func BenchmarkCompress(b *testing.B) {
	for _, s := range settings() {
		b.Run(s.String(), func(b *testing.B) {
			r := source(1)
			c, _ := s.pair()
			var messages [][]byte
			for range 256 {
				messages = append(messages, jsonMessage(r, 1024))
			}
			dst := make([]byte, 0, 2048)
			for _, p := range messages {
				c.Append(dst, p)
			}
			i, in, out := 0, 0, 0
			b.SetBytes(1024)
			b.ReportAllocs()
			for b.Loop() {
				p := messages[i%len(messages)]
				z, _ := c.Append(dst, p)
				i, in, out = i+1, in+len(p), out+len(z)
			}
			b.ReportMetric(float64(out)/float64(in), "ratio")
		})
	}
}

// What the default level was chosen by.
func BenchmarkLevels(b *testing.B) {
	for _, size := range []int{100, 1 << 10, 4 << 10, 16 << 10, 128 << 10} {
		for _, s := range settings() {
			if s.bits != maxBits && s.bits != 12 {
				continue
			}
			b.Run(byteCount(size)+"/"+s.String(), func(b *testing.B) {
				r := source(1)
				c, _ := s.pair()
				var messages [][]byte
				for range min(512, 4<<20/size) {
					p := jsonMessage(r, size)
					messages = append(messages, p)
					c.AppendPiece(nil, p, true)
				}
				dst := make([]byte, 0, 2*size)
				i, in, out := 0, 0, 0
				b.ReportAllocs()
				for b.Loop() {
					p := messages[i%len(messages)]
					z := c.AppendPiece(dst, p, true)
					i, in, out = i+1, in+len(p), out+len(z)
				}
				b.ReportMetric(float64(out)/float64(in), "ratio")
			})
		}
	}
}

func BenchmarkInflate(b *testing.B) {
	for _, size := range []int{128, 1024, 16 << 10, 1 << 20} {
		for _, no := range []bool{false, true} {
			s := setting{bits: maxBits, noTakeover: no}
			name := map[bool]string{false: "takeover", true: "none"}[no]
			c, d := s.pair()
			r := source(1)
			var messages [][]byte
			for range 64 {
				messages = append(messages, c.AppendPiece(nil, jsonMessage(r, size), true))
			}
			dst := make([]byte, 0, size)
			b.Run(byteCount(size)+"/"+name, func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					if i%len(messages) == 0 {
						d = &Decompressor{NoTakeover: no}
					}
					if _, err := d.Append(dst, messages[i%len(messages)], true); err != nil {
						b.Fatal(err)
					}
					i++
				}
			})
			if no {
				benchmarkReference(b, byteCount(size), messages, size)
			}
		}
	}
}

// benchmarkReference inflates the same with klauspost's reader.
func benchmarkReference(b *testing.B, name string, messages [][]byte, size int) {
	b.Run(name+"/klauspost", func(b *testing.B) {
		b.SetBytes(int64(size))
		zr := flate.NewReader(nil)
		var in bytes.Reader
		dst := make([]byte, size)
		var whole [][]byte
		for _, z := range messages {
			whole = append(whole, append(bytes.Clone(z), trailer...))
		}
		i := 0
		b.ReportAllocs()
		for b.Loop() {
			in.Reset(whole[i%len(whole)])
			zr.(flate.Resetter).Reset(&in, nil)
			for n := 0; n < size; {
				k, err := zr.Read(dst[n:])
				if err != nil {
					b.Fatal(err)
				}
				n += k
			}
			i++
		}
	})
}

func byteCount(n int) string {
	switch {
	case n >= 1<<20:
		return "1MiB"
	case n >= 1<<10:
		return strconv.Itoa(n>>10) + "KiB"
	}
	return strconv.Itoa(n) + "B"
}
