package child

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"os"
)

// ServerTLSOf is ServerTLS, with the certificate and the key of two files.
func ServerTLSOf(certFile, keyFile string) (*tls.Config, error) {
	var der [2][]byte
	for i, name := range []string{certFile, keyFile} {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		block, _ := pem.Decode(text)
		if block == nil {
			return nil, errors.New(name + " is not PEM")
		}
		der[i] = block.Bytes
	}
	return ServerTLS(der[0], der[1])
}
