package handshake

import (
	"crypto/fips140"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
)

// keySize is the length of a Sec-WebSocket-Key before base64 (RFC 6455 §4.1).
const keySize = 16

// acceptGUID is appended to the key before hashing (RFC 6455 §1.3).
const acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// AcceptKey returns the value of Sec-WebSocket-Accept that answers a value of
// Sec-WebSocket-Key (RFC 6455 §4.2.2): the base64 of the SHA-1 of the key, as it
// was sent, and a constant. The key is not checked. Safe for concurrent use.
//
// SHA-1 protects nothing here: it shows that the server knows the protocol. So
// it is allowed even when GODEBUG=fips140=only forbids it elsewhere.
func AcceptKey(key string) string {
	var hash [sha1.Size]byte
	input := append([]byte(key), acceptGUID...)
	fips140.WithoutEnforcement(func() { hash = sha1.Sum(input) })
	return base64.StdEncoding.EncodeToString(hash[:])
}

// newKey returns a nonce for Sec-WebSocket-Key, new for every connection.
func newKey() string {
	var nonce [keySize]byte
	rand.Read(nonce[:]) // never returns an error
	return base64.StdEncoding.EncodeToString(nonce[:])
}

// isKey reports whether s is the base64 of exactly 16 bytes. Bits of the last
// character that carry nothing are not checked (RFC 4648 §3.5 leaves it open).
func isKey(s string) bool {
	if len(s) != 24 { // base64 of 16 bytes; also keeps CR and LF, which Decode skips, from fitting
		return false
	}
	var nonce [18]byte
	n, err := base64.StdEncoding.Decode(nonce[:], []byte(s))
	return err == nil && n == keySize
}
