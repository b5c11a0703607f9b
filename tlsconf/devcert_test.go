package tlsconf

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

func TestDevelopmentAuthorityIsConstrained(t *testing.T) {
	ca, err := newIssuer()
	if err != nil {
		t.Fatal(err)
	}
	thief := &testCA{cert: ca.cert, key: ca.key}
	named := func(names []string, ips ...net.IP) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = names, ips }
	}
	tests := []struct {
		name   string
		change func(*x509.Certificate)
		ok     bool
	}{
		{"localhost", named([]string{"localhost"}), true},
		{"loopback addresses", named(nil, net.IPv4(127, 0, 0, 1), net.IPv6loopback), true},
		{"a public name", named([]string{"example.org"}), false},
		{"a name that ends alike", named([]string{"notlocalhost"}), false},
		{"a public name beside localhost", named([]string{"localhost", "example.org"}), false},
		{"a public address", named(nil, net.IPv4(192, 0, 2, 1)), false},
		{"another loopback address", named(nil, net.IPv4(127, 0, 0, 2)), false},
		{"a client", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, false},
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			leaf := thief.issue(t, tt.change).Leaf
			_, err := leaf.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: leaf.ExtKeyUsage[:1]})
			if (err == nil) != tt.ok {
				t.Errorf("error %v", err)
			}
		})
	}
	below := thief.intermediate(t)
	between := x509.NewCertPool()
	between.AddCert(below.cert)
	if _, err := below.issue(t, nil).Leaf.Verify(x509.VerifyOptions{Roots: pool, Intermediates: between}); err == nil {
		t.Error("an authority below this one is believed")
	}
}

// TestClientsThatAskForLocalhostGetNoAddresses: BoringSSL refuses a certificate with addresses below an authority whose
// constraints have some, "unsupported name constraint type". Bun is such a client, and sends SNI.
func TestClientsThatAskForLocalhostGetNoAddresses(t *testing.T) {
	d := mustDevelopment(t, DevOptions{InMemory: true})
	full := mustLeaf(t, d)
	for _, tt := range []struct {
		name, server string
		byName       bool
	}{
		{"localhost", "localhost", true},
		{"in capitals", "LOCALHOST", true},
		{"no name, as for an address, or by Java for a name without a dot", "", false},
		{"an address, against RFC 6066", "127.0.0.1", false},
		{"another name", "localhost.example", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := d.GetCertificate(&tls.ClientHelloInfo{ServerName: tt.server})
			if err != nil {
				t.Fatal(err)
			}
			if (got == full) == tt.byName || (len(got.Leaf.IPAddresses) == 0) != tt.byName {
				t.Errorf("it is for %v and %v", got.Leaf.DNSNames, got.Leaf.IPAddresses)
			}
			if err := got.Leaf.VerifyHostname("localhost"); err != nil {
				t.Error(err)
			}
			if _, err := got.Leaf.Verify(x509.VerifyOptions{Roots: d.Pool(), DNSName: "localhost"}); err != nil {
				t.Error(err)
			}
			if PinOf(got.Leaf) != PinOf(full.Leaf) {
				t.Error("it has another key")
			}
			if again, _ := d.GetCertificate(&tls.ClientHelloInfo{ServerName: tt.server}); again != got {
				t.Error("it is made anew for each handshake")
			}
		})
	}
	if got, err := d.GetCertificate(nil); got != full || err != nil {
		t.Errorf("without a ClientHello: %v", err)
	}
}

func TestTheCertificateByNameIsRenewedWithTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := mustDevelopment(t, DevOptions{InMemory: true})
		hello := &tls.ClientHelloInfo{ServerName: "localhost"}
		first, err := d.GetCertificate(hello)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(leafLife - leafRenew + time.Hour)
		second, err := d.GetCertificate(hello)
		if err != nil || second == first || !second.Leaf.NotAfter.Equal(mustLeaf(t, d).Leaf.NotAfter) {
			t.Errorf("%v, until %v", err, second.Leaf.NotAfter)
		}
	})
}

