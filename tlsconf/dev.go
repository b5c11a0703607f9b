package tlsconf

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// DevOptions says where [Development] keeps its authority. The zero value is the user's configuration directory.
type DevOptions struct {
	// Dir is the directory to use, made if it is missing. Empty: "wss" in [os.UserConfigDir].
	Dir string
	// InMemory keeps nothing on disk: the authority ends with the process. Good for tests.
	InMemory bool
}

// DevCA is a certificate authority for development on one machine, and its certificate for localhost, 127.0.0.1 and
// ::1. It may vouch for nothing else: its own certificate says so in a name constraint (RFC 5280 §4.2.1.10) that
// browsers and crypto/x509 enforce, so even a stolen key imitates no other host. Make one with [Development]; its
// methods may be called at once from many goroutines.
//
// BoringSSL, as Bun and others use it, does not know constraints on addresses, and refuses every certificate that has
// addresses in it. So clients that ask for localhost by name (SNI) get a certificate without, from GetCertificate: with
// BoringSSL dial localhost, and not 127.0.0.1.
type DevCA struct {
	store    *devStore // nil in memory
	ca       *issuer
	fallback error

	mu       sync.Mutex
	leaf     *tls.Certificate // for localhost and the addresses
	named    *tls.Certificate // for localhost alone, with the same key
	namedFor *tls.Certificate // the leaf that named was made for
}

// Development opens the authority for localhost, which the first call on a machine creates. Its files are ca.pem, the
// certificate for browsers and other programs to trust; ca-key.pem, its private key; and localhost.pem, the server's
// certificate and key in one. The directory has mode 0700 and the files 0600. Many processes may call it at once: they
// end up with the same authority.
//
// It returns an error that says what to do if the directory or a key belongs to another user, a [*DevOwnerError], if the
// private key may be read by others, or if a file is broken; none is silently replaced, as a user may have trusted that
// authority. Only where the user's configuration has no place (no HOME,
// or one that cannot be written), and Dir names none, is the authority in memory, which [DevCA.Fallback] reports.
func Development(o DevOptions) (*DevCA, error) {
	if o.InMemory {
		return inMemory(nil)
	}
	dir := o.Dir
	if dir == "" {
		config, err := os.UserConfigDir()
		if err != nil {
			return inMemory(fmt.Errorf("tlsconf: no configuration directory, the development CA is in memory: %w", err))
		}
		dir = filepath.Join(config, "wss")
	}
	d, err := onDisk(dir)
	if err != nil && o.Dir == "" && isUnwritable(err, dir) {
		return inMemory(fmt.Errorf("tlsconf: %s cannot be written, the development CA is in memory: %w", dir, err))
	}
	return d, err
}

func onDisk(dir string) (*DevCA, error) {
	store, err := openStore(dir)
	if err != nil {
		return nil, err
	}
	d := &DevCA{store: store}
	if d.ca, err = store.authority(); err != nil {
		return nil, err
	}
	if _, err := d.Certificate(); err != nil {
		return nil, err
	}
	return d, nil
}

// isUnwritable does not hold for an authority that exists: one that this user may not read is an error to show.
func isUnwritable(err error, dir string) bool {
	_, failed := errors.AsType[*fs.PathError](err)
	_, statErr := os.Stat(filepath.Join(dir, caKeyFile))
	return failed && statErr != nil
}

func inMemory(why error) (*DevCA, error) {
	ca, err := newIssuer()
	if err != nil {
		return nil, err
	}
	d := &DevCA{ca: ca, fallback: why}
	_, err = d.Certificate()
	return d, err
}

// Certificate returns the certificate for localhost, 127.0.0.1 and ::1, which is valid for a month and reissued in its
// last ten days. Prefer GetCertificate, which clients with BoringSSL accept too. The caller must not modify it.
func (d *DevCA) Certificate() (*tls.Certificate, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.certificate()
}

func (d *DevCA) certificate() (*tls.Certificate, error) {
	now := time.Now()
	if d.leaf != nil && !d.ca.due(d.leaf.Leaf, now) {
		return d.leaf, nil
	}
	if d.store != nil {
		leaf, err := d.store.leaf(d.ca)
		if err == nil {
			d.leaf = leaf
			return leaf, nil
		}
		// A server that runs does not stop because its disk is full: the new certificate is just not kept.
		if d.leaf == nil {
			return nil, err
		}
	}
	leaf, err := d.ca.issue()
	if err != nil {
		return nil, err
	}
	d.leaf = leaf
	return leaf, nil
}

// GetCertificate is for [ServerOptions.GetCertificate]. Clients that ask for localhost get a certificate for that name
// alone, with the same key; all others, those that dial an address included, get that of Certificate.
func (d *DevCA) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	leaf, err := d.certificate()
	if err != nil || hello == nil || !strings.EqualFold(hello.ServerName, devHost) {
		return leaf, err
	}
	if d.namedFor != leaf {
		if d.named, err = d.ca.issueFor(leaf.PrivateKey.(crypto.Signer), nil); err != nil {
			return nil, err
		}
		d.namedFor = leaf
	}
	return d.named, nil
}

// Pool returns a new pool with this authority alone, for [ClientOptions.RootCAs].
func (d *DevCA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(d.ca.cert)
	return pool
}

// CAFile returns the path of the authority's certificate in PEM, for a user to trust in a browser; empty in memory.
func (d *DevCA) CAFile() string {
	if d.store == nil {
		return ""
	}
	return d.store.path(caFile)
}

// CAPEM returns the authority's certificate in PEM.
func (d *DevCA) CAPEM() []byte { return certPEM(d.ca.cert.Raw) }

// Fallback returns why the authority is kept in memory although a directory was wanted; nil if it is not, or if
// [DevOptions.InMemory] asked for it.
func (d *DevCA) Fallback() error { return d.fallback }
