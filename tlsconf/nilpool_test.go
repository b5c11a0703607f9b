package tlsconf

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// TestANilClientPoolAdmitsNobody: to crypto/tls a nil pool means the system's authorities, so that any certificate of a
// public authority would do. To show it, an authority of the test's must be one of the system's, which crypto/x509 reads
// once in a process: so the test runs itself in another.
func TestANilClientPoolAdmitsNobody(t *testing.T) {
	const variable = "TLSCONF_TEST_SYSTEM_ROOT"
	if file := os.Getenv(variable); file != "" {
		asSystemRoot(t, file)
		return
	}
	if runtime.GOOS != "linux" {
		t.Skip("the system's authorities cannot be replaced here")
	}
	ca := newTestCA(t, "system root")
	dir := t.TempDir()
	bundle := filepath.Join(dir, "bundle.pem")
	public := filepath.Join(dir, "ca.pem")
	writeFile(t, public, certPEM(ca.cert.Raw))
	writeFile(t, bundle, append(certPEM(ca.cert.Raw), keyPEM(t, tls.Certificate{PrivateKey: ca.key})...))
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), variable+"="+bundle, "SSL_CERT_FILE="+public, "SSL_CERT_DIR="+dir+"/none")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func asSystemRoot(t *testing.T, bundle string) {
	pair, err := tls.LoadX509KeyPair(bundle, bundle)
	if err != nil {
		t.Fatal(err)
	}
	ca := &testCA{cert: pair.Leaf, key: pair.PrivateKey.(crypto.Signer)}
	cert := ca.issue(t, nil)
	client := mustClient(t, ClientOptions{RootCAs: ca.pool()})
	client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
	own := []tls.Certificate{ca.issue(t, nil)}

	control := &tls.Config{Certificates: own, ClientAuth: tls.RequireAndVerifyClientCert}
	if s, c := connect(t, control, client); s.err != nil || c.err != nil {
		t.Fatalf("the authority is not one of the system's: the server says %v, the client %v", s.err, c.err)
	}
	for _, optional := range []bool{false, true} {
		server := mustServer(t, ServerOptions{Certificates: own, OptionalClientCert: optional,
			GetClientCAs: func() *x509.CertPool { return nil }})
		if s, c := connect(t, server, client); reasonOf(s.err) != Untrusted || reasonOf(c.err) != RefusedByPeer {
			t.Errorf("optional %v: the server says %v, the client %v", optional, s.err, c.err)
		}
	}
	resumed := tls.ConnectionState{DidResume: true, PeerCertificates: []*x509.Certificate{cert.Leaf}}
	check := &clientCheck{roots: func() *x509.CertPool { return nil }}
	if err := check.verify(resumed); reasonOf(err) != Untrusted {
		t.Errorf("resumed: %v", err)
	}
}
