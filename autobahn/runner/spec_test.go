package main

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSpecs(t *testing.T) {
	tests := []struct {
		name string
		spec spec
		want string
	}{
		{"for a fuzzingclient", clientSpec([]string{"1.1.1", "2.10"}, "wss://127.0.0.1:9443"), `{
  "outdir": "report",
  "cases": [
    "1.1.1",
    "2.10"
  ],
  "exclude-cases": [],
  "servers": [
    {
      "agent": "wss",
      "url": "wss://127.0.0.1:9443"
    }
  ]
}
`},
		{"for a fuzzingserver", serverSpec([]string{"1.1.1"}, "ws", 9001), `{
  "outdir": "report",
  "cases": [
    "1.1.1"
  ],
  "exclude-cases": [],
  "url": "ws://127.0.0.1:9001"
}
`},
		{"for a fuzzingserver with TLS", serverSpec([]string{"1.1.1"}, "wss", 9001), `{
  "outdir": "report",
  "cases": [
    "1.1.1"
  ],
  "exclude-cases": [],
  "url": "wss://127.0.0.1:9001",
  "key": "key.pem",
  "cert": "cert.pem"
}
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := tt.spec.write(dir); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(dir, "spec.json"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("spec (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWriteCertificate(t *testing.T) {
	dir := t.TempDir()
	if err := writeCertificate(dir); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, certFile), filepath.Join(dir, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := pair.Leaf.VerifyHostname("127.0.0.1"); err != nil || time.Until(pair.Leaf.NotAfter) < 24*time.Hour {
		t.Errorf("ends %v, %v", pair.Leaf.NotAfter, err)
	}
	if err := writeCertificate(filepath.Join(dir, "missing")); err == nil {
		t.Error("no error for a missing directory")
	}
}
