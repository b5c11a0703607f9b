package tlsconf

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"time"
)

// A user trusts the authority by hand, so it lasts; the leaf renews itself, so it does not.
const (
	caLife    = 10 * 365 * 24 * time.Hour
	leafLife  = 30 * 24 * time.Hour
	leafRenew = 10 * 24 * time.Hour
	clockSkew = time.Hour
)

const devHost = "localhost"

func devAddresses() []net.IP { return []net.IP{net.IPv4(127, 0, 0, 1).To4(), net.IPv6loopback} }

// issuer is the development authority with its key.
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newIssuer() (*issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	// Two authorities with one subject would confuse a trust store, so the name tells them apart.
	id := make([]byte, 4)
	rand.Read(id)
	now := time.Now()
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "wss development CA " + hex.EncodeToString(id)},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(caLife),
		KeyUsage:              x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,

		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         []string{devHost},
	}
	for _, ip := range devAddresses() {
		all := net.CIDRMask(8*len(ip), 8*len(ip))
		template.PermittedIPRanges = append(template.PermittedIPRanges, &net.IPNet{IP: ip, Mask: all})
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("tlsconf: development CA: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	return &issuer{cert: cert, key: key}, err
}

// issue makes a key, and a certificate for localhost and its addresses.
func (i *issuer) issue() (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return i.issueFor(key, devAddresses())
}

// issueFor makes a certificate for localhost and addresses. It never outlives the authority.
func (i *issuer) issueFor(key crypto.Signer, addresses []net.IP) (*tls.Certificate, error) {
	now := time.Now()
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: devHost},
		DNSNames:    []string{devHost},
		IPAddresses: addresses,
		NotBefore:   now.Add(-clockSkew),
		NotAfter:    now.Add(leafLife),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if template.NotAfter.After(i.cert.NotAfter) {
		template.NotAfter = i.cert.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, template, i.cert, key.Public(), i.key)
	if err != nil {
		return nil, fmt.Errorf("tlsconf: certificate for localhost: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}

// due says whether a certificate must be issued anew: it nears its end, or another authority signed it.
func (i *issuer) due(leaf *x509.Certificate, now time.Time) bool {
	return now.Before(leaf.NotBefore) || now.Add(leafRenew).After(leaf.NotAfter) && leaf.NotAfter.Before(i.cert.NotAfter) ||
		leaf.CheckSignatureFrom(i.cert) != nil
}

func certPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// bundle is a certificate and its key in one file, so that the two change together.
func bundle(der []byte, key *ecdsa.PrivateKey) ([]byte, error) {
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return append(certPEM(der), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})...), nil
}

func parseIssuer(data []byte) (*issuer, error) {
	pair, err := tls.X509KeyPair(data, data)
	if err != nil {
		return nil, err
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA {
		return nil, errors.New("not a certificate authority with an ECDSA key")
	}
	return &issuer{cert: pair.Leaf, key: key}, nil
}
