package micro

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"

	"github.com/seed-c4549abd/wss/bench/libs"
)

// cipherSizes are plaintexts of TLS records.
var cipherSizes = []int{32, 128, 16384}

// CipherGroup names the sealing or opening of records of a size.
func CipherGroup(do string, size int) string { return fmt.Sprintf("%s %d B", do, size) }

// CipherGroups are the groups of CipherCases in their order.
func CipherGroups() []string {
	var all []string
	for _, size := range cipherSizes {
		all = append(all, CipherGroup("seal", size), CipherGroup("open", size))
	}
	return all
}

// CipherCases are what no TLS record goes without: AES-128-GCM, the cipher that all
// measured connections agree on, with a record's header as additional data.
func CipherCases() []Case {
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	nonce, header := make([]byte, aead.NonceSize()), make([]byte, 5)
	var cases []Case
	for _, size := range cipherSizes {
		plain := make([]byte, size)
		sealed := aead.Seal(nil, nonce, plain, header)
		to := make([]byte, 0, len(sealed))
		one := func(do string, f func()) Case {
			return Case{Group: CipherGroup(do, size), Bytes: size, Funcs: []Func{{"crypto/cipher", libs.Baseline, func(n int) {
				for range n {
					f()
				}
			}}}}
		}
		cases = append(cases,
			one("seal", func() { to = aead.Seal(to[:0], nonce, plain, header) }),
			one("open", func() {
				if _, err := aead.Open(to[:0], nonce, sealed, header); err != nil {
					panic(err)
				}
			}))
	}
	return cases
}
