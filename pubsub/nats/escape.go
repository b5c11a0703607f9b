package nats

import (
	"fmt"
	"strconv"
	"strings"
)

// escape makes text one token of a subject or key: letters, digits, - and _ stay, all other bytes become =XX.
func escape(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; isSafe(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "=%02X", c)
		}
	}
	return b.String()
}

// isSafe reports whether escape leaves a byte as it is.
func isSafe(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// unescape undoes escape. ok is false for a token that escape does not make.
func unescape(token string) (_ string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(token); i++ {
		switch c := token[i]; {
		case isSafe(c):
			b.WriteByte(c)
		case c == '=' && i+2 < len(token):
			v, err := strconv.ParseUint(token[i+1:i+3], 16, 8)
			if err != nil {
				return "", false
			}
			b.WriteByte(byte(v))
			i += 2
		default:
			return "", false
		}
	}
	return b.String(), true
}
