package main

import (
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/tlsconf"
)

func TestConnectPrintsWhatWasAgreedOn(t *testing.T) {
	s, _ := startServer(t, io.Discard)
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := connect(t.Context(), "wss://"+s.host+"/echo", ca.Pool(), log.New(&out, "", 0)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"TLS 1.3", `subprotocol "echo"`, "世界", "ping"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, &out)
		}
	}
}

func TestConnectRefusesAnAuthorityItDoesNotTrust(t *testing.T) {
	s, _ := startServer(t, io.Discard)
	err := connect(t.Context(), "wss://"+s.host+"/echo", x509.NewCertPool(), log.New(io.Discard, "", 0))
	refusal, ok := errors.AsType[*tlsconf.VerifyError](tlsconf.Explain(err))
	if !ok || refusal.Reason != tlsconf.Untrusted {
		t.Errorf("got %v, want an untrusted authority", err)
	}
}