// TestShapeOfTheAuthority: what other verifiers were seen to need or to refuse.
func TestShapeOfTheAuthority(t *testing.T) {
	ca, err := newIssuer()
	if err != nil {
		t.Fatal(err)
	}
	c := ca.cert
	if !c.IsCA || !c.BasicConstraintsValid || c.MaxPathLen != 0 || !c.MaxPathLenZero || c.KeyUsage != x509.KeyUsageCertSign {
		t.Errorf("basic constraints %v, path length %d, key usage %b", c.IsCA, c.MaxPathLen, c.KeyUsage)
	}
	if !c.PermittedDNSDomainsCritical || len(c.PermittedDNSDomains) != 1 || c.PermittedDNSDomains[0] != "localhost" || len(c.PermittedIPRanges) != 2 {
		t.Errorf("constraints %v %v", c.PermittedDNSDomains, c.PermittedIPRanges)
	}
	if len(c.SubjectKeyId) == 0 || len(c.UnhandledCriticalExtensions) != 0 || c.SerialNumber.Sign() <= 0 || c.SignatureAlgorithm != x509.ECDSAWithSHA256 {
		t.Errorf("key id %x, serial %v, %v", c.SubjectKeyId, c.SerialNumber, c.SignatureAlgorithm)
	}
	leaf, err := ca.issue()
	if err != nil {
		t.Fatal(err)
	}
	if l := leaf.Leaf; l.IsCA || !bytes.Equal(l.AuthorityKeyId, c.SubjectKeyId) || l.NotAfter.Sub(l.NotBefore) > 398*24*time.Hour {
		t.Errorf("a leaf that browsers refuse: %+v", l)
	}
}

func TestTwoAuthoritiesHaveTwoNames(t *testing.T) {
	a, errA := newIssuer()
	b, errB := newIssuer()
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	if a.cert.Subject.String() == b.cert.Subject.String() {
		t.Errorf("both are %s", a.cert.Subject)
	}
}

func TestDue(t *testing.T) {
	ca, err := newIssuer()
	if err != nil {
		t.Fatal(err)
	}
	other, err := newIssuer()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.issue()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	tests := []struct {
		name   string
		issuer *issuer
		at     time.Time
		want   bool
	}{
		{"fresh", ca, now, false},
		{"before its beginning", ca, now.Add(-2 * clockSkew), true},
		{"before its last ten days", ca, now.Add(leafLife - leafRenew - time.Minute), false},
		{"in its last ten days", ca, now.Add(leafLife - leafRenew + time.Minute), true},
		{"of another authority", other, now, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.issuer.due(leaf.Leaf, tt.at); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestLeafDoesNotOutliveTheAuthority(t *testing.T) {
	ca, err := newIssuer()
	if err != nil {
		t.Fatal(err)
	}
	ca.cert.NotAfter = time.Now().Add(time.Hour).Truncate(time.Second)
	leaf, err := ca.issue()
	if err != nil {
		t.Fatal(err)
	}
	if !leaf.Leaf.NotAfter.Equal(ca.cert.NotAfter) || ca.due(leaf.Leaf, time.Now()) {
		t.Errorf("ends %v, the authority %v", leaf.Leaf.NotAfter, ca.cert.NotAfter)
	}
}

func TestParseIssuer(t *testing.T) {
	ca, err := newIssuer()
	if err != nil {
		t.Fatal(err)
	}
	leaf := (&testCA{cert: ca.cert, key: ca.key}).issue(t, nil)
	good, err := bundle(ca.cert.Raw, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := parseIssuer(good); err != nil || !got.cert.Equal(ca.cert) || !got.key.Equal(ca.key) {
		t.Errorf("got %v, error %v", got, err)
	}
	for name, data := range map[string][]byte{
		"empty":        nil,
		"half-written": good[:len(good)/2],
		"a leaf":       append(certPEM(leaf.Certificate[0]), keyPEM(t, leaf)...),
	} {
		if _, err := parseIssuer(data); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
