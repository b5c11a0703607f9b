package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// reloadEvery is how long [Server] trusts the files of a certificate before it looks at them again.
const reloadEvery = time.Minute

// ServerOptions describes a server. It needs a certificate from exactly one source: Certificates, CertFile and
// KeyFile, or GetCertificate. The zero value of every other field is the safe default.
type ServerOptions struct {
	// Profile is the set of TLS versions and cipher suites. Zero: Modern, TLS 1.3 alone.
	Profile Profile
	// HTTP2 adds h2 to ALPN, before http/1.1, for a server that carries WebSockets over HTTP/2 (RFC 8441). Without that
	// support, leave it off: a peer that agrees on h2 cannot open a WebSocket of RFC 6455.
	HTTP2 bool

	// Certificates are chosen from by the server name that the client asks for. Each must be valid now, and strong.
	Certificates []tls.Certificate
	// CertFile and KeyFile are PEM files of a certificate chain, leaf first, and of its private key. They are looked at
	// again, by a handshake, when a minute has passed; a [Reloader] with Watch does so in the background instead.
	CertFile, KeyFile string
	// Reload says what is reported of CertFile and KeyFile: that they were renewed, that they cannot be used, and that the
	// certificate in use expires. Handshakes notice, and call its OnEvent. Zero: what goes wrong is logged.
	Reload ReloaderOptions
	// GetCertificate answers each handshake: that of a [Reloader], a [DevCA], autocert or certmagic. Setting it adds
	// acme-tls/1 to ALPN, so that an ACME client can answer its challenges (RFC 8737). Such a challenge comes without a
	// client certificate, so it cannot be combined with mandatory mTLS: use an HTTP or DNS challenge there.
	GetCertificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)

	// ClientCAs switches mutual TLS on: clients must show a certificate from one of these authorities, issued for
	// clientAuth. Nil, with GetClientCAs nil too: clients are not asked for a certificate.
	ClientCAs *x509.CertPool
	// GetClientCAs returns the authorities of this moment, in place of ClientCAs, for authorities that rotate while the
	// server runs. It is called on every handshake, from many goroutines at once; a nil pool accepts no certificate. With it, the
	// configuration acts through GetConfigForClient: change the options, not the returned configuration's fields.
	GetClientCAs func() *x509.CertPool
	// OptionalClientCert admits clients that show no certificate; one that is shown must still verify.
	OptionalClientCert bool

	// VerifyConnection is called after this package's own checks, on every connection, resumed ones included. Nil: no
	// more checks. Set it here, as setting it on the returned configuration would drop those checks.
	VerifyConnection func(tls.ConnectionState) error
	// KeyLog receives the secrets of every connection in NSS key log format, for Wireshark. Whoever has them can read all
	// traffic: for debugging alone. Nil: no secrets leave the process.
	KeyLog io.Writer
}

// Server returns a configuration for the server side. It returns an error, a [*VerifyError] where a certificate is at
// fault, if the options contradict each other or if a certificate given would be refused by clients: missing, expired,
// not yet valid, or weak. The configuration may be shared by many listeners.
func Server(o ServerOptions) (*tls.Config, error) {
	c, err := base(o.Profile, o.HTTP2, o.KeyLog)
	if err != nil {
		return nil, err
	}
	if err := setCertificate(c, &o); err != nil {
		return nil, err
	}
	return setClientAuth(c, &o)
}

