package tlsconf

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestServerOptionsThatContradict(t *testing.T) {
	ca := newTestCA(t, "ca")
	certs := []tls.Certificate{ca.issue(t, nil)}
	get := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certs[0], nil }
	roots := func() *x509.CertPool { return nil }
	tests := []struct {
		name string
		o    ServerOptions
		want string
	}{
		{"no certificate", ServerOptions{}, "0 sources"},
		{"two sources", ServerOptions{Certificates: certs, GetCertificate: get}, "2 sources"},
		{"a certificate file without a key", ServerOptions{CertFile: "cert.pem"}, "go together"},
		{"a key file without a certificate", ServerOptions{KeyFile: "key.pem"}, "go together"},
		{"missing files", ServerOptions{CertFile: "missing.pem", KeyFile: "missing.pem"}, "missing.pem"},
		{"an unknown profile", ServerOptions{Certificates: certs, Profile: -1}, "profile"},
		{"an optional client certificate that nobody vouches for",
			ServerOptions{Certificates: certs, OptionalClientCert: true}, "OptionalClientCert"},
		{"two sources of client authorities",
			ServerOptions{Certificates: certs, ClientCAs: ca.pool(), GetClientCAs: roots}, "GetClientCAs"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Server(tt.o); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

func TestServerALPN(t *testing.T) {
	certs := []tls.Certificate{newTestCA(t, "ca").issue(t, nil)}
	get := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certs[0], nil }
	tests := []struct {
		name string
		o    ServerOptions
		want []string
	}{
		{"default", ServerOptions{Certificates: certs}, []string{"http/1.1"}},
		{"HTTP2", ServerOptions{Certificates: certs, HTTP2: true}, []string{"h2", "http/1.1"}},
		{"ACME", ServerOptions{GetCertificate: get}, []string{"http/1.1", "acme-tls/1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, mustServer(t, tt.o).NextProtos); diff != "" {
				t.Errorf("ALPN (-want +got):\n%s", diff)
			}
		})
	}
}

// An ACME client's validator offers acme-tls/1 alone, and must be answered with that (RFC 8737 §3).
func TestACMEChallengeIsAnswered(t *testing.T) {
	ca := newTestCA(t, "ca")
	usual, challenge := ca.issue(t, nil), ca.issue(t, nil)
	server := mustServer(t, ServerOptions{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if len(h.SupportedProtos) == 1 && h.SupportedProtos[0] == "acme-tls/1" {
			return &challenge, nil
		}
		return &usual, nil
	}})
	validator := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"acme-tls/1"}}
	for _, server := range []*tls.Config{server, ForWebSocket(server)} {
		_, c := mustConnect(t, server, validator)
		if c.state.NegotiatedProtocol != "acme-tls/1" || !c.state.PeerCertificates[0].Equal(challenge.Leaf) {
			t.Errorf("agreed on %q", c.state.NegotiatedProtocol)
		}
	}
}

