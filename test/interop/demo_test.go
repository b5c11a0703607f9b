package main

import (
	"context"
	"strings"
	"testing"
)

func TestDemoServesAndEndsWell(t *testing.T) {
	b, _ := newTestBench(t)
	d, err := startDemo(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	defer d.process.Stop()
	if !strings.HasPrefix(d.page, "https://localhost:") || len(d.keyHash) != 44 {
		t.Errorf("got %+v", d)
	}
	if status := d.process.Stop(); status != 0 {
		t.Errorf("ended with status %d\n%s", status, d.process.out.Tail())
	}
}

func TestLookFailsIfTheDemoEnds(t *testing.T) {
	p, err := start(t.Context(), self(t, "unknown"))
	if err != nil {
		t.Fatal(err)
	}
	if err := (&demo{process: p}).look(t.Context()); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("got %v", err)
	}
}

func TestKeyHashVerifiesTheCertificate(t *testing.T) {
	s, _ := startTestServer(t)
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	page := strings.Replace(s.url, "wss:", "https:", 1)
	if hash, err := keyHash(t.Context(), page, ca.CAPEM()); err != nil || len(hash) != 44 {
		t.Errorf("got %q, %v", hash, err)
	}
	other, _ := diskAuthority(t)
	if _, err := keyHash(t.Context(), page, other.CAPEM()); err == nil {
		t.Error("a certificate of another authority was accepted")
	}
	if _, err := keyHash(t.Context(), page, []byte("no certificate")); err == nil {
		t.Error("an empty authority was accepted")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := keyHash(ctx, page, ca.CAPEM()); err == nil {
		t.Error("want the context's error")
	}
}
