package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
)

func TestPinOf(t *testing.T) {
	ca := newTestCA(t, "ca")
	key := newKey(t)
	first, renewed := ca.issueWithKey(t, key, nil), ca.issueWithKey(t, key, nil)
	if PinOf(first.Leaf) != PinOf(renewed.Leaf) {
		t.Error("a renewal that keeps the key changes the pin")
	}
	if PinOf(first.Leaf) == PinOf(ca.issue(t, nil).Leaf) {
		t.Error("two keys share a pin")
	}
	// The digest of no bytes, known from FIPS 180-4's implementations.
	if got, want := PinOf(&x509.Certificate{}), "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestMalformedPins(t *testing.T) {
	for _, pin := range []string{
		"", "sha256/", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "sha1/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
		"sha256/47DEQpj8HBSa", "sha256/not base64",
	} {
		if _, err := Client(ClientOptions{Pins: []string{pin}}); err == nil || !strings.Contains(err.Error(), "PinOf") {
			t.Errorf("%q: error %v", pin, err)
		}
	}
}

func TestPinning(t *testing.T) {
	ca, other := newTestCA(t, "ca"), newTestCA(t, "other")
	leaf := ca.issue(t, nil)
	pinned := []string{PinOf(other.cert)}
	// The pinned certificate is sent along, but is no part of the verified chain.
	decorated := leaf
	decorated.Certificate = append([][]byte{leaf.Certificate[0]}, other.cert.Raw)

	tests := []struct {
		name string
		cert tls.Certificate
		pins []string
		want Reason
	}{
		{"no pins", leaf, nil, ""},
		{"the leaf's key", leaf, []string{PinOf(leaf.Leaf)}, ""},
		{"the authority's key", leaf, []string{PinOf(ca.cert)}, ""},
		{"a spare key first", leaf, []string{PinOf(other.cert), PinOf(leaf.Leaf)}, ""},
		{"another key", leaf, pinned, PinMismatch},
		{"another key, in a certificate that is just sent along", decorated, pinned, PinMismatch},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := mustServer(t, ServerOptions{Certificates: []tls.Certificate{tt.cert}})
			_, c := connect(t, server, mustClient(t, ClientOptions{RootCAs: ca.pool(), Pins: tt.pins}))
			if got := reasonOf(c.err); got != tt.want || (c.err == nil) != (tt.want == "") {
				t.Errorf("reason %q for %v, want %q", got, c.err, tt.want)
			}
			if c.err != nil && !strings.Contains(c.err.Error(), PinOf(leaf.Leaf)) {
				t.Errorf("the error does not show the keys that the server has: %v", c.err)
			}
		})
	}
}

func TestPinsOfAnUnverifiedChainHoldForItsLeafAlone(t *testing.T) {
	ca := newTestCA(t, "ca")
	leaf := ca.issue(t, nil)
	leaf.Certificate = append(leaf.Certificate, ca.cert.Raw)
	server := mustServer(t, ServerOptions{Certificates: []tls.Certificate{leaf}})
	for pin, want := range map[string]Reason{PinOf(leaf.Leaf): "", PinOf(ca.cert): PinMismatch} {
		client := mustClient(t, ClientOptions{Pins: []string{pin}})
		client.InsecureSkipVerify = true
		if _, c := connect(t, server, client); reasonOf(c.err) != want {
			t.Errorf("reason for %v, want %q", c.err, want)
		}
	}
	if err := (pinSet{{}}).check(&tls.ConnectionState{}); reasonOf(err) != PinMismatch {
		t.Errorf("no certificate at all: %v", err)
	}
}

func TestPinsHoldOnResumption(t *testing.T) {
	ca := newTestCA(t, "ca")
	leaf := ca.issue(t, nil)
	server := mustServer(t, ServerOptions{Profile: Intermediate, Certificates: []tls.Certificate{leaf}})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			cache := tls.NewLRUClientSessionCache(4)
			with := func(pin string) *tls.Config {
				c := mustClient(t, ClientOptions{
					Profile: Intermediate, RootCAs: ca.pool(), Pins: []string{pin}, SessionCache: cache,
				})
				c.MaxVersion = version
				return c
			}
			mustConnect(t, server, with(PinOf(leaf.Leaf)))
			if _, c := mustConnect(t, server, with(PinOf(leaf.Leaf))); !c.state.DidResume {
				t.Fatal("the session was not resumed")
			}
			if _, c := connect(t, server, with(PinOf(newTestCA(t, "other").cert))); reasonOf(c.err) != PinMismatch {
				t.Errorf("a resumed session passes another pin: %v", c.err)
			}
		})
	}
}