func TestMutualTLS(t *testing.T) {
	ca, other := newTestCA(t, "ca"), newTestCA(t, "other")
	weakCA := newTestCAWithKey(t, "weak", newRSAKey(t, 1024))
	roots := ca.pool()
	roots.AddCert(weakCA.cert)
	server := func(o ServerOptions) *tls.Config {
		o.Certificates = []tls.Certificate{ca.issue(t, nil)}
		o.Profile = Intermediate
		return mustServer(t, o)
	}
	fixed := server(ServerOptions{ClientCAs: roots})
	dynamic := server(ServerOptions{GetClientCAs: func() *x509.CertPool { return roots }})
	optional := server(ServerOptions{ClientCAs: roots, OptionalClientCert: true})
	nobody := server(ServerOptions{GetClientCAs: func() *x509.CertPool { return nil }})
	cert := func(c tls.Certificate) *tls.Certificate { return &c }
	good := cert(ca.issue(t, nil))
	foreign := cert(other.issue(t, nil))
	tests := []struct {
		name         string
		server       *tls.Config
		cert         *tls.Certificate
		want, client Reason
	}{
		{"a good certificate", fixed, good, "", ""},
		{"a good certificate, dynamic authorities", dynamic, good, "", ""},
		{"a good certificate, optional", optional, good, "", ""},
		{"none", fixed, nil, NoClientCertificate, NoClientCertificate},
		{"none, dynamic authorities", dynamic, nil, NoClientCertificate, NoClientCertificate},
		{"none, optional", optional, nil, "", ""},
		{"another authority's", fixed, foreign, Untrusted, RefusedByPeer},
		{"another authority's, optional", optional, foreign, Untrusted, RefusedByPeer},
		{"no authority at all", nobody, good, Untrusted, RefusedByPeer},
		{"expired", fixed, cert(ca.issue(t, expiredTemplate)), Expired, RefusedByPeer},
		{"not valid yet", fixed, cert(ca.issue(t, futureTemplate)), NotYetValid, RefusedByPeer},
		{"weak", fixed, cert(ca.issueWithKey(t, newRSAKey(t, 1024), nil)), WeakKey, RefusedByPeer},
		{"of a weak authority", fixed, cert(weakCA.issue(t, nil)), WeakKey, RefusedByPeer},
		{"a server's", fixed, cert(ca.issue(t, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		})), Untrusted, RefusedByPeer},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := mustClient(t, ClientOptions{RootCAs: ca.pool()})
			if tt.cert != nil {
				// Unlike Certificates, which Go's client withholds from a server that would not accept them.
				client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return tt.cert, nil }
			}
			s, c := connect(t, tt.server, client)
			if got := reasonOf(s.err); got != tt.want || (s.err == nil) != (tt.want == "") {
				t.Errorf("the server has reason %q for %v, want %q", got, s.err, tt.want)
			}
			if got := reasonOf(c.err); got != tt.client {
				t.Errorf("the client has reason %q for %v, want %q", got, c.err, tt.client)
			}
			if tt.want == "" && (len(s.state.VerifiedChains) > 0) != (tt.cert != nil) {
				t.Errorf("the application sees %d verified chains", len(s.state.VerifiedChains))
			}
		})
	}
}

// CVE-2025-68121: a client whose authority was withdrawn comes back with a session ticket.
func TestRotatedClientAuthorityIsNotResumedPast(t *testing.T) {
	ca, next := newTestCA(t, "ca"), newTestCA(t, "next")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			var current atomic.Pointer[x509.CertPool]
			current.Store(ca.pool())
			server := mustServer(t, ServerOptions{
				Profile: Intermediate, Certificates: []tls.Certificate{ca.issue(t, nil)}, GetClientCAs: current.Load,
			})
			client := mustClient(t, ClientOptions{
				Profile: Intermediate, RootCAs: ca.pool(), SessionCache: tls.NewLRUClientSessionCache(4),
			})
			cert := ca.issue(t, nil)
			client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
			client.MaxVersion = version
			mustConnect(t, server, client)
			if s, _ := mustConnect(t, server, client); !s.state.DidResume || len(s.state.VerifiedChains) == 0 {
				t.Fatal("the session was not resumed, or without the client's chain")
			}
			current.Store(next.pool())
			if s, c := connect(t, server, client); reasonOf(s.err) != Untrusted || reasonOf(c.err) != RefusedByPeer {
				t.Errorf("the server says %v, the client %v", s.err, c.err)
			}
			cert = next.issue(t, nil)
			mustConnect(t, server, client)
		})
	}
}

