package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClientDefaults(t *testing.T) {
	c := mustClient(t, ClientOptions{})
	if c.MinVersion != tls.VersionTLS13 || c.InsecureSkipVerify || c.ClientSessionCache != nil || c.RootCAs != nil {
		t.Errorf("unsafe or surprising defaults: %+v", c)
	}
	if diff := cmp.Diff([]string{"http/1.1"}, c.NextProtos); diff != "" {
		t.Errorf("ALPN (-want +got):\n%s", diff)
	}
	c = mustClient(t, ClientOptions{HTTP2: true, ServerName: "example.org"})
	if diff := cmp.Diff([]string{"h2", "http/1.1"}, c.NextProtos); diff != "" || c.ServerName != "example.org" {
		t.Errorf("server name %q, ALPN (-want +got):\n%s", c.ServerName, diff)
	}
	if _, err := Client(ClientOptions{Profile: 7}); err == nil {
		t.Error("an unknown profile passes")
	}
}

func TestClientShowsItsCertificate(t *testing.T) {
	ca := newTestCA(t, "ca")
	cert := ca.issue(t, nil)
	certFile, keyFile := writePair(t, t.TempDir(), cert)
	r, err := NewReloader(certFile, keyFile, ReloaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	server := mustServer(t, ServerOptions{Certificates: []tls.Certificate{ca.issue(t, nil)}, ClientCAs: ca.pool()})
	for name, o := range map[string]ClientOptions{
		"fixed":    {Certificates: []tls.Certificate{cert}},
		"reloaded": {GetClientCertificate: r.GetClientCertificate},
	} {
		o.RootCAs = ca.pool()
		if s, _ := mustConnect(t, server, mustClient(t, o)); !s.state.PeerCertificates[0].Equal(cert.Leaf) {
			t.Errorf("%s: the server saw another certificate", name)
		}
	}
}

func TestCallersOwnCheckComesLast(t *testing.T) {
	ca := newTestCA(t, "ca")
	server := mustServer(t, ServerOptions{Certificates: []tls.Certificate{ca.issue(t, nil)}})
	refusal := errors.New("not today")
	own := func(tls.ConnectionState) error { return refusal }
	if _, c := connect(t, server, mustClient(t, ClientOptions{RootCAs: ca.pool(), VerifyConnection: own})); !errors.Is(c.err, refusal) {
		t.Errorf("the client says %v", c.err)
	}
	pins := []string{PinOf(newTestCA(t, "other").cert)}
	_, c := connect(t, server, mustClient(t, ClientOptions{RootCAs: ca.pool(), Pins: pins, VerifyConnection: own}))
	if reasonOf(c.err) != PinMismatch {
		t.Errorf("the client says %v", c.err)
	}
}

func TestInsecureSkipVerifyLeavesTheOtherChecks(t *testing.T) {
	ca := newTestCA(t, "ca")
	for name, tt := range map[string]struct {
		cert tls.Certificate
		want Reason
	}{
		"strong": {ca.issue(t, nil), ""},
		"weak":   {ca.issueWithKey(t, newRSAKey(t, 1024), nil), WeakKey},
	} {
		client := mustClient(t, ClientOptions{SessionCache: tls.NewLRUClientSessionCache(4)})
		client.InsecureSkipVerify = true
		server := &tls.Config{Certificates: []tls.Certificate{tt.cert}}
		for range 2 {
			if _, c := connect(t, server, client); reasonOf(c.err) != tt.want || (c.err == nil) != (tt.want == "") {
				t.Errorf("%s: %v", name, c.err)
			}
		}
	}
}

func TestServerCheckOnResumption(t *testing.T) {
	ca, next := newTestCA(t, "ca"), newTestCA(t, "next")
	leaf := ca.issue(t, nil).Leaf
	cs := tls.ConnectionState{DidResume: true, PeerCertificates: []*x509.Certificate{leaf},
		VerifiedChains: [][]*x509.Certificate{{leaf, ca.cert}}}
	if err := (&serverCheck{roots: ca.pool()}).verify(cs); err != nil {
		t.Error(err)
	}
	if err := (&serverCheck{roots: next.pool()}).verify(cs); reasonOf(err) != Untrusted {
		t.Errorf("the authority was withdrawn: %v", err)
	}
}
