package outbox

import (
	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
)

// Compress returns the payload of a whole message compressed, and sets RSV1, if that saves something (RFC 7692 §6.1).
// scratch is for the caller to return to bufpool. Append does it for short messages; for a long one whoever streams it
// calls it, without a lock.
func (o *Outbox) Compress(h *frame.Header, p []byte) (payload, scratch []byte) {
	scratch = bufpool.Get(len(p) + bufpool.Small/2)
	out, ok := o.deflate.Append(scratch[:0], p)
	if !ok {
		return p, scratch
	}
	h.RSV, h.Length = frame.RSV1, int64(len(out))
	return out, scratch
}

// CompressFragment is Compress for a fragment of a message whose fragments are all compressed. RSV1 is set on the first.
func (o *Outbox) CompressFragment(h *frame.Header, p []byte) (payload, scratch []byte) {
	scratch = bufpool.Get(len(p) + bufpool.Small/2)
	payload = o.deflate.AppendPiece(scratch[:0], p, h.Fin)
	if h.Opcode != frame.Continuation {
		h.RSV = frame.RSV1
	}
	h.Length = int64(len(payload))
	return payload, scratch
}
