package tlsconf

import (
	"crypto/x509"
	"fmt"
	"log"
	"time"
)

// DefaultWarnBefore is how long before its end a [Reloader] begins to warn of a certificate, if it is not told.
const DefaultWarnBefore = 14 * 24 * time.Hour

// warnEvery is how often a warning about dates is repeated.
const warnEvery = 24 * time.Hour

// ReloaderOptions says what a [Reloader] reports. The zero value is safe: what goes wrong is logged.
type ReloaderOptions struct {
	// OnEvent is told what becomes of the files and of the certificate in use, once for each change; what is said of
	// dates is repeated after a day. It is called by the goroutine that notices: of Watch, of Reload, or of a handshake,
	// which waits for it. So it must be safe for concurrent use and return quickly, and not call Reload without a guard
	// against recursion, as Reload reports here again. Nil: all but Reloaded is logged by package log.
	OnEvent func(ReloadEvent)
	// WarnBefore is how long before the end of the certificate in use the first warning is due. Zero:
	// DefaultWarnBefore, but a third of the certificate's life if that is less. Negative: the end alone is reported.
	WarnBefore time.Duration
}

// ReloadKind is a stable token for what a [Reloader] reports, fit for a metric's label.
type ReloadKind string

// Events of a [Reloader].
const (
	// Reloaded: the files have changed, and their certificate is in use now.
	Reloaded ReloadKind = "reloaded"
	// ReloadFailed: the files have changed, or can no longer be read, and cannot be used; the old certificate stays.
	ReloadFailed ReloadKind = "failed"
	// ReloadRecovered: the first success after ReloadFailed or CertificateExpired.
	ReloadRecovered ReloadKind = "recovered"
	// CertificateExpiring: the certificate in use ends within WarnBefore, and the files hold no other.
	CertificateExpiring ReloadKind = "expiring"
	// CertificateExpired: the certificate in use has expired, and peers refuse it.
	CertificateExpired ReloadKind = "expired"
)

// ReloadEvent is one thing that a [Reloader] reports.
type ReloadEvent struct {
	// Kind says what has happened.
	Kind ReloadKind
	// Cert is the leaf of the certificate that is in use. It is never nil, and must not be modified.
	Cert *x509.Certificate
	// Err says why, for ReloadFailed and CertificateExpired: a [*VerifyError] where a certificate is at fault. Nil
	// otherwise.
	Err error
}

// String says in a sentence what has happened, for a log.
func (e ReloadEvent) String() string {
	inUse := fmt.Sprintf("%s, valid until %s", nameOf(e.Cert), date(e.Cert.NotAfter))
	switch e.Kind {
	case ReloadFailed:
		return fmt.Sprintf("%v; still in use: %s", e.Err, inUse)
	case CertificateExpired:
		return fmt.Sprintf("the certificate in use has expired: %v", e.Err)
	case CertificateExpiring:
		return "the certificate in use expires soon, and has not been renewed: " + inUse
	}
	return fmt.Sprintf("certificate %s: %s", e.Kind, inUse)
}

// warnFrom is the time, in Unix seconds, from which on the dates of a certificate are worth a report.
func (o ReloaderOptions) warnFrom(cert *x509.Certificate) int64 {
	before := o.WarnBefore
	switch {
	case before < 0:
		return firstExpired(cert)
	case before == 0:
		before = min(DefaultWarnBefore, cert.NotAfter.Sub(cert.NotBefore)/3)
	}
	return cert.NotAfter.Unix() - int64(before/time.Second)
}

// firstExpired is the first second, in Unix time, at which a certificate is no longer valid. Nanoseconds would not do:
// they end in 2262, and a certificate without an end ends in 9999 (RFC 5280 §4.1.2.5).
func firstExpired(cert *x509.Certificate) int64 { return cert.NotAfter.Unix() + 1 }

func (o ReloaderOptions) report(e ReloadEvent) {
	switch {
	case o.OnEvent != nil:
		o.OnEvent(e)
	case e.Kind != Reloaded:
		log.Printf("tlsconf: %v", e)
	}
}
