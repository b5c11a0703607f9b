package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"slices"
)

// ClientOptions describes a client. The zero value is safe, and enough for a server with a public certificate.
type ClientOptions struct {
	// Profile is the set of TLS versions and cipher suites. Zero: Modern, TLS 1.3 alone. Choose Intermediate to dial
	// servers that still speak TLS 1.2.
	Profile Profile
	// HTTP2 adds h2 to ALPN, before http/1.1, for a client that speaks RFC 8441. Leave it off otherwise.
	HTTP2 bool

	// RootCAs are the authorities to trust. Nil: those of the system. A self-signed certificate is trusted by adding it.
	RootCAs *x509.CertPool
	// ServerName is sent to the server and must be in its certificate. Empty: the host that is dialed.
	ServerName string
	// Certificates are shown to servers that ask for one (mTLS). Each must be valid now, and strong.
	Certificates []tls.Certificate
	// GetClientCertificate is asked for the certificate instead, if set, as often as a server wants one, so that it can
	// be renewed: see [Reloader.GetClientCertificate].
	GetClientCertificate func(*tls.CertificateRequestInfo) (*tls.Certificate, error)

	// Pins are public keys, as [PinOf] writes them, one of which must be in the server's verified chain, on top of all
	// other checks. Pin a spare key too, or the loss of one locks everybody out. Empty: no pinning.
	Pins []string
	// SessionCache keeps sessions to resume, which saves a signature on each side when reconnecting. Pins and roots are
	// checked on resumption too. Nil: no resumption. [tls.NewLRUClientSessionCache] makes one.
	SessionCache tls.ClientSessionCache

	// VerifyConnection is called after this package's own checks, on every connection, resumed ones included. Nil: no
	// more checks. Set it here, as setting it on the returned configuration would drop those checks.
	VerifyConnection func(tls.ConnectionState) error
	// KeyLog receives the secrets of every connection in NSS key log format, for Wireshark. Whoever has them can read all
	// traffic: for debugging alone. Nil: no secrets leave the process.
	KeyLog io.Writer
}

// Client returns a configuration for the client side. It returns an error if a pin is malformed, or, as a
// [*VerifyError], if a certificate given would be refused by servers. The configuration may be shared by many
// connections.
func Client(o ClientOptions) (*tls.Config, error) {
	c, err := base(o.Profile, o.HTTP2, o.KeyLog)
	if err != nil {
		return nil, err
	}
	pins, err := parsePins(o.Pins)
	if err != nil {
		return nil, err
	}
	if err := checkAllOwn(o.Certificates); err != nil {
		return nil, err
	}
	c.RootCAs = o.RootCAs
	c.ServerName = o.ServerName
	c.Certificates = slices.Clone(o.Certificates)
	c.GetClientCertificate = o.GetClientCertificate
	c.ClientSessionCache = o.SessionCache
	c.VerifyConnection = (&serverCheck{roots: o.RootCAs, pins: pins, next: o.VerifyConnection}).verify
	return c, nil
}

// serverCheck verifies what crypto/tls leaves to the application.
type serverCheck struct {
	roots *x509.CertPool
	pins  pinSet
	next  func(tls.ConnectionState) error
}

// verify does not impose a chain where the caller has set InsecureSkipVerify: pins and strength then hold for the leaf,
// whose key the handshake has proved.
func (k *serverCheck) verify(cs tls.ConnectionState) error {
	if cs.DidResume && len(cs.VerifiedChains) > 0 {
		chains, err := verifyAgain(&cs, k.roots, x509.ExtKeyUsageServerAuth)
		if err != nil {
			return Explain(err)
		}
		cs.VerifiedChains = chains
	}
	if err := checkStrength(&cs); err != nil {
		return err
	}
	if err := k.pins.check(&cs); err != nil {
		return err
	}
	if k.next != nil {
		return k.next(cs)
	}
	return nil
}
