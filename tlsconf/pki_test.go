package tlsconf

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// testCA issues certificates as the tests want them, faults included.
type testCA struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newRSAKey(t testing.TB, bits int) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newTestCA(t testing.TB, name string) *testCA {
	t.Helper()
	return newTestCAWithKey(t, name, newKey(t))
}

func newTestCAWithKey(t testing.TB, name string, key crypto.Signer) *testCA {
	t.Helper()
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-48 * time.Hour),
		NotAfter:              time.Now().Add(48 * time.Hour),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &testCA{cert: cert, key: key}
}

func (ca *testCA) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return pool
}

// issue signs a certificate for localhost and both roles; change may spoil the template first.
func (ca *testCA) issue(t testing.TB, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	return ca.issueWithKey(t, newKey(t), change)
}

func (ca *testCA) issueWithKey(t testing.TB, key crypto.Signer, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "leaf of " + ca.cert.Subject.CommonName},
		DNSNames:    []string{"localhost"},
		NotBefore:   time.Now().Add(-time.Hour),
		NotAfter:    time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, key.Public(), ca.key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func expiredTemplate(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }

func futureTemplate(c *x509.Certificate) { c.NotBefore = time.Now().Add(30 * time.Minute) }

func keyPEM(t testing.TB, cert tls.Certificate) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func writeFile(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// writePair writes cert.pem and key.pem into dir.
func writePair(t testing.TB, dir string, cert tls.Certificate) (certFile, keyFile string) {
	t.Helper()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeFile(t, certFile, certPEM(cert.Certificate[0]))
	writeFile(t, keyFile, keyPEM(t, cert))
	return certFile, keyFile
}

// side is how a handshake ended for one of the two.
type side struct {
	state tls.ConnectionState
	err   error
}

// connect makes a connection over loopback, with a byte from the server to the client so that the client sees the
// session ticket, or the alert of a server that refuses it.
func connect(t testing.TB, server, client *tls.Config) (s, c side) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	deadline := time.Now().Add(20 * time.Second)
	served := make(chan side, 1)
	go func() {
		nc, err := ln.Accept()
		if err != nil {
			served <- side{err: err}
			return
		}
		defer nc.Close()
		nc.SetDeadline(deadline)
		tc := tls.Server(nc, server)
		if err := tc.Handshake(); err != nil {
			served <- side{err: err}
			return
		}
		tc.Write([]byte{1})
		io.Copy(io.Discard, tc)
		served <- side{state: tc.ConnectionState()}
	}()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(deadline)
	if client.ServerName == "" {
		client = client.Clone()
		client.ServerName = "localhost"
	}
	tc := tls.Client(nc, client)
	if err := tc.Handshake(); err != nil {
		c.err = err
	} else if _, err := tc.Read(make([]byte, 1)); err != nil {
		c.err = err
	}
	c.state = tc.ConnectionState()
	tc.Close()
	return <-served, c
}

func mustServer(t testing.TB, o ServerOptions) *tls.Config {
	t.Helper()
	c, err := Server(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustClient(t testing.TB, o ClientOptions) *tls.Config {
	t.Helper()
	c, err := Client(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// mustConnect fails the test unless both sides are content.
func mustConnect(t testing.TB, server, client *tls.Config) (s, c side) {
	t.Helper()
	s, c = connect(t, server, client)
	if s.err != nil || c.err != nil {
		t.Fatalf("refused: server says %v, client says %v", s.err, c.err)
	}
	return s, c
}

// issueAt is issue for a certificate that is valid for a day from a given time on, such as a bubble's.
func (ca *testCA) issueAt(t testing.TB, from time.Time) tls.Certificate {
	t.Helper()
	return ca.issue(t, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = from, from.Add(24*time.Hour) })
}
