package tlsconf

import (
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
)

var allReasons = []Reason{
	WrongHost, Expired, NotYetValid, Untrusted, WeakKey, WeakSignature, OldVersion, NoSharedSuite, NoSharedProtocol, NotTLS,
	PinMismatch, NoClientCertificate, RefusedByPeer,
}

func TestEveryReasonHasAdvice(t *testing.T) {
	if len(allReasons) != len(advice) {
		t.Errorf("%d reasons, %d pieces of advice", len(allReasons), len(advice))
	}
	for _, r := range allReasons {
		text := (&VerifyError{Reason: r, Detail: "detail"}).Error()
		if advice[r] == "" || !strings.HasSuffix(text, advice[r]) {
			t.Errorf("%s: no advice in %q", r, text)
		}
		if !strings.HasPrefix(text, "tlsconf: "+strings.ReplaceAll(string(r), "_", " ")+": detail: ") {
			t.Errorf("%s: %q", r, text)
		}
	}
}

func TestVerifyErrorShowsTheErrorBeneathWhenThereIsNoDetail(t *testing.T) {
	beneath := errors.New("tls: something")
	err := &VerifyError{Reason: "home_made", Err: beneath}
	if got, want := err.Error(), "tlsconf: home made: something"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !errors.Is(err, beneath) {
		t.Error("the error beneath is lost")
	}
}

func TestNameOf(t *testing.T) {
	for want, cert := range map[string]*x509.Certificate{
		`certificate for "a.example"`: {DNSNames: []string{"a.example"}},
		"certificate for 127.0.0.1":   {IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}},
		"certificate 7":               {SerialNumber: big.NewInt(7)},
	} {
		if got := nameOf(cert); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
