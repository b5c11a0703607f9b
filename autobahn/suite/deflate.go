package suite

import (
	"bytes"
	"sync"

	"github.com/klauspost/compress/flate"
)

// deflater compresses messages one after the other (RFC 7692 §7.2.1).
type deflater struct {
	// alone: every message begins with an empty window.
	alone bool

	writer *flate.Writer
	out    bytes.Buffer
}

// effort is the level of compression: the fastest that looks for matches in the shortest messages too.
const effort = 7

// newDeflater compresses with a window of 1<<bits octets at most.
func newDeflater(bits int, alone bool) *deflater {
	d := &deflater{alone: alone}
	var err error
	if bits < maxWindowBits {
		d.writer, err = flate.NewWriterWindow(&d.out, 1<<bits)
	} else {
		d.writer, err = flate.NewWriter(&d.out, effort)
	}
	if err != nil {
		panic("suite: " + err.Error()) // the bits were checked
	}
	return d
}

// compress returns the octets of a message, which the caller owns.
func (d *deflater) compress(payload []byte) []byte {
	if d.alone {
		d.writer.Reset(&d.out)
	}
	d.out.Reset()
	// A buffer takes everything.
	_, _ = d.writer.Write(payload)
	_ = d.writer.Flush()
	return bytes.Clone(bytes.TrimSuffix(d.out.Bytes(), []byte(deflateTail)))
}

// series are the compressed messages of a case: the first ones of an endless row that goes round in a sample. All cases
// share what they have in common, so that compression costs the suite next to nothing.
//
// With context takeover that is no cheating: a message refers to those before it, and once the sample has gone round and a
// window is full, the same message comes with the same 32 KiB before it. The octets that it became then are right for it
// again. What the peer has to do for it is the same each time.
type series struct {
	once     sync.Once
	messages [][]byte
	round    int // as many at the end are repeated
}

type seriesKey struct {
	sample *sample
	length int
	bits   int
	alone  bool
}

var allSeries sync.Map // of *series, by seriesKey

func seriesOf(k seriesKey) *series {
	found, _ := allSeries.LoadOrStore(k, &series{})
	s := found.(*series)
	s.once.Do(func() {
		s.round = k.sample.round(k.length)
		n := s.round
		if !k.alone {
			n += (1<<maxWindowBits + k.length - 1) / k.length
		}
		d := newDeflater(k.bits, k.alone)
		for i := range min(n, messages) {
			s.messages = append(s.messages, d.compress(k.sample.message(i, k.length)))
		}
	})
	return s
}

// message returns the octets of message i.
func (s *series) message(i int) []byte {
	if n := len(s.messages); i >= n {
		i = n - s.round + (i-n)%s.round
	}
	return s.messages[i]
}
