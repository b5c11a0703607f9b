// Package tlsconf builds TLS configurations for WebSocket servers and clients.
//
// For most uses a server needs a certificate and nothing else:
//
//	cfg, err := tlsconf.Server(tlsconf.ServerOptions{CertFile: "cert.pem", KeyFile: "key.pem"})
//
// and a client needs no option at all:
//
//	cfg, err := tlsconf.Client(tlsconf.ClientOptions{})
//
// The zero value of every option is the safe choice: TLS 1.3 alone, certificates verified, keys never logged.
// Both roles negotiate http/1.1 by ALPN, because a peer that agrees on h2 cannot answer the opening handshake of
// RFC 6455, and both send full-sized records from the first byte (DynamicRecordSizingDisabled), because a
// WebSocket is a long-lived stream and not a page to render early.
//
// [NewReloader] renews a certificate without a restart, [Development] keeps a certificate authority for localhost,
// [PinOf] names the public key to pin, and [ForWebSocket] adapts a configuration that something else made.
//
// # Errors
//
// A peer that is refused yields an error that [Explain] turns into a [*VerifyError]: a stable [Reason] for metrics,
// a sentence that says what to do, and the error of crypto/tls or crypto/x509 beneath it for [errors.As].
//
// # What is checked on a resumed session
//
// A resumed TLS session exchanges no certificate, so pins, key strength and the client certificate's chain are
// checked in VerifyConnection, which crypto/tls runs on every connection, against the roots and pins of that moment.
// A certificate authority that is withdrawn cannot be outlived by a session ticket.
//
// # What is not checked
//
// Revocation (CRL, OCSP) is not checked, as nowhere in Go's standard library: prefer short-lived certificates.
package tlsconf
