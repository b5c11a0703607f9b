package load

import (
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"

	kflate "github.com/klauspost/compress/flate"
)

// DeflateOffer is what the load offers: a client's context may be taken over or not, and
// its window made smaller.
const DeflateOffer = "permessage-deflate; client_max_window_bits"

// agreement is what the server made of the offer (RFC 7692 §7.1).
type agreement struct {
	alone bool // client_no_context_takeover
	bits  int  // client_max_window_bits
}

func agreed(response string) (agreement, error) {
	a := agreement{bits: 15}
	for line := range strings.SplitSeq(response, "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		if !strings.EqualFold(name, "Sec-WebSocket-Extensions") {
			continue
		}
		for i, param := range strings.Split(value, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
			switch {
			case i == 0 && name != "permessage-deflate":
				return a, fmt.Errorf("the server accepted %q", value)
			case name == "client_no_context_takeover":
				a.alone = true
			case name == "client_max_window_bits" && value != "":
				n, err := strconv.Atoi(strings.Trim(value, `"`))
				if err != nil {
					return a, err
				}
				a.bits = n
			}
		}
		return a, nil
	}
	return a, fmt.Errorf("the server did not accept compression: %q", response)
}

// Orders are messages as services send them: the same names, ever other values.
func Orders(n, size int) [][]byte {
	rng := rand.New(rand.NewPCG(1, 2))
	words := []string{"limit", "market", "stop", "buy", "sell", "open", "filled", "cancelled", "XETR", "XLON", "XNYS", "EUR", "USD"}
	all := make([][]byte, n)
	for i := range all {
		var b []byte
		for len(b) < size {
			b = fmt.Appendf(b, `{"order":%d,"account":"%x","type":%q,"side":%q,"state":%q,"venue":%q,"price":%.2f,"quantity":%d,"time":%d},`,
				rng.Uint32(), rng.Uint64(), words[rng.IntN(3)], words[3+rng.IntN(2)], words[5+rng.IntN(3)], words[8+rng.IntN(3)],
				rng.Float64()*1000, rng.IntN(10_000), 1_700_000_000_000+rng.Uint64N(1e10))
		}
		all[i] = b[:size]
	}
	return all
}

// Rings makes rings of compressed messages, one for each agreement.
type Rings struct {
	messages [][]byte
	batch    int
	made     map[agreement]*Ring
	lock     chan struct{}
}

// NewRings is for messages of more than 64 KiB in all: when they come round again, what
// lies behind them in the window is the same as the time before, so the compressed
// messages of the second pass are good for ever.
func NewRings(messages [][]byte, batch int) *Rings {
	return &Rings{messages, batch, map[agreement]*Ring{}, make(chan struct{}, 1)}
}

// For returns the ring for a response; for Plan.MakeRing.
func (s *Rings) For(response string) (*Ring, error) {
	a, err := agreed(response)
	if err != nil {
		return nil, err
	}
	s.lock <- struct{}{}
	defer func() { <-s.lock }()
	if s.made[a] == nil {
		if s.made[a], err = s.compress(a); err != nil {
			return nil, err
		}
	}
	return s.made[a], nil
}

// Mean is how many bytes a message has when it is compressed, on average, with windows of 15
// bits.
func (s *Rings) Mean() (int, error) {
	r, err := s.For("Sec-WebSocket-Extensions: permessage-deflate")
	if err != nil {
		return 0, err
	}
	return r.at[r.once]/r.once - 8, nil // a frame's header and key have 8 bytes
}

func (s *Rings) compress(a agreement) (*Ring, error) {
	var buf bytes.Buffer
	w, err := flateWriter(&buf, a.bits)
	if err != nil {
		return nil, err
	}
	pass := func() ([][]byte, error) {
		out := make([][]byte, len(s.messages))
		for i, m := range s.messages {
			buf.Reset()
			if a.alone {
				w.Reset(&buf)
			}
			if _, err := w.Write(m); err != nil {
				return nil, err
			}
			if err := w.Flush(); err != nil {
				return nil, err
			}
			out[i] = bytes.Clone(bytes.TrimSuffix(buf.Bytes(), []byte(deflateTail)))
		}
		return out, nil
	}
	once, err := pass()
	if err != nil {
		return nil, err
	}
	cycle, err := pass()
	if err != nil {
		return nil, err
	}
	return NewDeflateRing(once, cycle, s.messages, s.batch), nil
}

// deflateTail ends a flush, and is left out on the wire (RFC 7692 §7.2.1).
const deflateTail = "\x00\x00\xff\xff"

type resetWriter interface {
	io.Writer
	Flush() error
	Reset(io.Writer)
}

func flateWriter(w io.Writer, bits int) (resetWriter, error) {
	if bits == 15 {
		return flate.NewWriter(w, flate.DefaultCompression)
	}
	return kflate.NewWriterWindow(w, 1<<bits)
}

// VerifyDeflate sends n messages, one after the other, inflates the replies and compares
// them.
func VerifyDeflate(ctx context.Context, t Target, rings *Rings, n int) error {
	nc, response, rest, err := t.Connect(ctx)
	if err != nil {
		return err
	}
	defer nc.Close()
	ring, err := rings.For(response)
	if err != nil {
		return err
	}
	inf := &inflater{ring: ring, alone: strings.Contains(response, "server_no_context_takeover")}
	p := &frameParser{onData: inf.data}
	buf := append(make([]byte, 0, 64<<10), rest...)
	for i := range n {
		if _, err := nc.Write(ring.frames(uint64(i), 1)); err != nil {
			return err
		}
		for got := 0; got == 0; {
			k, err := nc.Read(buf[:cap(buf)])
			if err != nil {
				return err
			}
			if got, err = p.feed(buf[:k]); err != nil {
				return err
			}
		}
	}
	return nil
}

// inflater checks what compressed messages say.
type inflater struct {
	ring   *Ring
	alone  bool
	n      uint64
	packed []byte
	window []byte
}

func (f *inflater) data(deflated bool, p []byte, end bool) error {
	f.packed = append(f.packed, p...)
	if !end {
		return nil
	}
	text := f.packed
	if deflated {
		in := io.MultiReader(bytes.NewReader(f.packed), strings.NewReader(deflateTail+"\x01\x00\x00\xff\xff"))
		var err error
		if text, err = io.ReadAll(flate.NewReaderDict(in, f.window)); err != nil {
			return fmt.Errorf("message %d does not inflate: %w", f.n, err)
		}
	}
	if !bytes.Equal(text, f.ring.payload(f.n)) {
		return fmt.Errorf("message %d says %.40q", f.n, text)
	}
	if deflated && !f.alone {
		f.window = append(f.window, text...)
		f.window = f.window[max(0, len(f.window)-32<<10):]
	}
	f.n++
	f.packed = f.packed[:0]
	return nil
}
