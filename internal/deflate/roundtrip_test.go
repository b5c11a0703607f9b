package deflate

import (
	"bytes"
	"fmt"
	"testing"
)

// setting is what may be agreed on, and how to compress by it.
type setting struct {
	bits, level int
	noTakeover  bool
}

func (s setting) String() string {
	return fmt.Sprintf("bits=%d,level=%d,noTakeover=%v", s.bits, s.level, s.noTakeover)
}

func settings() []setting {
	var list []setting
	for _, no := range []bool{false, true} {
		for bits := minBits; bits < maxBits; bits++ {
			list = append(list, setting{bits, 0, no})
		}
		for level := range 10 {
			list = append(list, setting{maxBits, level, no})
		}
	}
	return list
}

func (s setting) pair() (*Compressor, *Decompressor) {
	return &Compressor{WindowBits: s.bits, Level: s.level, NoTakeover: s.noTakeover},
		&Decompressor{WindowBits: s.bits, NoTakeover: s.noTakeover}
}

func TestMessagesComeBackWhole(t *testing.T) {
	for i, s := range settings() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, d := s.pair()
			for _, p := range corpus(source(uint64(i))) {
				z, ok := c.Append([]byte("before"), p)
				if string(z[:6]) != "before" {
					t.Fatal("dst was changed")
				}
				if z = z[6:]; !ok {
					if len(z) != 0 {
						t.Fatal("an abandoned compression left bytes")
					}
					continue
				}
				if len(z) >= len(p) && (s.noTakeover || len(z) > len(p)+16) { // 16: to prime the context
					t.Fatalf("%d bytes became %d", len(p), len(z))
				}
				got, err := d.Append([]byte("before"), z, true)
				if err != nil || !bytes.Equal(got, append([]byte("before"), p...)) {
					t.Fatalf("%d bytes: %v, or not the same", len(p), err)
				}
			}
		})
	}
}
