package conn

import (
	"sync"
	"sync/atomic"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/deflate"
)

// Prepared is a message that is framed once, and compressed once for each set of
// parameters, to be sent to many connections with [Conn.Send]. It does not change,
// and any number of goroutines may use it. The zero value is no message: Send returns
// ErrMessageType. A connection that cannot take it at once
// keeps a reference, not a copy.
type Prepared struct {
	typ   MessageType
	frame []byte // as a server sends it
	data  []byte // the payload, in frame
	plain bool   // not to be compressed

	mu     sync.Mutex                // guards changes of zipped
	zipped atomic.Pointer[[]*zipped] // replaced when one is added
}

// zipped is a message compressed by itself, for all connections with the same parameters.
type zipped struct {
	bits, level int
	once        sync.Once
	frame       []byte // nil: compressing saves nothing
}

// Prepare makes a message to be sent to many connections. data is copied. The error is
// ErrMessageType, or ErrInvalidUTF8 for text that is not UTF-8.
func Prepare(typ MessageType, data []byte) (*Prepared, error) {
	if err := typ.check(data); err != nil {
		return nil, err
	}
	p := &Prepared{typ: typ}
	p.frame = frameOf(frame.Header{Fin: true, Opcode: frame.Opcode(typ), Length: int64(len(data))}, data)
	p.data = p.frame[len(p.frame)-len(data):]
	return p, nil
}

// PrepareUncompressed is Prepare for a message that must not be compressed on any
// connection; see [Conn.WriteUncompressed].
func PrepareUncompressed(typ MessageType, data []byte) (*Prepared, error) {
	p, err := Prepare(typ, data)
	if err == nil {
		p.plain = true
	}
	return p, err
}

// Type returns the message's type.
func (p *Prepared) Type() MessageType { return p.typ }

// Len returns the bytes of the message's payload, uncompressed.
func (p *Prepared) Len() int { return len(p.data) }

func frameOf(h frame.Header, payload []byte) []byte {
	b := make([]byte, 0, h.Size()+len(payload))
	return append(h.Append(b), payload...)
}

// preparedLevel is the effort for a message that is compressed once and sent many times,
// where none was chosen.
const preparedLevel = 7

// compress sees to it that the message is compressed as the connection wants it, so that on has it at
// once: a long message takes its time, which nobody who holds a lock can wait for.
func (p *Prepared) compress(z *compression) {
	if p.plain || !z.wants(len(p.data)) {
		return
	}
	p.compressed(z.send.WindowBits, z.send.Level)
}

// compressed returns the message compressed by itself, so that it fits the context of
// every connection with a window of at least 2^bits bytes; nil if that saves nothing.
func (p *Prepared) compressed(bits, level int) []byte {
	z := p.find(bits, level)
	if z == nil {
		z = p.add(bits, level)
	}
	z.once.Do(func() {
		if level == 0 {
			level = preparedLevel
		}
		alone := deflate.Compressor{WindowBits: bits, Level: level, NoTakeover: true}
		if out, ok := alone.Append(nil, p.data); ok {
			h := frame.Header{Fin: true, RSV: frame.RSV1, Opcode: frame.Opcode(p.typ), Length: int64(len(out))}
			z.frame = frameOf(h, out)
		}
	})
	return z.frame
}

func (p *Prepared) find(bits, level int) *zipped {
	if all := p.zipped.Load(); all != nil {
		for _, z := range *all {
			if z.bits == bits && z.level == level {
				return z
			}
		}
	}
	return nil
}

func (p *Prepared) add(bits, level int) *zipped {
	p.mu.Lock()
	defer p.mu.Unlock()
	z := p.find(bits, level)
	if z == nil {
		z = &zipped{bits: bits, level: level}
		var all []*zipped
		if before := p.zipped.Load(); before != nil {
			all = append(all, *before...)
		}
		all = append(all, z)
		p.zipped.Store(&all)
	}
	return z
}

// on returns the frame that a server sends on this connection, and whether it is
// compressed. compress has been called.
func (p *Prepared) on(z *compression) (b []byte, compressed bool) {
	if p.plain || !z.wants(len(p.data)) {
		return p.frame, false
	}
	if b := p.compressed(z.send.WindowBits, z.send.Level); b != nil {
		return b, true
	}
	return p.frame, false
}
