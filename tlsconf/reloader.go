package tlsconf

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultInterval is how often [Reloader.Watch] looks at the files if it is not told.
const DefaultInterval = 30 * time.Second

// Reloader keeps a certificate that is renewed on disk, by certbot, cert-manager or an operator, current without a
// restart. It compares contents, not dates, so it sees files that are rewritten, renamed over, or reached through a
// symbolic link that is swapped (as Kubernetes does). Make one with [NewReloader]; its methods may be called at once.
//
// The certificate in use changes only to one that could be served: a pair that is missing, half-written, mismatched,
// expired, not yet valid or weak is reported, and the old one stays.
type Reloader struct {
	certFile, keyFile string
	onError           func(error)

	current atomic.Pointer[tls.Certificate]
	looked  atomic.Int64 // when lazily last looked, in Unix nanoseconds

	mu      sync.Mutex // held while the files are read and compared
	last    [sha256.Size]byte
	lastErr error // the verdict on last
}

// NewReloader loads the certificate chain (PEM, leaf first) and the private key (PEM), which may be in one file, and
// returns an error, a [*VerifyError] where the certificate is at fault, if they cannot be used. It starts no
// goroutine. The function onError hears of failures that nobody else does, those of Watch: once for each bad content.
// Nil: they are dropped.
func NewReloader(certFile, keyFile string, onError func(error)) (*Reloader, error) {
	r := &Reloader{certFile: certFile, keyFile: keyFile, onError: onError}
	if err := r.Reload(); err != nil {
		return nil, err
	}
	r.looked.Store(time.Now().UnixNano())
	return r, nil
}

// Certificate returns the certificate in use, never nil, which the caller must not modify.
func (r *Reloader) Certificate() *tls.Certificate { return r.current.Load() }

// GetCertificate is for [ServerOptions.GetCertificate]. It never blocks and never fails.
func (r *Reloader) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return r.current.Load(), nil
}

// GetClientCertificate is for [ClientOptions.GetClientCertificate]. It never blocks and never fails.
func (r *Reloader) GetClientCertificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return r.current.Load(), nil
}

// Reload reads the files now, for a signal handler or an admin's command, and returns an error, with the old
// certificate still in use, if the new one cannot be used.
func (r *Reloader) Reload() error {
	_, err := r.reload()
	return err
}

// Watch looks at the files every interval, [DefaultInterval] if that is zero or less, until ctx ends. It blocks: start
// it with go. One Watch is enough for a Reloader.
func (r *Reloader) Watch(ctx context.Context, interval time.Duration) {
	if interval <= 0 {
		interval = DefaultInterval
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.look()
		}
	}
}

// look reports an error only the first time that these contents fail.
func (r *Reloader) look() {
	changed, err := r.reload()
	if err != nil && changed && r.onError != nil {
		r.onError(err)
	}
}

// lazily is a GetCertificate that looks at the files itself, in the handshake that finds the interval over: one
// handshake pays a few file reads, and no goroutine is needed.
func (r *Reloader) lazily(interval time.Duration) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		now, before := time.Now().UnixNano(), r.looked.Load()
		if now-before >= int64(interval) && r.looked.CompareAndSwap(before, now) {
			r.look()
		}
		return r.current.Load(), nil
	}
}

// reload reports whether the contents differ from the last attempt's. A pair that fails and then reads differently was
// caught in the middle of a swap, and is read again; one that failed before is tried anew, as it may be valid by now.
func (r *Reloader) reload() (changed bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	tried := false
	for range 3 {
		certPEM, keyPEM, err := r.read()
		sum := digest(certPEM, keyPEM, err)
		if sum == r.last && (tried || r.lastErr == nil) {
			break
		}
		tried, changed = true, changed || sum != r.last
		if err == nil {
			err = r.use(certPEM, keyPEM)
		}
		if r.last, r.lastErr = sum, err; err == nil {
			break
		}
	}
	return changed, r.lastErr
}

func (r *Reloader) read() (certPEM, keyPEM []byte, err error) {
	if certPEM, err = os.ReadFile(r.certFile); err != nil {
		return nil, nil, fmt.Errorf("tlsconf: certificate: %w", err)
	}
	if keyPEM, err = os.ReadFile(r.keyFile); err != nil {
		return nil, nil, fmt.Errorf("tlsconf: private key: %w", err)
	}
	return certPEM, keyPEM, nil
}

func (r *Reloader) use(certPEM, keyPEM []byte) error {
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err == nil {
		err = checkOwn(&cert, time.Now())
	}
	if err != nil {
		return fmt.Errorf("tlsconf: %s with %s cannot be used: %w", r.certFile, r.keyFile, err)
	}
	r.current.Store(&cert)
	return nil
}

// digest hashes the parts one by one, so that no byte can move from one to the other unseen.
func digest(certPEM, keyPEM []byte, err error) [sha256.Size]byte {
	c, k := sha256.Sum256(certPEM), sha256.Sum256(keyPEM)
	return sha256.Sum256(fmt.Appendf(nil, "%x %x %v", c, k, err))
}