func setCertificate(c *tls.Config, o *ServerOptions) error {
	fromFiles := o.CertFile != "" || o.KeyFile != ""
	sources := 0
	for _, set := range []bool{len(o.Certificates) > 0, fromFiles, o.GetCertificate != nil} {
		if set {
			sources++
		}
	}
	if sources != 1 {
		return fmt.Errorf("tlsconf: %d sources of certificates: set one of Certificates, CertFile with KeyFile, GetCertificate",
			sources)
	}
	switch {
	case fromFiles:
		if o.CertFile == "" || o.KeyFile == "" {
			return errors.New("tlsconf: CertFile and KeyFile go together; both may name one file that holds both")
		}
		r, err := NewReloader(o.CertFile, o.KeyFile, o.Reload)
		if err != nil {
			return err
		}
		c.GetCertificate = r.lazily(reloadEvery)
	case o.GetCertificate != nil:
		c.GetCertificate = o.GetCertificate
		c.NextProtos = append(c.NextProtos, protoACME)
	default:
		if err := checkAllOwn(o.Certificates); err != nil {
			return err
		}
		c.Certificates = slices.Clone(o.Certificates)
	}
	return nil
}

// setClientAuth installs the checks of mTLS. crypto/tls verifies the chain in a full handshake, and fills
// VerifiedChains for the application; clientCheck does so again on resumption.
func setClientAuth(c *tls.Config, o *ServerOptions) (*tls.Config, error) {
	if o.ClientCAs == nil && o.GetClientCAs == nil {
		if o.OptionalClientCert {
			return nil, errors.New("tlsconf: OptionalClientCert without ClientCAs: set the authorities to verify with")
		}
		c.VerifyConnection = o.VerifyConnection
		return c, nil
	}
	if o.ClientCAs != nil && o.GetClientCAs != nil {
		return nil, errors.New("tlsconf: both ClientCAs and GetClientCAs are set: set one")
	}
	check := &clientCheck{roots: o.GetClientCAs, optional: o.OptionalClientCert, next: o.VerifyConnection}
	if check.roots == nil {
		check.roots = func() *x509.CertPool { return o.ClientCAs }
	}
	c.ClientAuth = tls.RequireAndVerifyClientCert
	if o.OptionalClientCert {
		c.ClientAuth = tls.VerifyClientCertIfGiven
	}
	c.ClientCAs = check.pool()
	c.VerifyConnection = check.verify
	if o.GetClientCAs != nil {
		fixed := c.Clone()
		c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			current := fixed.Clone()
			current.ClientCAs = check.pool()
			return current, nil
		}
	}
	return c, nil
}

// clientCheck verifies client certificates.
type clientCheck struct {
	roots    func() *x509.CertPool
	optional bool
	next     func(tls.ConnectionState) error
}

// pool never returns nil, which would mean the system's roots: any public certificate would do.
func (k *clientCheck) pool() *x509.CertPool {
	if p := k.roots(); p != nil {
		return p
	}
	return x509.NewCertPool()
}

func (k *clientCheck) verify(cs tls.ConnectionState) error {
	if len(cs.PeerCertificates) == 0 {
		if !k.optional {
			return &VerifyError{Reason: NoClientCertificate, Detail: "the client showed no certificate"}
		}
	} else if err := k.verifyChain(&cs); err != nil {
		return Explain(err)
	}
	if k.next != nil {
		return k.next(cs)
	}
	return nil
}

func (k *clientCheck) verifyChain(cs *tls.ConnectionState) error {
	if cs.DidResume {
		chains, err := verifyAgain(cs, k.pool(), x509.ExtKeyUsageClientAuth)
		if err != nil {
			return err
		}
		cs.VerifiedChains = chains
	}
	return checkStrength(cs)
}

// verifyAgain verifies the chain that a resumed session remembers, against the roots and the clock of this moment.
func verifyAgain(cs *tls.ConnectionState, roots *x509.CertPool, usage x509.ExtKeyUsage) ([][]*x509.Certificate, error) {
	opts := x509.VerifyOptions{
		Roots:         roots,
		Intermediates: x509.NewCertPool(),
		KeyUsages:     []x509.ExtKeyUsage{usage},
	}
	for _, cert := range cs.PeerCertificates[1:] {
		opts.Intermediates.AddCert(cert)
	}
	return cs.PeerCertificates[0].Verify(opts)
}