// The same without the help of crypto/tls, which has checked the root itself since that advisory.
func TestClientCheckOnResumption(t *testing.T) {
	ca, next := newTestCA(t, "ca"), newTestCA(t, "next")
	intermediate := ca.intermediate(t)
	good := ca.issue(t, nil).Leaf
	below := intermediate.issue(t, nil).Leaf
	resumed := func(chain ...*x509.Certificate) tls.ConnectionState {
		return tls.ConnectionState{DidResume: true, PeerCertificates: chain,
			VerifiedChains: [][]*x509.Certificate{append(chain[:len(chain):len(chain)], ca.cert)}}
	}
	refusal := errors.New("not today")
	tests := []struct {
		name  string
		cs    tls.ConnectionState
		check clientCheck
		want  Reason
	}{
		{"its authority stands", resumed(good), clientCheck{roots: ca.pool}, ""},
		{"its authority stands above an intermediate", resumed(below, intermediate.cert), clientCheck{roots: ca.pool}, ""},
		{"its authority was withdrawn", resumed(good), clientCheck{roots: next.pool}, Untrusted},
		{"it has expired meanwhile", resumed(ca.issue(t, expiredTemplate).Leaf), clientCheck{roots: ca.pool}, Expired},
		{"there never was one", tls.ConnectionState{DidResume: true}, clientCheck{roots: ca.pool}, NoClientCertificate},
		{"there never was one, optional", tls.ConnectionState{DidResume: true},
			clientCheck{roots: ca.pool, optional: true}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.check.verify(tt.cs); reasonOf(err) != tt.want || (err == nil) != (tt.want == "") {
				t.Errorf("error %v, want reason %q", err, tt.want)
			}
			tt.check.next = func(tls.ConnectionState) error { return refusal }
			if err := tt.check.verify(tt.cs); tt.want == "" && err != refusal {
				t.Errorf("the caller's own check says %v", err)
			}
		})
	}
}

func (ca *testCA) intermediate(t testing.TB) *testCA {
	t.Helper()
	key := newKey(t)
	cert := ca.issueWithKey(t, key, func(c *x509.Certificate) {
		c.Subject.CommonName, c.DNSNames = "intermediate", nil
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	})
	return &testCA{cert: cert.Leaf, key: key}
}

func TestVerifyConnectionWithoutMutualTLS(t *testing.T) {
	ca := newTestCA(t, "ca")
	refusal := errors.New("not today")
	server := mustServer(t, ServerOptions{
		Certificates: []tls.Certificate{ca.issue(t, nil)}, VerifyConnection: func(tls.ConnectionState) error { return refusal },
	})
	if s, _ := connect(t, server, mustClient(t, ClientOptions{RootCAs: ca.pool()})); !errors.Is(s.err, refusal) {
		t.Errorf("the server says %v", s.err)
	}
}

func TestKeyLogIsOptIn(t *testing.T) {
	ca := newTestCA(t, "ca")
	certs := []tls.Certificate{ca.issue(t, nil)}
	if mustServer(t, ServerOptions{Certificates: certs}).KeyLogWriter != nil ||
		mustClient(t, ClientOptions{}).KeyLogWriter != nil {
		t.Error("secrets are logged by default")
	}
	var s, c bytes.Buffer
	mustConnect(t, mustServer(t, ServerOptions{Certificates: certs, KeyLog: &s}),
		mustClient(t, ClientOptions{RootCAs: ca.pool(), KeyLog: &c}))
	for side, log := range map[string]string{"server": s.String(), "client": c.String()} {
		if !strings.Contains(log, "CLIENT_TRAFFIC_SECRET_0 ") {
			t.Errorf("the %s logged %q", side, log)
		}
	}
}

func TestServerFilesAreReloadedByHandshakes(t *testing.T) {
	ca := newTestCA(t, "ca")
	first, renewed := ca.issue(t, nil), ca.issue(t, nil)
	certFile, keyFile := writePair(t, t.TempDir(), first)
	server := mustServer(t, ServerOptions{CertFile: certFile, KeyFile: keyFile})
	client := mustClient(t, ClientOptions{RootCAs: ca.pool()})
	if _, c := mustConnect(t, server, client); !c.state.PeerCertificates[0].Equal(first.Leaf) {
		t.Error("another certificate than the one in the file")
	}
	writeFile(t, certFile, certPEM(renewed.Certificate[0]))
	writeFile(t, keyFile, keyPEM(t, renewed))
	if _, c := mustConnect(t, server, client); !c.state.PeerCertificates[0].Equal(first.Leaf) {
		t.Error("the files are looked at before the interval is over")
	}
}
