package tlsconf

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
)

const pinPrefix = "sha256/"

// PinOf returns the pin of a certificate's public key: "sha256/" and the standard base64 of the SHA-256 digest of its
// SubjectPublicKeyInfo (RFC 7469 §2.4). The pin survives a renewal that keeps the key.
func PinOf(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return pinPrefix + base64.StdEncoding.EncodeToString(sum[:])
}

type pinSet [][sha256.Size]byte

func parsePins(pins []string) (pinSet, error) {
	var set pinSet
	for _, p := range pins {
		encoded, ok := strings.CutPrefix(p, pinPrefix)
		sum, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil || len(sum) != sha256.Size {
			return nil, fmt.Errorf("tlsconf: malformed pin %q: want %q and the base64 of a SHA-256 digest, as PinOf makes it",
				p, pinPrefix)
		}
		set = append(set, [sha256.Size]byte(sum))
	}
	return set, nil
}

// has compares with every pin, in constant time, so that timing says neither whether nor which one matched.
func (s pinSet) has(cert *x509.Certificate) bool {
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	found := 0
	for i := range s {
		found |= subtle.ConstantTimeCompare(s[i][:], sum[:])
	}
	return found == 1
}

// check passes if a certificate of a verified chain is pinned. Certificates that the peer merely sent along do not
// count, or anyone could attach the pinned one; an unverified chain vouches for its leaf alone.
func (s pinSet) check(cs *tls.ConnectionState) error {
	if len(s) == 0 {
		return nil
	}
	if len(cs.PeerCertificates) == 0 {
		return &VerifyError{Reason: PinMismatch, Detail: "the server showed no certificate"}
	}
	chains := cs.VerifiedChains
	if len(chains) == 0 {
		chains = [][]*x509.Certificate{cs.PeerCertificates[:1]}
	}
	var shown []string
	for _, chain := range chains {
		for _, cert := range chain {
			if s.has(cert) {
				return nil
			}
			shown = append(shown, fmt.Sprintf("%s (%s)", PinOf(cert), nameOf(cert)))
		}
	}
	return &VerifyError{
		Reason: PinMismatch,
		Cert:   cs.PeerCertificates[0],
		Detail: "none of the pinned keys is in the server's chain: " + strings.Join(shown, ", "),
	}
}
