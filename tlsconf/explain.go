package tlsconf

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"time"
)

// Explain wraps an error of a TLS handshake in a [*VerifyError] that says what to do. Errors that it does not know,
// nil, and those that already hold a VerifyError come back as they are. Give it the errors of Handshake and those of
// the first Read too: in TLS 1.3 a client learns only there that the server refused its certificate.
func Explain(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*VerifyError](err); ok {
		return err
	}
	if v := explainCertificate(err); v != nil {
		return v
	}
	if record, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return &VerifyError{Reason: NotTLS, Detail: "the peer's first bytes are no TLS record", Err: record}
	}
	if v := explainAlert(err); v != nil {
		return v
	}
	if v := explainText(err); v != nil {
		return v
	}
	return err
}

func explainCertificate(err error) error {
	if host, ok := errors.AsType[x509.HostnameError](err); ok {
		return &VerifyError{Reason: WrongHost, Cert: host.Certificate, Err: err}
	}
	if weak := weakSignatureIn(err); weak != nil {
		return &VerifyError{Reason: WeakSignature, Cert: weak.Cert, Detail: weak.Detail, Err: err}
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return explainInvalid(invalid, err)
	}
	if unknown, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		v := &VerifyError{Reason: Untrusted, Cert: unknown.Cert, Err: err}
		if v.Cert != nil {
			v.Detail = nameOf(v.Cert) + " is signed by an unknown authority, " + v.Cert.Issuer.String()
			if isSelfIssued(v.Cert) {
				v.Detail = nameOf(v.Cert) + " is self-signed"
			}
		}
		return v
	}
	if roots, ok := errors.AsType[x509.SystemRootsError](err); ok {
		return &VerifyError{Reason: Untrusted, Err: err,
			Detail: roots.Error() + " (install the system's ca-certificates, or set RootCAs)"}
	}
	if cert, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		v := &VerifyError{Reason: Untrusted, Err: err}
		if len(cert.UnverifiedCertificates) > 0 {
			v.Cert = cert.UnverifiedCertificates[0]
		}
		return v
	}
	return nil
}

func explainInvalid(invalid x509.CertificateInvalidError, err error) error {
	v := &VerifyError{Reason: Untrusted, Cert: invalid.Cert, Err: err}
	switch invalid.Reason {
	case x509.Expired:
		// x509 has one reason for both ends of the validity.
		now := time.Now()
		if now.Before(invalid.Cert.NotBefore) {
			v.Reason, v.Detail = NotYetValid, notYetValid(invalid.Cert, now)
		} else {
			v.Reason, v.Detail = Expired, expired(invalid.Cert, now)
		}
	case x509.IncompatibleUsage:
		v.Detail = nameOf(invalid.Cert) + " is not issued for this role: a server needs the extended key usage serverAuth, " +
			"a client clientAuth"
	}
	return v
}

// weakSignatureIn looks at the certificates themselves: x509 hides an insecure algorithm inside the error that says
// that the authority is unknown.
func weakSignatureIn(err error) *VerifyError {
	unknown, ok := errors.AsType[x509.UnknownAuthorityError](err)
	if !ok || unknown.Cert == nil {
		return nil
	}
	certs := []*x509.Certificate{unknown.Cert}
	if failed, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		certs = append(certs, failed.UnverifiedCertificates...)
	}
	for _, cert := range certs {
		if weak, ok := errors.AsType[*VerifyError](checkSignature(cert)); ok {
			return weak
		}
	}
	return nil
}

// alertReasons maps the alerts of RFC 8446 §6.2 that a peer sends about us.
var alertReasons = map[tls.AlertError]Reason{
	40:  NoSharedSuite, // handshake_failure
	42:  RefusedByPeer, // bad_certificate
	43:  RefusedByPeer, // unsupported_certificate
	44:  RefusedByPeer, // certificate_revoked
	45:  RefusedByPeer, // certificate_expired
	46:  RefusedByPeer, // certificate_unknown
	48:  RefusedByPeer, // unknown_ca
	49:  RefusedByPeer, // access_denied
	70:  OldVersion,    // protocol_version
	71:  NoSharedSuite, // insufficient_security
	116: NoClientCertificate,
	120: NoSharedProtocol,
}

// explainAlert recognises an alert by its text, which it gets from crypto/tls: the type of the alerts that arrive
// outside QUIC is not exported, but shares its text with tls.AlertError.
func explainAlert(err error) error {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" || op.Err == nil {
		return nil
	}
	for alert, reason := range alertReasons {
		if op.Err.Error() == alert.Error() {
			return &VerifyError{Reason: reason, Err: err, Detail: "the peer says " + strings.TrimPrefix(alert.Error(), "tls: ")}
		}
	}
	return nil
}

// textReasons recognises errors for which crypto/tls has neither a type nor a value. The tests provoke each one in a
// real handshake, so that a change of wording in a new Go release is seen.
var textReasons = []struct {
	text   string
	reason Reason
}{
	{"tls: client offered only unsupported versions", OldVersion},
	{"tls: server selected unsupported protocol version", OldVersion},
	{"tls: no cipher suite supported by both client and server", NoSharedSuite},
	{"tls: client didn't provide a certificate", NoClientCertificate},
	{"tls: client requested unsupported application protocols", NoSharedProtocol},
}

func explainText(err error) error {
	text := err.Error()
	for _, t := range textReasons {
		if strings.Contains(text, t.text) {
			return &VerifyError{Reason: t.reason, Err: err}
		}
	}
	return nil
}

func isSelfIssued(cert *x509.Certificate) bool {
	return bytes.Equal(cert.RawIssuer, cert.RawSubject)
}
