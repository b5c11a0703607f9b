package native

import (
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"

	"github.com/seed-c4549abd/wss/bench/child"
)

// Keys are a certificate and its key, in DER, and in PEM in a directory.
type Keys struct {
	Cert, Key []byte
	dir       string
}

const certFile, keyFile = "cert.pem", "key.pem"

// NewKeys makes a certificate for localhost, and its files.
func NewKeys() (*Keys, error) {
	cert, key, err := child.NewCert()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "wss-native-")
	if err != nil {
		return nil, err
	}
	k := &Keys{cert, key, dir}
	err = errors.Join(
		os.WriteFile(k.CertFile(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600),
		os.WriteFile(k.KeyFile(), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600),
	)
	if err != nil {
		k.Remove()
		return nil, err
	}
	return k, nil
}

// CertFile is the name of the certificate's file.
func (k *Keys) CertFile() string { return filepath.Join(k.dir, certFile) }

// KeyFile is the name of the key's file.
func (k *Keys) KeyFile() string { return filepath.Join(k.dir, keyFile) }

// Remove removes the files.
func (k *Keys) Remove() { _ = os.RemoveAll(k.dir) }
