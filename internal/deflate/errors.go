package deflate

import "errors"

// Errors of a Decompressor. They are compared with ==. Whatever inflates a peer's
// message answers all but ErrShortDst by failing the connection.
var (
	// ErrCorrupt: the payload is not DEFLATE data (RFC 1951), or refers to bytes
	// before the window or farther back than was negotiated. Close code 1007.
	ErrCorrupt = errors.New("deflate: the compressed payload is corrupt")

	// ErrTruncated: the message ended within a DEFLATE block. Close code 1007.
	ErrTruncated = errors.New("deflate: the compressed payload ends within a block")

	// ErrTooBig: the message inflates to more than Decompressor.Limit bytes. Close
	// code 1009.
	ErrTooBig = errors.New("deflate: the message inflates to more than the limit")

	// ErrShortDst: the room given is full and there is more to come. Not a failure:
	// call Inflate again with new room and the rest of the input.
	ErrShortDst = errors.New("deflate: the destination is full")
)

// errInput: everything was consumed, and the block goes on.
var errInput = errors.New("deflate: more input is needed")
