package deflate

import "slices"

// Decompressor is the receiving side of permessage-deflate on one connection. It
// is fed the payloads of a message's frames, or any pieces of them, as they
// arrive.
//
// The exported fields are settings, fixed before the first call. The zero value
// is what an agreement without parameters means, and without a limit. Between
// messages it holds the window that has been filled, at most 32 KiB, or nothing
// with NoTakeover; within one also an inflater of some 8 KB. Not for concurrent
// use. After an error other than ErrShortDst it is of no more use but for Close.
type Decompressor struct {
	// Limit is the most bytes that a message may inflate to: with exactly that
	// many it is fine, with one more it is ErrTooBig. 0 or less: no limit.
	Limit int64

	// WindowBits is the max_window_bits of the peer's direction, 8 to 15; 0 means
	// 15. A match that refers farther back is ErrCorrupt. 8 counts as 9, because
	// zlib makes windows of 9 bits when it is asked for 8.
	WindowBits int

	// NoTakeover is the no_context_takeover of the peer's direction: each message
	// begins with an empty window.
	NoTakeover bool

	win    window
	z      *inflater // the message in progress
	made   int64     // its bytes so far
	failed error
}

// Inflate inflates src, the next piece of the message's payload, into dst. final
// says that the message ends with src; src may be empty. It returns how much of
// dst was filled and how much of src was consumed, and nil when that was all of
// it (and, with final, when the message was complete).
//
// ErrShortDst means that more is to come: call it again with src[nSrc:], the same
// final, and other room. Other errors are ErrCorrupt, ErrTruncated and ErrTooBig;
// with these, too, dst[:nDst] was inflated before. Inflate never needs more room
// than there is to make progress, but it is fastest with plenty. What lies in
// dst[nDst:] may have changed. dst must not overlap src.
func (d *Decompressor) Inflate(dst, src []byte, final bool) (nDst, nSrc int, err error) {
	if d.failed != nil {
		return 0, 0, d.failed
	}
	z := d.begin(dst, 0, src)
	err = d.proceed(final)
	nDst, nSrc = z.pos, z.at
	d.end(err, final)
	return nDst, nSrc, err
}

// Append is Inflate with as much room as it takes: it appends to dst, whose spare
// capacity is used first, and grows it by doubling, never beyond Limit. It
// returns the extended slice, also with an error.
func (d *Decompressor) Append(dst, src []byte, final bool) ([]byte, error) {
	if d.failed != nil {
		return dst, d.failed
	}
	z := d.begin(dst[:cap(dst)], len(dst), src)
	err := d.proceed(final)
	for err == ErrShortDst {
		z.out = d.enlarge(z.out, z.pos, z.pos-z.base, len(src)-z.at)
		err = d.proceed(final)
	}
	dst = z.out[:z.pos]
	d.end(err, final)
	return dst, err
}

// Close returns the memory of a message in progress to the pool. The Decompressor
// must not be used afterwards, but closing it again is allowed. Without Close
// nothing leaks, only the pools stay emptier.
func (d *Decompressor) Close() {
	d.release()
	d.win.drop()
	d.failed = ErrTruncated
}

// begin sets up a call that makes out[base:].
func (d *Decompressor) begin(out []byte, base int, src []byte) *inflater {
	if d.z == nil {
		d.z = inflaters.Get().(*inflater)
		d.made = 0
	}
	z := d.z
	z.in, z.at = src, 0
	z.out, z.pos, z.base = out, base, base
	z.win, z.size = &d.win, d.reach()
	return z
}

// proceed runs until the input is consumed and, with final, the message complete.
func (d *Decompressor) proceed(final bool) error {
	z := d.z
	room := len(z.out)
	if d.Limit > 0 {
		if left := d.Limit - d.made; int64(room-z.base) > left {
			room = z.base + int(left)
		}
	}
	all := z.out
	z.out = z.out[:room]
	err := z.run()
	if err == errInput && final {
		err = z.finish()
	} else if err == errInput {
		err = nil
	}
	z.out = all
	if err == ErrShortDst && d.Limit > 0 && d.made+int64(z.pos-z.base) == d.Limit {
		err = ErrTooBig
	}
	return err
}

// finish ends the message, after its whole payload was consumed. Some senders end
// it between two blocks, without an empty one to strip the trailer from: after
// BFINAL, or with no bytes at all for no message. Else the trailer completes it,
// which never is data: whatever takes it for that was cut off.
func (z *inflater) finish() error {
	if z.complete() {
		return nil
	}
	in, at, out := z.in, z.at, z.out
	z.in, z.at, z.out = trailer, 0, z.out[:z.pos]
	err := z.run()
	done := z.complete()
	z.in, z.at, z.out = in, at, out
	switch {
	case err == errInput && done:
		return nil
	case err == errInput, err == ErrShortDst:
		return ErrTruncated
	}
	return err
}

// end remembers what the next call may refer to.
func (d *Decompressor) end(err error, final bool) {
	z := d.z
	made := z.out[z.base:z.pos]
	z.in, z.out, z.win = nil, nil, nil
	d.made += int64(len(made))
	switch {
	case err != nil && err != ErrShortDst:
		d.Close()
		d.failed = err
	case err == nil && final:
		d.release()
		if d.NoTakeover {
			d.win.drop()
			return
		}
		d.win.add(made, d.reach(), false)
	default:
		d.win.add(made, d.reach(), d.NoTakeover)
	}
}

// release returns the inflater, in the state that a message begins in: nothing
// else of what it holds is looked at before it is written.
func (d *Decompressor) release() {
	if z := d.z; z != nil {
		d.z = nil
		z.in, z.out, z.win, z.at, z.pos, z.base = nil, nil, nil, 0, 0, 0
		z.hold, z.nbits, z.step = 0, 0, atBlock
		inflaters.Put(z)
	}
}

// reach is how far back the peer may refer, in bytes.
func (d *Decompressor) reach() int {
	if d.WindowBits == 0 {
		return 1 << maxBits
	}
	return 1 << max(d.WindowBits, minBits+1)
}

// enlarge makes more room for a message in out[:pos], made bytes of which are
// this call's, when rest bytes of input are left.
func (d *Decompressor) enlarge(out []byte, pos, made, rest int) []byte {
	more := max(len(out), 4*rest, firstRoom)
	if d.Limit > 0 {
		more = int(min(int64(more), d.Limit-d.made-int64(made)))
	}
	bigger := slices.Grow(out[:pos], more)
	return bigger[:cap(bigger)]
}

// firstRoom is what Append makes room for at least, if the limit allows.
const firstRoom = 512
