package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/tlsconf"
)

// tlsReport is what the TLS handshake has agreed on.
type tlsReport struct {
	Version     string             `json:"version"`
	CipherSuite string             `json:"cipher_suite"`
	KeyExchange string             `json:"key_exchange"`
	PostQuantum bool               `json:"post_quantum"` // the key exchange is a hybrid with ML-KEM
	ALPN        string             `json:"alpn"`         // empty: none
	ECHOffered  bool               `json:"ech_offered"`
	ECHAccepted bool               `json:"ech_accepted"`
	Trusted     bool               `json:"trusted"`
	TrustError  string             `json:"trust_error,omitempty"`
	Certificate *certificateReport `json:"certificate"`
}

// certificateReport is the server's certificate.
type certificateReport struct {
	Subject    string    `json:"subject"`
	Issuer     string    `json:"issuer"`
	Names      []string  `json:"names"` // hosts and addresses
	NotBefore  time.Time `json:"not_before"`
	NotAfter   time.Time `json:"not_after"`
	DaysLeft   int       `json:"days_left"` // negative: expired
	DaysValid  int       `json:"days_valid"`
	Key        string    `json:"key"`
	SelfSigned bool      `json:"self_signed"`
	Pin        string    `json:"pin"` // for -pin and tlsconf.ClientOptions.Pins
	Chain      int       `json:"chain"`
}

const day = 24 * time.Hour

func describeTLS(state *tls.ConnectionState, trust error, now time.Time) *tlsReport {
	r := &tlsReport{
		Version: tls.VersionName(state.Version), CipherSuite: tls.CipherSuiteName(state.CipherSuite), ALPN: state.NegotiatedProtocol,
		ECHAccepted: state.ECHAccepted, Trusted: trust == nil,
	}
	switch {
	case state.CurveID != 0:
		r.KeyExchange = state.CurveID.String()
		r.PostQuantum = isPostQuantum(state.CurveID)
	case state.HandshakeComplete:
		r.KeyExchange = "RSA without forward secrecy"
	default:
		r.KeyExchange = "unknown"
	}
	if trust != nil {
		r.TrustError = trust.Error()
	}
	if len(state.PeerCertificates) > 0 {
		r.Certificate = describeCertificate(state.PeerCertificates, now)
	}
	return r
}

// isPostQuantum reports whether a key exchange is a hybrid with ML-KEM (FIPS 203), such as X25519MLKEM768: what is recorded today
// stays secret from a quantum computer.
func isPostQuantum(group tls.CurveID) bool { return strings.Contains(group.String(), "MLKEM") }

func describeCertificate(chain []*x509.Certificate, now time.Time) *certificateReport {
	leaf := chain[0]
	r := &certificateReport{
		Subject: leaf.Subject.String(), Issuer: leaf.Issuer.String(), Names: []string{}, NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter,
		DaysLeft: daysBetween(now, leaf.NotAfter), DaysValid: daysBetween(leaf.NotBefore, leaf.NotAfter),
		Key: describeKey(leaf.PublicKey), Pin: tlsconf.PinOf(leaf), Chain: len(chain), SelfSigned: leaf.CheckSignatureFrom(leaf) == nil,
	}
	r.Names = append(r.Names, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		r.Names = append(r.Names, ip.String())
	}
	return r
}

// daysBetween returns the whole days from one time to another. It is negative if the other is past, by however little.
func daysBetween(from, to time.Time) int {
	d := to.Sub(from)
	if d < 0 {
		d -= day - 1
	}
	return int(d / day)
}

func describeKey(key any) string {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Curve.Params().Name
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return fmt.Sprintf("%T", key)
}

// verifyChain does what crypto/tls does for a client. An error is that of tlsconf.Explain.
func verifyChain(state *tls.ConnectionState, roots *x509.CertPool, name string) ([][]*x509.Certificate, error) {
	if len(state.PeerCertificates) == 0 {
		return nil, errors.New("the server has shown no certificate")
	}
	o := x509.VerifyOptions{Roots: roots, DNSName: name, Intermediates: x509.NewCertPool()}
	for _, cert := range state.PeerCertificates[1:] {
		o.Intermediates.AddCert(cert)
	}
	chains, err := state.PeerCertificates[0].Verify(o)
	if err != nil {
		err = tlsconf.Explain(&tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err})
	}
	return chains, err
}
