package tlsconf

import (
	"crypto/x509"
	"fmt"
	"strings"
)

// Reason says in one stable token why a TLS peer was refused, or refused us. It is fit for a metric's label.
type Reason string

// The reasons of a [VerifyError].
const (
	// WrongHost: the certificate is for other names than the one dialed.
	WrongHost Reason = "wrong_host"
	// Expired: the certificate, or one above it, is past its end.
	Expired Reason = "expired"
	// NotYetValid: the certificate, or one above it, is before its beginning.
	NotYetValid Reason = "not_yet_valid"
	// Untrusted: no chain leads from the certificate to a trusted root that may vouch for it.
	Untrusted Reason = "untrusted"
	// WeakKey: an RSA key below 2048 bits, or a curve below 256.
	WeakKey Reason = "weak_key"
	// WeakSignature: a certificate signed over SHA-1 or MD5.
	WeakSignature Reason = "weak_signature"
	// OldVersion: the two sides have no TLS version in common.
	OldVersion Reason = "old_version"
	// NoSharedSuite: the two sides have no cipher suite, curve or signature scheme in common.
	NoSharedSuite Reason = "no_shared_suite"
	// NoSharedProtocol: the two sides have no application protocol (ALPN) in common.
	NoSharedProtocol Reason = "no_shared_protocol"
	// NotTLS: the peer does not speak TLS at all.
	NotTLS Reason = "not_tls"
	// PinMismatch: the server's chain is valid, and holds none of the pinned keys.
	PinMismatch Reason = "pin_mismatch"
	// NoClientCertificate: the server wants a client certificate (mTLS), and there was none.
	NoClientCertificate Reason = "no_client_certificate"
	// RefusedByPeer: the peer refused our certificate, and said so in an alert.
	RefusedByPeer Reason = "refused_by_peer"
)

// advice is what to do about each reason, for whoever reads the error.
var advice = map[Reason]string{
	WrongHost:   "dial one of the names that the certificate has, or set ServerName if the server is known by another",
	Expired:     "renew the certificate, or correct the clock if it is wrong",
	NotYetValid: "correct the clock if it is wrong, or wait until the certificate becomes valid",
	Untrusted: "check that the peer sends its intermediate certificates, and add the issuing authority to RootCAs (client) " +
		"or ClientCAs (server) if you trust it",
	WeakKey:             "reissue the certificate with an ECDSA P-256 key, or RSA of 2048 bits or more",
	WeakSignature:       "have the certificate reissued with a SHA-256 signature",
	OldVersion:          "upgrade the peer to TLS 1.3, or choose the Intermediate profile to accept TLS 1.2; nothing older is safe",
	NoSharedSuite:       "enable an ECDHE suite with AES-GCM or ChaCha20-Poly1305 on the peer; CBC and static RSA are not accepted",
	NoSharedProtocol:    "let both sides offer http/1.1 by ALPN; a WebSocket cannot be opened on a connection that agreed on h2",
	NotTLS:              "check the port; a server without TLS is dialed with ws:// and not wss://",
	PinMismatch:         "if the server's key was rotated by its owner, pin the new one; otherwise someone may be intercepting",
	NoClientCertificate: "set ClientOptions.Certificates to a certificate issued by an authority that the server trusts",
	RefusedByPeer:       "the peer's log says why; check our certificate's dates, names and chain, and the authorities that the peer trusts",
}

// VerifyError is a refusal in the TLS handshake: by this side, or by the peer if an alert said why. It wraps the error
// of crypto/tls or crypto/x509 where there is one, so that [errors.As] finds, say, an [x509.HostnameError] in it.
type VerifyError struct {
	// Reason is the stable token for the kind of refusal. It is never empty in an error of this package.
	Reason Reason
	// Cert is the certificate at fault; nil if none is known.
	Cert *x509.Certificate
	// Detail says what was found, and what was wanted, in a sentence's part without a full stop.
	Detail string
	// Err is the underlying error; nil if this package found the fault itself.
	Err error
}

// Error says what was found and what to do about it.
func (e *VerifyError) Error() string {
	detail := e.Detail
	if detail == "" && e.Err != nil {
		detail = strings.TrimPrefix(e.Err.Error(), "tls: ")
	}
	kind := strings.ReplaceAll(string(e.Reason), "_", " ")
	if advice[e.Reason] == "" {
		return fmt.Sprintf("tlsconf: %s: %s", kind, detail)
	}
	return fmt.Sprintf("tlsconf: %s: %s: %s", kind, detail, advice[e.Reason])
}

// Unwrap returns the underlying error, or nil.
func (e *VerifyError) Unwrap() error { return e.Err }

// nameOf names a certificate in an error: its subject, or else its first name or its serial number.
func nameOf(cert *x509.Certificate) string {
	switch {
	case cert.Subject.CommonName != "":
		return fmt.Sprintf("certificate %q", cert.Subject.CommonName)
	case len(cert.DNSNames) > 0:
		return fmt.Sprintf("certificate for %q", cert.DNSNames[0])
	case len(cert.IPAddresses) > 0:
		return fmt.Sprintf("certificate for %v", cert.IPAddresses[0])
	}
	return fmt.Sprintf("certificate %v", cert.SerialNumber)
}
