package tlsconf

import (
	"crypto/dsa" //lint:ignore SA1019 a key type to refuse
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"
)

func TestCheckKey(t *testing.T) {
	curve := func(c elliptic.Curve) any {
		key, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key.Public()
	}
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		key  any
		want Reason
	}{
		{"RSA-1024", newRSAKey(t, 1024).Public(), WeakKey},
		{"RSA-2047", newRSAKey(t, 2047).Public(), WeakKey},
		{"RSA-2048", newRSAKey(t, 2048).Public(), ""},
		{"P-224", curve(elliptic.P224()), WeakKey},
		{"P-256", curve(elliptic.P256()), ""},
		{"Ed25519", edwards, ""},
		{"DSA", &dsa.PublicKey{}, WeakKey},
		{"unknown", nil, WeakKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := checkKey(&x509.Certificate{PublicKey: tt.key})
			if got := reasonOf(err); got != tt.want {
				t.Errorf("reason %q for %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestCheckSignature(t *testing.T) {
	for algorithm, want := range map[x509.SignatureAlgorithm]Reason{
		x509.MD5WithRSA: WeakSignature, x509.SHA1WithRSA: WeakSignature, x509.ECDSAWithSHA1: WeakSignature,
		x509.SHA256WithRSA: "", x509.ECDSAWithSHA384: "", x509.PureEd25519: "",
	} {
		cert := &x509.Certificate{SignatureAlgorithm: algorithm, RawIssuer: []byte{1}, RawSubject: []byte{2}}
		if err := checkSignature(cert); reasonOf(err) != want {
			t.Errorf("%v: %v", algorithm, err)
		}
		cert.RawSubject = cert.RawIssuer
		if err := checkSignature(cert); err != nil {
			t.Errorf("%v, self-issued: %v", algorithm, err)
		}
	}
}

// Cross-signed chains: one strong path suffices.
func TestCheckStrengthWantsOneStrongChain(t *testing.T) {
	strong := &x509.Certificate{PublicKey: newKey(t).Public()}
	weak := &x509.Certificate{PublicKey: newRSAKey(t, 1024).Public()}
	tests := []struct {
		name string
		cs   tls.ConnectionState
		want Reason
	}{
		{"no certificate", tls.ConnectionState{}, ""},
		{"a weak chain beside a strong one",
			tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{strong, weak}, {strong, strong}}}, ""},
		{"weak chains", tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{strong, weak}, {weak}}}, WeakKey},
		{"an unverified weak leaf", tls.ConnectionState{PeerCertificates: []*x509.Certificate{weak}}, WeakKey},
		{"an unverified strong leaf", tls.ConnectionState{PeerCertificates: []*x509.Certificate{strong, weak}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := checkStrength(&tt.cs); reasonOf(err) != tt.want {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func TestOwnCertificatesThatPeersWouldRefuse(t *testing.T) {
	ca := newTestCA(t, "ca")
	good := ca.issue(t, nil)
	withoutLeaf := good
	withoutLeaf.Leaf = nil
	tests := []struct {
		name   string
		cert   tls.Certificate
		ok     bool
		reason Reason
	}{
		{"good", good, true, ""},
		{"good, not parsed yet", withoutLeaf, true, ""},
		{"empty", tls.Certificate{}, false, ""},
		{"without a key", tls.Certificate{Certificate: good.Certificate}, false, ""},
		{"garbage", tls.Certificate{Certificate: [][]byte{{1}}, PrivateKey: good.PrivateKey}, false, ""},
		{"expired", ca.issue(t, expiredTemplate), false, Expired},
		{"not valid yet", ca.issue(t, futureTemplate), false, NotYetValid},
		{"weak", ca.issueWithKey(t, newRSAKey(t, 1024), nil), false, WeakKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := checkOwn(&tt.cert, time.Now())
			if (err == nil) != tt.ok || reasonOf(err) != tt.reason {
				t.Errorf("error %v, want reason %q", err, tt.reason)
			}
			for role, err := range map[string]error{
				"server": second(Server(ServerOptions{Certificates: []tls.Certificate{good, tt.cert}})),
				"client": second(Client(ClientOptions{Certificates: []tls.Certificate{good, tt.cert}})),
			} {
				if (err == nil) != tt.ok || reasonOf(err) != tt.reason {
					t.Errorf("%s: error %v, want reason %q", role, err, tt.reason)
				}
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }
