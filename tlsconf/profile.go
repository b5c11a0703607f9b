package tlsconf

import (
	"crypto/tls"
	"fmt"
	"io"
	"slices"
)

// Profile says which TLS versions and cipher suites are acceptable. The zero value is [Modern]. The names and
// contents follow Mozilla's server-side TLS recommendations.
type Profile int

const (
	// Modern accepts TLS 1.3 and nothing older. Every browser since 2019 speaks it.
	Modern Profile = iota
	// Intermediate accepts TLS 1.2 too, with the six ECDHE suites that use authenticated encryption and no others.
	Intermediate
)

// String returns the name of the profile in lower case.
func (p Profile) String() string {
	switch p {
	case Modern:
		return "modern"
	case Intermediate:
		return "intermediate"
	}
	return fmt.Sprintf("Profile(%d)", int(p))
}

// intermediateSuites are listed one by one because Go's defaults for TLS 1.2 still hold CBC suites. The suites of
// TLS 1.3 are not configurable in crypto/tls, and all of them are sound.
var intermediateSuites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// Application protocols, as registered with IANA for ALPN (RFC 7301).
const (
	protoHTTP1 = "http/1.1"
	protoHTTP2 = "h2"
	protoACME  = "acme-tls/1" // RFC 8737
)

// base is what both roles have in common.
func base(p Profile, http2 bool, keyLog io.Writer) (*tls.Config, error) {
	c := &tls.Config{
		NextProtos:                  []string{protoHTTP1},
		DynamicRecordSizingDisabled: true,
		KeyLogWriter:                keyLog,
	}
	if http2 {
		c.NextProtos = []string{protoHTTP2, protoHTTP1}
	}
	switch p {
	case Modern:
		c.MinVersion = tls.VersionTLS13
	case Intermediate:
		c.MinVersion = tls.VersionTLS12
		c.CipherSuites = slices.Clone(intermediateSuites)
	default:
		return nil, fmt.Errorf("tlsconf: unknown profile %d: use Modern or Intermediate", int(p))
	}
	return c, nil
}

// ForWebSocket returns a copy of c fit for WebSocket: ALPN is reduced to http/1.1, and records are full-sized from
// the first byte. It leaves everything else alone, c included, and a nil c counts as a zero one.
//
// Use it on a configuration that another package made or shares: net/http puts h2 into the NextProtos of the
// configurations that it is given, and a WebSocket dialed with such a one fails. acme-tls/1 (RFC 8737) stays where it
// was listed, so that autocert goes on renewing, and a configuration chosen by GetConfigForClient is adapted too.
func ForWebSocket(c *tls.Config) *tls.Config {
	if c == nil {
		c = &tls.Config{}
	}
	w := c.Clone()
	w.DynamicRecordSizingDisabled = true
	w.NextProtos = []string{protoHTTP1}
	if slices.Contains(c.NextProtos, protoACME) {
		w.NextProtos = append(w.NextProtos, protoACME)
	}
	if choose := c.GetConfigForClient; choose != nil {
		w.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			chosen, err := choose(hello)
			if chosen == nil || err != nil {
				return nil, err
			}
			return ForWebSocket(chosen), nil
		}
	}
	return w
}
