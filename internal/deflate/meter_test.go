package deflate

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"
	"testing"

	"github.com/seed-c4549abd/wss/internal/race"
)

// meter is an inflater written from RFC 1951 with no thought of speed, which
// remembers how far back matches refer. It shares nothing with the one it judges.
type meter struct {
	in      []byte
	bit     int
	out     []byte // all messages
	longest int    // distance
	finals  int    // blocks with BFINAL set
}

var errMeter = errors.New("meter: not valid DEFLATE data")

// message inflates a payload with its trailer put back, and returns what is new.
func (m *meter) message(payload []byte) ([]byte, error) {
	m.in, m.bit = append(bytes.Clone(payload), 0, 0, 0xff, 0xff), 0
	from := len(m.out)
	for m.bit < 8*len(m.in) {
		if err := m.blockOf(); err != nil {
			return nil, err
		}
	}
	return m.out[from:], nil
}

func (m *meter) get(n int) (v int, err error) {
	for i := range n {
		if m.bit >= 8*len(m.in) {
			return 0, errMeter
		}
		v |= int(m.in[m.bit/8]>>(m.bit%8)&1) << i
		m.bit++
	}
	return v, nil
}

func (m *meter) must(n int) int {
	v, err := m.get(n)
	if err != nil {
		panic(err)
	}
	return v
}

func (m *meter) align() { m.bit = (m.bit + 7) &^ 7 }

func (m *meter) blockOf() (err error) {
	defer func() {
		if e, ok := recover().(error); ok {
			if e != errMeter {
				panic(e)
			}
			err = e
		}
	}()
	final := m.must(1)
	switch m.must(2) {
	case 0:
		m.align()
		n := m.must(16)
		if m.must(16) != n^0xffff {
			return errMeter
		}
		for range n {
			m.out = append(m.out, byte(m.must(8)))
		}
	case 1:
		lit, dist := map[string]int{}, map[string]int{}
		canonical(lit, append(append(append(repeated(8, 144), repeated(9, 112)...), repeated(7, 24)...), repeated(8, 8)...))
		canonical(dist, repeated(5, 32))
		m.data(lit, dist)
	case 2:
		m.dynamic()
	default:
		return errMeter
	}
	if final == 1 {
		m.finals++
		m.align()
	}
	return nil
}

func repeated(v, n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = v
	}
	return s
}

// canonical assigns codes, as strings of 0 and 1 (RFC 1951 §3.2.2).
func canonical(code map[string]int, lengths []int) {
	next := 0
	for n := 1; n <= 15; n++ {
		for s, l := range lengths {
			if l == n {
				code[fmt.Sprintf("%0*b", n, next)] = s
				next++
			}
		}
		next <<= 1
	}
}

func (m *meter) symbol(code map[string]int) int {
	s := ""
	for len(s) <= 15 {
		s += string(rune('0' + m.must(1)))
		if v, ok := code[s]; ok {
			return v
		}
	}
	panic(errMeter)
}

func (m *meter) dynamic() {
	nlit, ndist, n := m.must(5)+257, m.must(5)+1, m.must(4)+4
	lengths := make([]int, 19)
	for i := range n {
		lengths[[]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}[i]] = m.must(3)
	}
	code := map[string]int{}
	canonical(code, lengths)
	var all []int
	for len(all) < nlit+ndist {
		switch s := m.symbol(code); s {
		case 16:
			all = append(all, repeated(all[len(all)-1], 3+m.must(2))...)
		case 17:
			all = append(all, repeated(0, 3+m.must(3))...)
		case 18:
			all = append(all, repeated(0, 11+m.must(7))...)
		default:
			all = append(all, s)
		}
	}
	lit, dist := map[string]int{}, map[string]int{}
	canonical(lit, all[:nlit])
	canonical(dist, all[nlit:])
	m.data(lit, dist)
}

func (m *meter) data(lit, dist map[string]int) {
	for {
		s := m.symbol(lit)
		switch {
		case s < 256:
			m.out = append(m.out, byte(s))
			continue
		case s == 256:
			return
		}
		s -= 257
		length := 258
		if s < 28 {
			e := max(0, s/4-1)
			length = 3 + s
			if s >= 8 {
				length = 3 + (4+s%4)<<e
			}
			length += m.must(e)
		}
		d := m.symbol(dist)
		e := max(0, d/2-1)
		distance := d + 1
		if d >= 4 {
			distance = 1 + (2+d%2)<<e
		}
		distance += m.must(e)
		if distance > len(m.out) {
			panic(errMeter)
		}
		m.longest = max(m.longest, distance)
		for range length {
			m.out = append(m.out, m.out[len(m.out)-distance])
		}
	}
}

// No match may refer farther back than was agreed: a receiver with a window of
// that size has nothing there (RFC 7692 §7.1.2).
func TestWindowsAreHonoured(t *testing.T) {
	for i, s := range settings() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, _ := s.pair()
			d := Decompressor{WindowBits: s.bits, NoTakeover: s.noTakeover}
			var m meter
			for j, p := range corpus(source(uint64(100 + i))) {
				if race.Enabled && len(p) > 5000 && len(p) != 1<<s.bits-1+40 {
					continue // the meter takes its time
				}
				if s.noTakeover {
					m.out = nil
				}
				z := appendPieces(c, p, 1+j%3)
				got, err := m.message(z)
				if err != nil || !bytes.Equal(got, p) {
					t.Fatalf("message %d of %d bytes: %v, or not the same", j, len(p), err)
				}
				stepwise(t, &d, z, p)
			}
			if m.finals > 0 { // each would need its padding (RFC 7692 §7.2.1)
				t.Errorf("%d blocks have BFINAL set", m.finals)
			}
			if limit := 1 << s.bits; m.longest > limit {
				t.Errorf("a match refers %d bytes back, the window has %d", m.longest, limit)
			} else if bits.Len(uint(m.longest)) < s.bits && !race.Enabled {
				t.Errorf("no match refers farther than %d bytes back: is the window of %d used?", m.longest, limit)
			}
		})
	}
}

// appendPieces compresses a message in n pieces.
func appendPieces(c *Compressor, p []byte, n int) []byte {
	var z []byte
	for i := range n {
		z = c.AppendPiece(z, p[i*len(p)/n:(i+1)*len(p)/n], i == n-1)
	}
	return z
}

// stepwise inflates with little room at a time, so that history comes out of the
// window and not of the destination.
func stepwise(t *testing.T, d *Decompressor, z, want []byte) {
	t.Helper()
	var got []byte
	var room [61]byte
	for {
		n, used, err := d.Inflate(room[:], z, true)
		got, z = append(got, room[:n]...), z[used:]
		if err == nil {
			break
		}
		if err != ErrShortDst || n != len(room) {
			t.Fatalf("after %d bytes: made %d, %v", len(got), n, err)
		}
	}
	if !bytes.Equal(got, want) || len(z) > 0 {
		t.Fatalf("inflated in steps, %d bytes are not the %d that were sent", len(got), len(want))
	}
}
