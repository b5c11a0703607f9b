package handshake

// Limits bounds what a peer can make a RequestReader or a ResponseReader hold
// and do. The zero value is the default; so is each field that is zero or
// negative. Limits is a plain value, safe to copy.
type Limits struct {
	// LineBytes is the most that one line may have, its CRLF included, in bytes.
	// Zero: 8192.
	LineBytes int

	// Headers is the most header fields, counted by line. Zero: 128.
	Headers int

	// TotalBytes is the most that the whole head may have, from the start line
	// to the blank line, in bytes. Zero: 65536.
	TotalBytes int
}

const (
	defaultLineBytes  = 8 << 10
	defaultHeaders    = 128
	defaultTotalBytes = 64 << 10
)

// orDefaults returns l with its defaults filled in.
func (l Limits) orDefaults() Limits {
	if l.LineBytes <= 0 {
		l.LineBytes = defaultLineBytes
	}
	if l.Headers <= 0 {
		l.Headers = defaultHeaders
	}
	if l.TotalBytes <= 0 {
		l.TotalBytes = defaultTotalBytes
	}
	return l
}
