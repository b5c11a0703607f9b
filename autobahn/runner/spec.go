package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/seed-c4549abd/wss/tlsconf"
)

// The files of a shard. wstest is started in the shard's directory, so that one spec fits a container too.
const (
	specFile  = "spec.json"
	certFile  = "cert.pem"
	keyFile   = "key.pem"
	reportDir = "report"
)

// spec is what wstest reads. Cases are always listed one by one: the suite numbers the cases of a fuzzingserver by their
// place in the filtered list, and its own patterns match less strictly than those of package report.
type spec struct {
	OutDir  string       `json:"outdir"`
	Cases   []string     `json:"cases"`
	Exclude []string     `json:"exclude-cases"`
	Servers []specServer `json:"servers,omitempty"` // mode fuzzingclient
	URL     string       `json:"url,omitempty"`     // mode fuzzingserver
	Key     string       `json:"key,omitempty"`
	Cert    string       `json:"cert,omitempty"`
}

type specServer struct {
	Agent string `json:"agent"`
	URL   string `json:"url"`
}

// clientSpec lets wstest dial the testee. Over wss it verifies no certificate.
func clientSpec(cases []string, url string) spec {
	return spec{OutDir: reportDir, Cases: cases, Exclude: []string{}, Servers: []specServer{{Agent: agent, URL: url}}}
}

// serverSpec lets wstest listen for the testee, over wss with the certificate that writeCertificate makes.
func serverSpec(cases []string, scheme string, port int) spec {
	s := spec{OutDir: reportDir, Cases: cases, Exclude: []string{}, URL: fmt.Sprintf("%s://127.0.0.1:%d", scheme, port)}
	if scheme == "wss" {
		s.Key, s.Cert = keyFile, certFile
	}
	return s
}

func (s spec) write(dir string) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, specFile), append(data, '\n'), 0o644)
}

// writeCertificate makes a certificate for localhost with its key, which no other run uses.
func writeCertificate(dir string) error {
	ca, err := tlsconf.Development(tlsconf.DevOptions{InMemory: true})
	if err != nil {
		return err
	}
	cert, err := ca.Certificate()
	if err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return err
	}
	write := func(name, kind string, der []byte) error {
		data := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
		return os.WriteFile(filepath.Join(dir, name), data, 0o600)
	}
	return errors.Join(write(certFile, "CERTIFICATE", cert.Certificate[0]), write(keyFile, "PRIVATE KEY", key))
}
