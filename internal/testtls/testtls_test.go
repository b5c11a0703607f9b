package testtls

import (
	"crypto/tls"
	"net"
	"testing"
)

func TestTheConfigurationsFitEachOther(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		sc, cc := Configs(version)
		a, b := net.Pipe()
		server, client := tls.Server(a, sc), tls.Client(b, cc)
		done := make(chan error, 1)
		go func() { done <- server.Handshake() }()
		if err := client.Handshake(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil || client.ConnectionState().Version != version {
			t.Errorf("version %x, %v", client.ConnectionState().Version, err)
		}
		_ = a.Close()
		_ = b.Close()
	}
}
