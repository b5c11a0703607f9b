package tlsconf

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
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
// expired, not yet valid or weak is reported, and the old one stays. When the old one nears its end, and when it has
// expired, that is reported too: by Watch, by Reload, or by the next handshake, whichever comes first.
type Reloader struct {
	certFile, keyFile string
	o                 ReloaderOptions

	current atomic.Pointer[tls.Certificate]
	looked  atomic.Int64 // when lazily last looked, in Unix nanoseconds
	notice  atomic.Int64 // when the dates of current are to be reported, in Unix seconds
	failing atomic.Bool  // the last report was a failure: a success is a recovery

	mu      sync.Mutex // held while the files are read and compared
	last    [sha256.Size]byte
	lastErr error // the verdict on last
}

// NewReloader loads the certificate chain (PEM, leaf first) and the private key (PEM), which may be in one file, and
// returns an error, a [*VerifyError] where the certificate is at fault, if they cannot be used. It starts no
// goroutine.
func NewReloader(certFile, keyFile string, o ReloaderOptions) (*Reloader, error) {
	r := &Reloader{certFile: certFile, keyFile: keyFile, o: o}
	if _, err := r.reload(); err != nil {
		return nil, err
	}
	r.looked.Store(time.Now().UnixNano())
	return r, nil
}

// Certificate returns the certificate in use, never nil, which the caller must not modify.
func (r *Reloader) Certificate() *tls.Certificate { return r.current.Load() }

// GetCertificate is for [ServerOptions.GetCertificate]. It never fails, and blocks only while OnEvent does.
func (r *Reloader) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	r.checkDates(time.Now())
	return r.current.Load(), nil
}

// GetClientCertificate is for [ClientOptions.GetClientCertificate]. It never fails, and blocks only while OnEvent does.
func (r *Reloader) GetClientCertificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	r.checkDates(time.Now())
	return r.current.Load(), nil
}

// Reload reads the files now, for a signal handler or an admin's command. It returns an error, with the old
// certificate still in use, if the new one cannot be used; and an error, a [*VerifyError] with the reason Expired, if the
// certificate that is in use afterwards has expired. OnEvent is told as by Watch.
func (r *Reloader) Reload() error {
	err := r.look()
	if expiry := checkDates(r.current.Load().Leaf, time.Now()); expiry != nil {
		err = errors.Join(err, fmt.Errorf("tlsconf: the certificate in use, from %s: %w", r.certFile, expiry))
	}
	return err
}

// Watch looks at the files, and at the dates of the certificate in use, at once and every interval, [DefaultInterval]
// if that is zero or less, until ctx ends. It blocks: start it with go. One Watch is enough for a Reloader.
func (r *Reloader) Watch(ctx context.Context, interval time.Duration) {
	if interval <= 0 {
		interval = DefaultInterval
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for ctx.Err() == nil {
		_ = r.look() // OnEvent has heard of it
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// look reads the files and reports what has changed, and what the dates of the certificate in use call for.
func (r *Reloader) look() error {
	outcome, err := r.reload()
	event := ReloadEvent{Kind: outcome, Cert: r.current.Load().Leaf, Err: err}
	switch outcome {
	case ReloadFailed:
		r.failing.Store(true)
		r.o.report(event)
	case Reloaded:
		if r.failing.Swap(false) {
			event.Kind = ReloadRecovered
		}
		r.o.report(event)
	}
	r.checkDates(time.Now())
	return err
}

// checkDates reports that the certificate in use ends soon, or has ended, if that is due. Handshakes call it: it costs
// them a load and a comparison.
func (r *Reloader) checkDates(now time.Time) {
	due := r.notice.Load()
	if now.Unix() < due {
		return
	}
	leaf := r.current.Load().Leaf
	if now.Unix() < r.o.warnFrom(leaf) {
		return // it has just been renewed
	}
	event := ReloadEvent{Kind: CertificateExpiring, Cert: leaf}
	next := now.Add(warnEvery).Unix()
	if now.Unix() < firstExpired(leaf) {
		next = min(next, firstExpired(leaf))
	} else {
		event.Kind, event.Err = CertificateExpired, checkDates(leaf, now)
	}
	if !r.notice.CompareAndSwap(due, next) {
		return // somebody else reports it
	}
	if event.Kind == CertificateExpired {
		r.failing.Store(true)
	}
	r.o.report(event)
}

// lazily is a GetCertificate that looks at the files itself, in the handshake that finds the interval over: one
// handshake pays a few file reads, and no goroutine is needed.
func (r *Reloader) lazily(interval time.Duration) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		now, before := time.Now().UnixNano(), r.looked.Load()
		if now-before >= int64(interval) && r.looked.CompareAndSwap(before, now) {
			_ = r.look() // OnEvent has heard of it
		}
		return r.GetCertificate(hello)
	}
}

// reload reports Reloaded if the files' contents were taken, ReloadFailed if they cannot be and differ from those of the
// last attempt, and nothing if nothing has changed. A pair that fails and then reads differently was caught in the middle
// of a swap, and is read again; one that failed before is tried anew, as it may be valid by now.
func (r *Reloader) reload() (outcome ReloadKind, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	tried := false
	for range 3 {
		certPEM, keyPEM, err := r.read()
		sum := digest(certPEM, keyPEM, err)
		if sum == r.last && (tried || r.lastErr == nil) {
			break
		}
		if sum != r.last {
			outcome = ReloadFailed
		}
		tried = true
		if err == nil {
			err = r.use(certPEM, keyPEM)
		}
		if r.last, r.lastErr = sum, err; err == nil {
			outcome = Reloaded
			break
		}
	}
	return outcome, r.lastErr
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
	r.notice.Store(r.o.warnFrom(cert.Leaf))
	return nil
}

// digest hashes the parts one by one, so that no byte can move from one to the other unseen.
func digest(certPEM, keyPEM []byte, err error) [sha256.Size]byte {
	c, k := sha256.Sum256(certPEM), sha256.Sum256(keyPEM)
	return sha256.Sum256(fmt.Appendf(nil, "%x %x %v", c, k, err))
}
