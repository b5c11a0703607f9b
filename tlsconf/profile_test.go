package tlsconf

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestProfiles(t *testing.T) {
	tests := []struct {
		profile Profile
		name    string
		min     uint16
		suites  []uint16
	}{
		{Modern, "modern", tls.VersionTLS13, nil},
		{Intermediate, "intermediate", tls.VersionTLS12, intermediateSuites},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := base(tt.profile, false, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.MinVersion != tt.min || !c.DynamicRecordSizingDisabled || tt.profile.String() != tt.name {
				t.Errorf("%v: min %x, dynamic records %v", tt.profile, c.MinVersion, !c.DynamicRecordSizingDisabled)
			}
			if diff := cmp.Diff(tt.suites, c.CipherSuites); diff != "" {
				t.Errorf("suites (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"http/1.1"}, c.NextProtos); diff != "" {
				t.Errorf("ALPN (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := base(Profile(9), false, nil); err == nil || Profile(9).String() != "Profile(9)" {
		t.Errorf("profile 9 is %v, error %v", Profile(9), err)
	}
}

// Each of the six suites is sound by Go's own list, has a forward secret key exchange, and can be negotiated.
func TestIntermediateSuites(t *testing.T) {
	ca := newTestCA(t, "ca")
	ecdsa, rsa := ca.issue(t, nil), ca.issueWithKey(t, newRSAKey(t, 2048), nil)
	server := mustServer(t, ServerOptions{Profile: Intermediate, Certificates: []tls.Certificate{ecdsa, rsa}})
	if len(intermediateSuites) != 6 {
		t.Errorf("%d suites", len(intermediateSuites))
	}
	for _, suite := range intermediateSuites {
		t.Run(tls.CipherSuiteName(suite), func(t *testing.T) {
			client := mustClient(t, ClientOptions{Profile: Intermediate, RootCAs: ca.pool()})
			client.MaxVersion, client.CipherSuites = tls.VersionTLS12, []uint16{suite}
			if _, c := mustConnect(t, server, client); c.state.CipherSuite != suite {
				t.Errorf("negotiated %s", tls.CipherSuiteName(c.state.CipherSuite))
			}
		})
	}
}

func TestForWebSocket(t *testing.T) {
	inner := &tls.Config{NextProtos: []string{"h2"}}
	tests := []struct {
		name string
		in   *tls.Config
		want []string
	}{
		{"nil", nil, []string{"http/1.1"}},
		{"no ALPN", &tls.Config{}, []string{"http/1.1"}},
		{"as net/http leaves it", &tls.Config{NextProtos: []string{"h2", "http/1.1"}}, []string{"http/1.1"}},
		{"as autocert makes it", &tls.Config{NextProtos: []string{"h2", "http/1.1", "acme-tls/1"}},
			[]string{"http/1.1", "acme-tls/1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before []string
			if tt.in != nil {
				before = append(before, tt.in.NextProtos...)
			}
			got := ForWebSocket(tt.in)
			if diff := cmp.Diff(tt.want, got.NextProtos); diff != "" || !got.DynamicRecordSizingDisabled {
				t.Errorf("dynamic records %v, ALPN (-want +got):\n%s", !got.DynamicRecordSizingDisabled, diff)
			}
			if tt.in != nil && cmp.Diff(before, tt.in.NextProtos) != "" {
				t.Errorf("the original has become %v", tt.in.NextProtos)
			}
		})
	}

	refusal := errors.New("refused")
	answers := map[string]func() (*tls.Config, error){
		"chosen":  func() (*tls.Config, error) { return inner, nil },
		"none":    func() (*tls.Config, error) { return nil, nil },
		"refused": func() (*tls.Config, error) { return nil, refusal },
	}
	c := ForWebSocket(&tls.Config{GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		return answers[h.ServerName]()
	}})
	if got, err := c.GetConfigForClient(&tls.ClientHelloInfo{ServerName: "chosen"}); err != nil || got.NextProtos[0] != "http/1.1" {
		t.Errorf("chosen: %v, %v", got, err)
	}
	if got, err := c.GetConfigForClient(&tls.ClientHelloInfo{ServerName: "none"}); err != nil || got != nil {
		t.Errorf("none: %v, %v", got, err)
	}
	if got, err := c.GetConfigForClient(&tls.ClientHelloInfo{ServerName: "refused"}); err != refusal || got != nil {
		t.Errorf("refused: %v, %v", got, err)
	}
}

// One configuration for net/http and for WebSocket: net/http adds h2 to its own copy and to one that it is handed, and
// a client of ours must still end up with http/1.1.
func TestConfigSharedWithNetHTTP(t *testing.T) {
	ca := newTestCA(t, "ca")
	shared := mustServer(t, ServerOptions{Certificates: []tls.Certificate{ca.issue(t, nil)}})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{TLSConfig: shared, Handler: http.NotFoundHandler()}
	go srv.ServeTLS(ln, "", "")
	defer srv.Close()

	roots := mustClient(t, ClientOptions{RootCAs: ca.pool()})
	roots.ServerName = "localhost"
	forHTTP := roots.Clone()
	transport := &http.Transport{TLSClientConfig: forHTTP, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	response, err := client.Get("https://" + ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()

	for name, config := range map[string]*tls.Config{"own": roots, "used by net/http": ForWebSocket(forHTTP)} {
		nc, err := tls.DialWithDialer(&net.Dialer{Timeout: 20 * time.Second}, "tcp", ln.Addr().String(), config)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := nc.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
			t.Errorf("%s: agreed on %q", name, got)
		}
		nc.Close()
	}
}
