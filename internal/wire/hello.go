package wire

import "github.com/seed-c4549abd/wss/internal/bufpool"

const (
	// maxPlain is the longest content of a record that is not encrypted (RFC 8446 §5.1).
	maxPlain = 16384
	// smallPiece is the most of a ClientHello that crypto/tls gets in one record.
	smallPiece = 512
)

// open looks at a record of TLS's handshake, before it is handed over. The first of
// another type is the last that it sees: what follows is encrypted.
func (c *Conn) open() {
	b := c.in[c.r:c.w]
	if b[0] != handshake {
		c.mode = records
		return
	}
	// A record that claims to be longer than a plaintext may be is for crypto/tls to refuse.
	if n := recordSize(b); len(b) >= headerSize && n == declaredSize(b) && len(b) >= n && n > headerSize+smallPiece && n <= headerSize+maxPlain {
		c.split(n)
	}
}

// split makes several records of the one of n bytes at in[r:], which TLS allows for messages of
// the handshake (RFC 8446 §5.1). For as long as the connection lives, crypto/tls keeps a buffer as large as
// the largest record that it was given, and a ClientHello is the largest that many ever see. It puts
// the message together in a buffer that it keeps as well and that doubles when it is full: so the
// pieces are alike, and a power of two in number.
func (c *Conn) split(n int) {
	b := c.in[c.r:c.w]
	content := b[headerSize:n]
	pieces := 1
	for len(content) > pieces*smallPiece {
		pieces *= 2
	}
	size := (len(content) + pieces - 1) / pieces
	to := bufpool.Get(len(b) + (pieces-1)*headerSize)[:0]
	for len(content) > 0 {
		k := min(len(content), size)
		to = append(to, b[0], b[1], b[2], byte(k>>8), byte(k))
		to = append(to, content[:k]...)
		content = content[k:]
	}
	to = append(to, b[n:]...)
	bufpool.Put(c.in)
	c.in, c.r, c.w = to[:cap(to)], 0, len(to)
}
