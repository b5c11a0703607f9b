package conn

import (
	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/deflate"
)

// CompressionMode says whether permessage-deflate (RFC 7692) is used. The zero
// value is off.
type CompressionMode uint8

const (
	// CompressionOff neither offers nor accepts compression.
	CompressionOff CompressionMode = iota
	// CompressionNoTakeover compresses each message by itself, in both directions:
	// nothing is kept between messages.
	CompressionNoTakeover
	// CompressionTakeover compresses with what was sent before as context, as far as
	// the peer agrees: much better for small, similar messages, for a window of
	// memory in each direction.
	CompressionTakeover
)

// Compression configures permessage-deflate. The zero value is off. Read
// docs/security.md before you switch it on: compressing secrets beside text that an
// attacker chooses gives the secrets away; see [Uncompressed].
type Compression struct {
	// Mode is off by default.
	Mode CompressionMode
	// Level is the effort, from 1 (fast) to 9. Zero: a balance, with less of it for
	// each byte of long messages. It counts with windows of 15 bits only; smaller ones
	// have one effort.
	Level int
	// WindowBits limits what this side looks back at when it compresses, and so
	// what both sides keep, to 2^WindowBits bytes: 8 to 15. Zero: 15. The peer may
	// ask for less.
	WindowBits int
	// PeerWindowBits asks the same of the peer. Zero: 15. Peers that compress with zlib
	// cannot do 8: Python's websockets fails the handshake when a server asks for it.
	PeerWindowBits int
	// Threshold is the size in bytes below which messages go uncompressed. Zero:
	// 128 with context takeover, 512 without. Negative: none.
	Threshold int
}

const (
	thresholdTakeover   = 128
	thresholdNoTakeover = 512
)

// policy returns what to negotiate, for one role.
func (o *Compression) policy(role frame.Role) (handshake.DeflatePolicy, error) {
	if o.Mode == CompressionOff {
		return handshake.DeflatePolicy{}, nil // the other fields mean nothing
	}
	p := handshake.DeflatePolicy{ServerMaxWindowBits: o.WindowBits, ClientMaxWindowBits: o.PeerWindowBits}
	if role == frame.Client {
		p.ServerMaxWindowBits, p.ClientMaxWindowBits = o.PeerWindowBits, o.WindowBits
	}
	p.ServerNoContextTakeover = o.Mode == CompressionNoTakeover
	p.ClientNoContextTakeover = p.ServerNoContextTakeover
	if o.Level < 0 || o.Level > 9 || o.Mode > CompressionTakeover {
		return p, &HandshakeError{
			Token:  "bad_options",
			Reason: "Compression: Level must be 0 to 9, and Mode one of the constants",
		}
	}
	return p, p.Validate()
}

// compression is permessage-deflate on one connection. Between messages it holds
// windows only.
type compression struct {
	send      deflate.Compressor   // under sender.mu, or by the holder of sender.framesTurn while the outbox streams
	recv      deflate.Decompressor // under the inbox's token
	text      frame.UTF8           // of the message being inflated
	encoded   int64                // bytes of it that were inflated
	inflated  int64                // bytes that came of them
	threshold int
}

// reset begins a message.
func (z *compression) reset() {
	z.text.Reset()
	z.encoded, z.inflated = 0, 0
}

// encodedAhead and encodedPer limit a compressed message to 64 KiB plus 8 bytes for each inflated byte.
// Valid encoders need at most 7: one byte in a block of its own, with a flush. Without the limit a peer
// could send empty blocks endlessly.
const (
	encodedAhead = 64 << 10
	encodedPer   = 8
)

// newCompression returns what was agreed, from this side's view.
func newCompression(role frame.Role, o *Compression, p handshake.DeflateParams, limit int64) *compression {
	if p == (handshake.DeflateParams{}) {
		return nil
	}
	z := &compression{threshold: o.Threshold}
	sendBits, recvBits := p.ServerMaxWindowBits, p.ClientMaxWindowBits
	sendAlone, recvAlone := p.ServerNoContextTakeover, p.ClientNoContextTakeover
	if role == frame.Client {
		sendBits, recvBits, sendAlone, recvAlone = recvBits, sendBits, recvAlone, sendAlone
	}
	z.send = deflate.Compressor{WindowBits: sendBits, NoTakeover: sendAlone, Level: o.Level}
	z.recv = deflate.Decompressor{WindowBits: recvBits, NoTakeover: recvAlone, Limit: limit}
	if z.threshold == 0 {
		z.threshold = thresholdTakeover
		if sendAlone {
			z.threshold = thresholdNoTakeover
		}
	}
	return z
}

// wants reports whether a message of n bytes is to be compressed.
func (z *compression) wants(n int) bool { return z != nil && n >= z.threshold }

// inflateFailed turns an error of the decompressor into the one that ends the
// connection.
func (c *Conn) inflateFailed(err error) error {
	switch err {
	case deflate.ErrTooBig:
		return c.fail(frame.ErrMessageTooBig)
	case frame.ErrInvalidUTF8, errWasteful:
		return c.fail(err)
	}
	return c.fail(ErrCompressedData)
}

// inflate appends a piece of a compressed message to the assembly. A bomb costs at
// most the limit: it is counted while it is inflated.
func (c *Conn) inflate(ev *frame.Event) error {
	z, a := c.compression, &c.in.assembly
	src := ev.Payload
	for {
		if cap(a.buf)-len(a.buf) < minInflate {
			a.enlarge(c.inflateRoom(len(src)))
		}
		n, k, err := z.into(a.buf[len(a.buf):cap(a.buf)], src, ev.Opcode, ev.Final)
		a.buf = a.buf[:len(a.buf)+n]
		src = src[k:]
		if err == nil {
			return nil
		}
		if err != deflate.ErrShortDst {
			return c.inflateFailed(err)
		}
	}
}

// minInflate is the least room that is given to the decompressor.
const minInflate = 256

// inflateRoom guesses what n compressed bytes become, within the limit.
func (c *Conn) inflateRoom(n int) int64 {
	more := int64(max(4*n, 2*minInflate, len(c.in.assembly.buf)))
	if limit := c.in.receiver.Limit; limit > 0 {
		more = min(more, max(limit-int64(len(c.in.assembly.buf)), 0)+minInflate)
	}
	return more
}

// into inflates into dst, and validates text.
func (z *compression) into(dst, src []byte, op frame.Opcode, final bool) (n, k int, err error) {
	n, k, err = z.recv.Inflate(dst, src, final)
	z.encoded += int64(k)
	z.inflated += int64(n)
	if z.encoded > encodedAhead+encodedPer*z.inflated && err != deflate.ErrTooBig {
		return n, k, errWasteful
	}
	if op == frame.Text {
		if _, ok := z.text.Write(dst[:n]); !ok || err == nil && final && !z.text.Complete() {
			return n, k, frame.ErrInvalidUTF8
		}
	}
	return n, k, err
}
