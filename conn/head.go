package conn

import "github.com/seed-c4549abd/wss/handshake"

// The default bounds of a head are those of handshake.Limits, but for what is said here.
const (
	defaultHead    = 64 << 10 // bytes
	defaultFields  = 128
	bytesForAField = 512 // more fields than defaultFields, for so many bytes each
)

// headLimits makes the limits of a head from MaxHeaderBytes. What an application has
// chosen, one line may take as a whole, and so may the line of an answer, as a client
// has chosen its server. Strangers' requests have 8 KiB a line unless it is said
// otherwise.
func headLimits(maxBytes int, answer bool) handshake.Limits {
	l := handshake.Limits{TotalBytes: maxBytes}
	if maxBytes <= 0 {
		l.TotalBytes = defaultHead
	}
	if maxBytes > 0 || answer {
		l.LineBytes = l.TotalBytes
	}
	l.Headers = max(defaultFields, l.TotalBytes/bytesForAField)
	return l
}
