package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// reasonOf is the reason that Explain finds, or "".
func reasonOf(err error) Reason {
	if v, ok := errors.AsType[*VerifyError](Explain(err)); ok {
		return v.Reason
	}
	return ""
}

func hasType[E error](err error) bool {
	_, ok := errors.AsType[E](Explain(err))
	return ok
}

// A server with a fault, seen by a client that has none.
func TestClientRefuses(t *testing.T) {
	ca, other := newTestCA(t, "ca"), newTestCA(t, "other")
	weakCA := newTestCAWithKey(t, "weak ca", newRSAKey(t, 1024))
	rsaCA := newTestCAWithKey(t, "rsa ca", newRSAKey(t, 2048))
	self := newTestCA(t, "self-signed")
	tests := []struct {
		name  string
		cert  tls.Certificate
		roots *testCA
		want  Reason
		typed func(error) bool
	}{
		{name: "a certificate for another host", want: WrongHost, typed: hasType[x509.HostnameError], roots: ca,
			cert: ca.issue(t, func(c *x509.Certificate) { c.DNSNames = []string{"example.org"} })},
		{name: "an expired certificate", want: Expired, typed: hasType[x509.CertificateInvalidError], roots: ca,
			cert: ca.issue(t, expiredTemplate)},
		{name: "a certificate that is not valid yet", want: NotYetValid, typed: hasType[x509.CertificateInvalidError], roots: ca,
			cert: ca.issue(t, futureTemplate)},
		{name: "a self-signed certificate", want: Untrusted, typed: hasType[x509.UnknownAuthorityError], roots: ca,
			cert: self.issueSelf(t)},
		{name: "a certificate of an unknown authority", want: Untrusted, typed: hasType[x509.UnknownAuthorityError], roots: ca,
			cert: other.issue(t, nil)},
		{name: "a certificate for clients", want: Untrusted, typed: hasType[x509.CertificateInvalidError], roots: ca,
			cert: ca.issue(t, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })},
		{name: "an RSA-1024 key", want: WeakKey, roots: ca, cert: ca.issueWithKey(t, newRSAKey(t, 1024), nil)},
		{name: "an authority with an RSA-1024 key", want: WeakKey, roots: weakCA, cert: weakCA.issue(t, nil)},
		{name: "a SHA-1 signature", want: WeakSignature, typed: hasType[x509.UnknownAuthorityError], roots: rsaCA,
			cert: rsaCA.issue(t, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA })},
	}
	for _, tt := range tests {
		for _, profile := range []Profile{Modern, Intermediate} {
			t.Run(tt.name+" "+profile.String(), func(t *testing.T) {
				// Not made by Server, which would refuse some of these certificates itself.
				server := &tls.Config{Certificates: []tls.Certificate{tt.cert}}
				if profile == Intermediate {
					server.MaxVersion = tls.VersionTLS12
				}
				s, c := connect(t, server, mustClient(t, ClientOptions{Profile: profile, RootCAs: tt.roots.pool()}))
				if got := reasonOf(c.err); got != tt.want {
					t.Fatalf("reason %q for %v, want %q", got, c.err, tt.want)
				}
				if tt.typed != nil && !tt.typed(c.err) {
					t.Errorf("the type of x509 is lost in %v", Explain(c.err))
				}
				if v, _ := errors.AsType[*VerifyError](Explain(c.err)); v.Cert == nil {
					t.Error("the certificate at fault is not named")
				}
				if got := reasonOf(s.err); got != RefusedByPeer {
					t.Errorf("the server has reason %q for %v", got, s.err)
				}
			})
		}
	}
}

// issueSelf is the authority's own certificate, for localhost, as a server's.
func (ca *testCA) issueSelf(t testing.TB) tls.Certificate {
	t.Helper()
	return ca.issueWithKey(t, ca.key, func(c *x509.Certificate) { c.Subject = ca.cert.Subject })
}

