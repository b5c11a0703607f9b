package tlsconf

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Below these sizes a key is refused: the minimum of the CA/Browser Forum's baseline requirements §6.1.5, which
// crypto/tls does not impose (it accepts RSA-1024).
const (
	minRSABits   = 2048
	minCurveBits = 256
)

// checkKey refuses a public key that is too short.
func checkKey(cert *x509.Certificate) error {
	weak := func(format string, args ...any) error {
		return &VerifyError{Reason: WeakKey, Cert: cert, Detail: nameOf(cert) + " has " + fmt.Sprintf(format, args...)}
	}
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSABits {
			return weak("an RSA key of %d bits, fewer than %d", bits, minRSABits)
		}
	case *ecdsa.PublicKey:
		if bits := key.Curve.Params().BitSize; bits < minCurveBits {
			return weak("a key on a curve of %d bits, fewer than %d", bits, minCurveBits)
		}
	case ed25519.PublicKey:
	default:
		return weak("a key of an unsupported type (%v)", cert.PublicKeyAlgorithm)
	}
	return nil
}

// checkSignature refuses a signature over a broken digest. That of a self-issued certificate proves nothing, whatever
// its digest: such a certificate is trusted by being a root, or not at all.
func checkSignature(cert *x509.Certificate) error {
	if isSelfIssued(cert) {
		return nil
	}
	switch cert.SignatureAlgorithm {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return &VerifyError{
			Reason: WeakSignature,
			Cert:   cert,
			Detail: fmt.Sprintf("%s is signed with %v", nameOf(cert), cert.SignatureAlgorithm),
		}
	}
	return nil
}

// checkStrength passes if one chain of the connection is strong from its leaf to its root.
func checkStrength(cs *tls.ConnectionState) error {
	chains := cs.VerifiedChains
	if len(chains) == 0 && len(cs.PeerCertificates) > 0 {
		chains = [][]*x509.Certificate{cs.PeerCertificates[:1]}
	}
	var first error
	for _, chain := range chains {
		err := checkChain(chain)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

func checkChain(chain []*x509.Certificate) error {
	for _, cert := range chain {
		if err := checkKey(cert); err != nil {
			return err
		}
		if err := checkSignature(cert); err != nil {
			return err
		}
	}
	return nil
}

func checkAllOwn(certs []tls.Certificate) error {
	for i := range certs {
		if err := checkOwn(&certs[i], time.Now()); err != nil {
			return fmt.Errorf("tlsconf: Certificates[%d]: %w", i, err)
		}
	}
	return nil
}

// checkOwn finds, before any peer does, what a peer would refuse in our own certificate.
func checkOwn(cert *tls.Certificate, now time.Time) error {
	if len(cert.Certificate) == 0 || cert.PrivateKey == nil {
		return errors.New("tlsconf: a certificate without its chain or its private key: load both with tls.LoadX509KeyPair")
	}
	leaf := cert.Leaf
	if leaf == nil {
		var err error
		if leaf, err = x509.ParseCertificate(cert.Certificate[0]); err != nil {
			return fmt.Errorf("tlsconf: own certificate: %w", err)
		}
	}
	if err := checkDates(leaf, now); err != nil {
		return err
	}
	return checkChain([]*x509.Certificate{leaf})
}

func checkDates(cert *x509.Certificate, now time.Time) error {
	switch {
	case now.Before(cert.NotBefore):
		return &VerifyError{Reason: NotYetValid, Cert: cert, Detail: notYetValid(cert, now)}
	case now.After(cert.NotAfter):
		return &VerifyError{Reason: Expired, Cert: cert, Detail: expired(cert, now)}
	}
	return nil
}

func expired(cert *x509.Certificate, now time.Time) string {
	return fmt.Sprintf("%s expired on %s, and the clock here says %s", nameOf(cert), date(cert.NotAfter), date(now))
}

func notYetValid(cert *x509.Certificate, now time.Time) string {
	return fmt.Sprintf("%s is valid from %s, and the clock here says %s", nameOf(cert), date(cert.NotBefore), date(now))
}

func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }
