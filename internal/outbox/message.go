package outbox

import (
	"sync"
	"sync/atomic"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/deflate"
)

// Message is a whole message that is framed once, and compressed once for each set of parameters, to be sent on many
// connections. It does not change, and any number of goroutines may use it. The zero value is no message.
type Message struct {
	opcode       frame.Opcode
	frame        []byte // as a server sends it, uncompressed
	payload      []byte // in frame
	uncompressed bool   // it must not be compressed

	mu       sync.Mutex                    // guards changes of variants
	variants atomic.Pointer[[]*compressed] // replaced when one is added
}

// compressed is a message that was compressed by itself, for all connections with the same parameters.
type compressed struct {
	bits, level int
	once        sync.Once
	frame       []byte // nil: compressing saves nothing
}

// Init makes a message of a copy of payload. With uncompressed it is not compressed on any connection.
func (m *Message) Init(op frame.Opcode, payload []byte, uncompressed bool) {
	m.opcode, m.uncompressed = op, uncompressed
	m.frame = frameOf(frame.Header{Fin: true, Opcode: op, Length: int64(len(payload))}, payload)
	m.payload = m.frame[len(m.frame)-len(payload):]
}

// Valid reports whether Init was called.
func (m *Message) Valid() bool { return len(m.frame) > 0 }

// Opcode returns Text or Binary.
func (m *Message) Opcode() frame.Opcode { return m.opcode }

// Len returns the bytes of the payload, uncompressed.
func (m *Message) Len() int { return len(m.payload) }

func frameOf(h frame.Header, payload []byte) []byte {
	b := make([]byte, 0, h.Size()+len(payload))
	return append(h.Append(b), payload...)
}

// Encode compresses the message as the outbox's connection wants it, unless that was done before. Enqueue would do it,
// but a long message takes long, and Enqueue is called with a lock held. It may be called at any time.
func (o *Outbox) Encode(m *Message) { m.frameFor(o.deflate, o.options.Threshold) }

// frameFor returns the frame that a server sends, and whether it is compressed.
func (m *Message) frameFor(c *deflate.Compressor, threshold int) (b []byte, isCompressed bool) {
	if c == nil || m.uncompressed || len(m.payload) < threshold {
		return m.frame, false
	}
	if b := m.compress(c.WindowBits, c.Level); b != nil {
		return b, true
	}
	return m.frame, false
}

// messageLevel is the effort for a message that is compressed once and sent many times, where none was chosen.
const messageLevel = 7

// compress returns the message compressed by itself, so that it fits the context of every connection with a window of
// at least 2^bits bytes; nil if that saves nothing.
func (m *Message) compress(bits, level int) []byte {
	v := m.find(bits, level)
	if v == nil {
		v = m.add(bits, level)
	}
	v.once.Do(func() {
		if level == 0 {
			level = messageLevel
		}
		alone := deflate.Compressor{WindowBits: bits, Level: level, NoTakeover: true}
		if out, ok := alone.Append(nil, m.payload); ok {
			h := frame.Header{Fin: true, RSV: frame.RSV1, Opcode: m.opcode, Length: int64(len(out))}
			v.frame = frameOf(h, out)
		}
	})
	return v.frame
}

func (m *Message) find(bits, level int) *compressed {
	if all := m.variants.Load(); all != nil {
		for _, v := range *all {
			if v.bits == bits && v.level == level {
				return v
			}
		}
	}
	return nil
}

func (m *Message) add(bits, level int) *compressed {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.find(bits, level)
	if v == nil {
		v = &compressed{bits: bits, level: level}
		var all []*compressed
		if before := m.variants.Load(); before != nil {
			all = append(all, *before...)
		}
		all = append(all, v)
		m.variants.Store(&all)
	}
	return v
}