func TestOldPeersAreRefused(t *testing.T) {
	ca := newTestCA(t, "ca")
	cert := ca.issueWithKey(t, newRSAKey(t, 2048), nil)
	server := func(p Profile) *tls.Config {
		return mustServer(t, ServerOptions{Profile: p, Certificates: []tls.Certificate{cert}})
	}
	client := func(p Profile) *tls.Config { return mustClient(t, ClientOptions{Profile: p, RootCAs: ca.pool()}) }
	old := func(change func(*tls.Config)) *tls.Config {
		c := &tls.Config{MinVersion: tls.VersionTLS10, RootCAs: ca.pool(), Certificates: []tls.Certificate{cert}}
		change(c)
		return c
	}
	tls11 := old(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 })
	tls12 := old(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 })
	cbc := old(func(c *tls.Config) {
		c.MaxVersion = tls.VersionTLS12
		c.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA}
	})
	h2 := old(func(c *tls.Config) { c.NextProtos = []string{"h2"} })
	tests := []struct {
		name           string
		server, client *tls.Config
		want           Reason
	}{
		{"a TLS 1.1 client, intermediate", server(Intermediate), tls11, OldVersion},
		{"a TLS 1.1 client, modern", server(Modern), tls11, OldVersion},
		{"a TLS 1.2 client, modern", server(Modern), tls12, OldVersion},
		{"a TLS 1.1 server, intermediate", tls11, client(Intermediate), OldVersion},
		{"a TLS 1.2 server, modern", tls12, client(Modern), OldVersion},
		{"a client with CBC alone", server(Intermediate), cbc, NoSharedSuite},
		{"a server with CBC alone", cbc, client(Intermediate), NoSharedSuite},
		{"a client with h2 alone", server(Modern), h2, NoSharedProtocol},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, c := connect(t, tt.server, tt.client)
			if got := reasonOf(s.err); got != tt.want {
				t.Errorf("the server has reason %q for %v, want %q", got, s.err, tt.want)
			}
			if got := reasonOf(c.err); got != tt.want {
				t.Errorf("the client has reason %q for %v, want %q", got, c.err, tt.want)
			}
		})
	}
	mustConnect(t, server(Intermediate), tls12)
	mustConnect(t, tls12, client(Intermediate))
}

func TestPlainTextPeerIsNotTLS(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	nc, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	err = tls.Client(nc, &tls.Config{ServerName: "localhost"}).Handshake()
	if got := reasonOf(err); got != NotTLS {
		t.Errorf("reason %q for %v", got, err)
	}
	if !hasType[tls.RecordHeaderError](err) {
		t.Errorf("the type of tls is lost in %v", Explain(err))
	}
}

func TestExplainLeavesOtherErrorsAlone(t *testing.T) {
	known := &VerifyError{Reason: Expired}
	for _, err := range []error{
		nil, io.EOF, known, &net.OpError{Op: "read", Err: errors.New("reset")},
		&net.OpError{Op: "remote error", Err: tls.AlertError(80)},
	} {
		if got := Explain(err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
	if got := reasonOf(x509.SystemRootsError{Err: io.EOF}); got != Untrusted {
		t.Errorf("no system roots: reason %q", got)
	}
	if got := reasonOf(&tls.CertificateVerificationError{Err: io.EOF}); got != Untrusted {
		t.Errorf("an unknown failure to verify: reason %q", got)
	}
}

func TestAnUnknownAuthorityIsNamed(t *testing.T) {
	ca := newTestCA(t, "ca")
	for _, tt := range []struct {
		name string
		cert *x509.Certificate
		want string
	}{
		{"no certificate is known", nil, "certificate signed by unknown authority"},
		{"another's", ca.issue(t, nil).Leaf, `certificate "leaf of ca" is signed by an unknown authority, CN=ca`},
		{"its own", ca.cert, `certificate "ca" is self-signed`},
	} {
		v, ok := errors.AsType[*VerifyError](Explain(x509.UnknownAuthorityError{Cert: tt.cert}))
		if !ok || v.Reason != Untrusted || v.Cert != tt.cert || !strings.Contains(v.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, v)
		}
	}
}
