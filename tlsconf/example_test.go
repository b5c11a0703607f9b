package tlsconf_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/seed-c4549abd/wss/tlsconf"
)

// A server whose certificate is renewed on disk by another program, watched in the background.
func ExampleNewReloader() {
	reloader, err := tlsconf.NewReloader("/etc/ssl/chat/fullchain.pem", "/etc/ssl/chat/privkey.pem", tlsconf.ReloaderOptions{
		OnEvent: func(e tlsconf.ReloadEvent) { log.Print(e) }, // or count e.Kind, and page somebody on "failed" and "expired"
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go reloader.Watch(ctx, time.Minute)

	config, err := tlsconf.Server(tlsconf.ServerOptions{GetCertificate: reloader.GetCertificate})
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: ":443", TLSConfig: config}
	log.Fatal(server.ListenAndServeTLS("", ""))
}

// CertificateManager is what the Manager of golang.org/x/crypto/acme/autocert and the Config of
// github.com/caddyserver/certmagic have in common.
type CertificateManager interface {
	GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error)
}

// With autocert or certmagic: the manager answers each handshake, its own challenges (acme-tls/1) included.
func ExampleServer_acme() {
	var manager CertificateManager // = &autocert.Manager{…}, or certmagic.NewDefault()

	serve := func(manager CertificateManager) error {
		config, err := tlsconf.Server(tlsconf.ServerOptions{GetCertificate: manager.GetCertificate})
		if err != nil {
			return err
		}
		server := &http.Server{Addr: ":443", TLSConfig: config}
		return server.ListenAndServeTLS("", "")
	}
	if manager != nil {
		log.Fatal(serve(manager))
	}
}

// A development server and a client that trusts it, and one that has not been told to.
func ExampleDevelopment() {
	// Without InMemory, the authority is kept in the user's configuration directory: trust the file CAFile once.
	dev, err := tlsconf.Development(tlsconf.DevOptions{InMemory: true})
	if err != nil {
		log.Fatal(err)
	}
	config, err := tlsconf.Server(tlsconf.ServerOptions{GetCertificate: dev.GetCertificate})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Handler: http.NotFoundHandler(), ErrorLog: log.New(discard{}, "", 0)}
	go server.Serve(listener)
	defer server.Close()

	trusting, err := tlsconf.Client(tlsconf.ClientOptions{RootCAs: dev.Pool()})
	if err != nil {
		log.Fatal(err)
	}
	wary, err := tlsconf.Client(tlsconf.ClientOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, client := range []*tls.Config{trusting, wary} {
		conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", listener.Addr().String(), client)
		if err != nil {
			if refused, ok := errors.AsType[*tlsconf.VerifyError](tlsconf.Explain(err)); ok {
				fmt.Println("refused:", refused.Reason)
			}
			continue
		}
		state := conn.ConnectionState()
		fmt.Println(tls.VersionName(state.Version), "with", state.NegotiatedProtocol)
		conn.Close()
	}
	// Output:
	// TLS 1.3 with http/1.1
	// refused: untrusted
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// Pinning the key of a server, with a spare one that is kept offline.
func ExampleClient_pins() {
	_, err := tlsconf.Client(tlsconf.ClientOptions{Pins: []string{
		"sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
		"sha256/RdBvSJZfHTTHv9c1AGv6TjUF1KYUMpLPLMoPplFbi0M",
	}})
	fmt.Println(err)
	// Output:
	// tlsconf: malformed pin "sha256/RdBvSJZfHTTHv9c1AGv6TjUF1KYUMpLPLMoPplFbi0M": want "sha256/" and the base64 of a SHA-256 digest, as PinOf makes it
}

// A configuration that net/http shares has h2 in its ALPN list; the copy for WebSocket has not.
func ExampleForWebSocket() {
	shared := &tls.Config{NextProtos: []string{"h2", "http/1.1"}}
	fmt.Println(shared.NextProtos, tlsconf.ForWebSocket(shared).NextProtos)
	// Output:
	// [h2 http/1.1] [http/1.1]
}

// What a client says when it does not trust a certificate.
func ExampleExplain() {
	conn, err := tls.Dial("tcp", "self-signed.example:443", nil)
	if untrusted, ok := errors.AsType[*tlsconf.VerifyError](tlsconf.Explain(err)); ok {
		log.Fatal(untrusted) // with what to do about it
	}
	if err == nil {
		conn.Close()
	}
}

// The pin of a server's key, for ClientOptions.Pins.
func ExamplePinOf() {
	dev, err := tlsconf.Development(tlsconf.DevOptions{InMemory: true})
	if err != nil {
		log.Fatal(err)
	}
	certificate, err := dev.GetCertificate(&tls.ClientHelloInfo{ServerName: "localhost"})
	if err != nil {
		log.Fatal(err)
	}
	pin := tlsconf.PinOf(certificate.Leaf)
	fmt.Println(len(pin), pin[:7])
	// Output: 51 sha256/
}
