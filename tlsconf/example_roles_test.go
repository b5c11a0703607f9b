package tlsconf_test

import (
	"crypto/tls"
	"fmt"

	"github.com/seed-c4549abd/wss/tlsconf"
)

// A server with a certificate of its own. The file is read again when it is renewed, with a Reloader.
func ExampleServer() {
	dev, err := tlsconf.Development(tlsconf.DevOptions{InMemory: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	config, err := tlsconf.Server(tlsconf.ServerOptions{GetCertificate: dev.GetCertificate})
	fmt.Println(config.MinVersion >= tls.VersionTLS12, err)

	_, err = tlsconf.Server(tlsconf.ServerOptions{})
	fmt.Println(err != nil)
	// Output:
	// true <nil>
	// true
}

// A client needs no options; it verifies the server with the system's authorities.
func ExampleClient() {
	config, err := tlsconf.Client(tlsconf.ClientOptions{})
	fmt.Println(config.MinVersion >= tls.VersionTLS12, config.InsecureSkipVerify, err)
	// Output: true false <nil>
}
