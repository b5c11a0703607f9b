package main

import (
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/seed-c4549abd/wss/conn"
	wsshttp2 "github.com/seed-c4549abd/wss/http2"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// probeJSON runs wss probe -json, and returns its report.
func probeJSON(t *testing.T, status int, args ...string) *probeReport {
	t.Helper()
	r := runCommand(t, append([]string{"probe", "-json", "-pings", "2"}, args...)...)
	r.check(t, status)
	report := &probeReport{}
	if err := json.Unmarshal([]byte(r.out), report); err != nil {
		t.Fatalf("%v\n%s%s", err, r.out, r.errors)
	}
	return report
}

// warned reports whether a warning has a text.
func (r *probeReport) warned(text string) bool {
	return strings.Contains(strings.Join(r.Warnings, "\n"), text)
}

func TestProbeOfAModernServer(t *testing.T) {
	srv := newServer(t, &conn.AcceptOptions{Subprotocols: []string{"chat"}}, func(c *conn.Conn, _ *http.Request) {
		c.CloseRead(c.Context())
		<-c.Context().Done()
	}, nil)
	r := probeJSON(t, 0, "-ca", srv.ca, "-subprotocol", "chat", srv.url)
	tls, ws := r.TLS, r.WebSocket
	if tls.Version != "TLS 1.3" || tls.KeyExchange != "X25519MLKEM768" || !tls.PostQuantum || tls.ALPN != "http/1.1" || !tls.Trusted || tls.ECHAccepted {
		t.Errorf("TLS %+v", tls)
	}
	if ws.Status != 101 || ws.Subprotocol != "chat" || ws.Extensions != "" || ws.CloseCode != 1000 {
		t.Errorf("WebSocket %+v", ws)
	}
	if len(r.Times.Pings) != 2 || r.Times.TLS <= 0 || r.Times.Connect <= 0 || r.Times.Opening <= 0 {
		t.Errorf("times %+v", r.Times)
	}
	if r.HTTP2 == nil || r.HTTP2.Offered || r.HTTP2.Error != "" {
		t.Errorf("HTTP/2 %+v", r.HTTP2)
	}
	if !tls.Certificate.SelfSigned || !r.warned("self-signed") || len(r.Warnings) != 1 {
		t.Errorf("warnings %q", r.Warnings)
	}
	runCommand(t, "probe", "-ca", srv.ca, srv.url).check(t, 0, "X25519MLKEM768, a post-quantum hybrid", "localhost, 127.0.0.1, ::1", "not offered; -ech offers it",
		"WARNING", "pings          5: fastest")
}

func TestProbeOfTheDevelopmentServer(t *testing.T) {
	s := startServe(t, "-echo")
	if r := probeJSON(t, 0, s.url); !r.TLS.Trusted || len(r.Warnings) != 0 {
		t.Errorf("%+v, %q", r.TLS, r.Warnings)
	}
}

func TestProbeWarns(t *testing.T) {
	old := func(s *httptest.Server) {
		s.TLS.MaxVersion = tls.VersionTLS12
		s.TLS.CurvePreferences = []tls.CurveID{tls.X25519}
	}
	closeRead := func(c *conn.Conn, _ *http.Request) { <-c.CloseRead(c.Context()).Done() }
	srv := newServer(t, &conn.AcceptOptions{Compression: conn.Compression{Mode: conn.CompressionTakeover}}, closeRead, old)
	r := probeJSON(t, 0, "-ca", srv.ca, srv.url)
	for _, text := range []string{"TLS 1.2 though TLS 1.3", "X25519 is not post-quantum", "with context takeover"} {
		if !r.warned(text) {
			t.Errorf("%q without %q", r.Warnings, text)
		}
	}
	srv = newServer(t, &conn.AcceptOptions{Compression: conn.Compression{Mode: conn.CompressionNoTakeover}}, closeRead, nil)
	if r := probeJSON(t, 0, "-ca", srv.ca, srv.url); r.warned("takeover") || !r.warned("compression was accepted") {
		t.Errorf("%q", r.Warnings)
	}
	s := startServe(t, "-plain", "-echo")
	if r := probeJSON(t, 0, s.url); !r.warned("not encrypted") || r.TLS != nil || r.HTTP2 != nil {
		t.Errorf("ws: %+v", r)
	}
	runCommand(t, "probe", s.url).check(t, 0, "ws is not encrypted")
}

func TestProbeWarnsOfTheEndOfACertificate(t *testing.T) {
	for name, test := range map[string]struct {
		left, valid int
		text        string
	}{
		"soon":                  {5, 90, "expires in 5 days"},
		"not soon":              {15, 90, ""},
		"not soon for its life": {4, 7, ""},
		"soon for its life":     {1, 7, "expires in 1 days"},
		"past":                  {-1, 90, "has expired"},
	} {
		got := strings.Join((&certificateReport{DaysLeft: test.left, DaysValid: test.valid}).warnings(), "")
		if (got == "") != (test.text == "") || !strings.Contains(got, test.text) {
			t.Errorf("%s: %q", name, got)
		}
	}
	now := time.Now()
	for d, want := range map[time.Duration]int{36 * time.Hour: 1, time.Second: 0, -time.Second: -1, -36 * time.Hour: -2} {
		if got := daysBetween(now, now.Add(d)); got != want {
			t.Errorf("%v: %d days, want %d", d, got, want)
		}
	}
}

// TestProbeSendsNothingToAServerThatIsNotTrusted, as -H may hold credentials, but describes its certificate.
func TestProbeSendsNothingToAServerThatIsNotTrusted(t *testing.T) {
	asked := false
	srv := newServer(t, &conn.AcceptOptions{Check: func(*http.Request) error { asked = true; return nil }}, func(c *conn.Conn, _ *http.Request) {
		<-c.CloseRead(c.Context()).Done()
	}, nil)
	r := probeJSON(t, exitFailed, "-H", "Authorization: x", srv.url)
	if asked || r.TLS.Trusted || r.TLS.Certificate == nil || r.Error == "" || !r.warned("not trusted") {
		t.Errorf("asked %v; %+v", asked, r)
	}
	runCommand(t, "probe", srv.url).check(t, exitFailed, "trusted      NO: ", "FAILED")
	runCommand(t, "probe", "-ca", srv.ca, "-server-name", "other.example", srv.url).check(t, exitFailed, "trusted      NO: ")
	if r := probeJSON(t, 0, "-insecure", srv.url); r.TLS.Trusted || r.Error != "" || !asked {
		t.Errorf("-insecure: %+v", r)
	}
}

func TestProbeOfWhatIsNoWebSocketServer(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.TLS, _ = testtls.Configs(tls.VersionTLS13)
	srv.TLS.NextProtos = []string{"h2", "http/1.1"}
	srv.Config.TLSNextProto = settingsOnly()
	srv.StartTLS()
	defer srv.Close()
	r := probeJSON(t, exitFailed, "-insecure", srv.URL)
	if r.WebSocket == nil || r.WebSocket.Status != 404 || r.HTTP2 == nil || !r.HTTP2.Offered || r.HTTP2.WebSocket || r.HTTP2.Error != "" {
		t.Errorf("%+v %+v", r.WebSocket, r.HTTP2)
	}
	runCommand(t, "probe", "-insecure", srv.URL).check(t, exitFailed, "404", "offered, without WebSockets over it")
}

// settingsOnly has a server of HTTP/2 send these settings, and nothing more.
func settingsOnly(settings ...http2.Setting) map[string]func(*http.Server, *tls.Conn, http.Handler) {
	return map[string]func(*http.Server, *tls.Conn, http.Handler){
		"h2": func(_ *http.Server, c *tls.Conn, _ http.Handler) { serveSettings(c, settings...) },
	}
}

// withHTTP2 has a server take WebSockets over HTTP/2.
func withHTTP2(s *httptest.Server) {
	s.EnableHTTP2 = true
	_ = wsshttp2.Configure(s.Config)
	s.TLS.NextProtos = []string{"h2", "http/1.1"}
}

// TestProbeAsksForHTTP2 over TLS connections of its own, and opens a WebSocket over it.
func TestProbeAsksForHTTP2(t *testing.T) {
	versions := make(chan string, 10)
	srv := newServer(t, nil, func(c *conn.Conn, _ *http.Request) {
		versions <- c.HTTPVersion()
		<-c.CloseRead(c.Context()).Done()
	}, withHTTP2)
	r := probeJSON(t, 0, "-ca", srv.ca, srv.url)
	if r.HTTP2 == nil || !r.HTTP2.Offered || !r.HTTP2.WebSocket || r.HTTP2.Status != 200 || r.HTTP2.Error != "" || r.TLS.ALPN != "http/1.1" {
		t.Errorf("%+v, %+v", r.HTTP2, r.TLS)
	}
	if one, two := <-versions, <-versions; one != "HTTP/1.1" || two != "HTTP/2" {
		t.Errorf("%s, then %s", one, two)
	}
}

// TestProbeSeesARouteThatRefusesCONNECT, where the same path takes WebSockets over HTTP/1.1.
func TestProbeSeesARouteThatRefusesCONNECT(t *testing.T) {
	srv := newServer(t, nil, func(c *conn.Conn, _ *http.Request) { <-c.CloseRead(c.Context()).Done() }, func(s *httptest.Server) {
		mux := http.NewServeMux()
		mux.Handle("GET /", s.Config.Handler)
		s.Config.Handler = mux
		withHTTP2(s)
	})
	r := probeJSON(t, 0, "-ca", srv.ca, srv.url)
	if r.HTTP2 == nil || !r.HTTP2.WebSocket || r.HTTP2.Status != 405 || r.HTTP2.Error == "" || !r.warned("405") {
		t.Errorf("%+v, %v", r.HTTP2, r.Warnings)
	}
}

// TestConnectOverHTTP2: -http chooses the version, and says when the server does not have it.
func TestConnectOverHTTP2(t *testing.T) {
	srv := newServer(t, nil, func(c *conn.Conn, _ *http.Request) {
		_ = c.Write(c.Context(), conn.Text, []byte(c.HTTPVersion()))
		_ = c.Close(conn.StatusNormalClosure, "")
	}, withHTTP2)
	for version, want := range map[string]string{"1.1": "HTTP/1.1", "2": "HTTP/2", "auto": "HTTP/2"} {
		runCommand(t, "connect", "-ca", srv.ca, "-http", version, srv.url).check(t, 0, want)
	}
	old := newCloser(t, conn.StatusNormalClosure, "", conn.Message{Type: conn.Text, Data: []byte("hello")})
	runCommand(t, "connect", "-ca", old.ca, "-http", "auto", old.url).check(t, 0, "hello")
	runCommand(t, "connect", "-ca", old.ca, "-http", "2", old.url).check(t, exitFailed, "does not")
	runCommand(t, "connect", "-http", "3", old.url).check(t, exitUsage, "-http takes 1.1, 2 or auto")
	runCommand(t, "connect", "-http", "2", "ws://localhost:1").check(t, exitUsage, "needs a wss URL")
}

// serveSettings is a server of HTTP/2 that sends its settings, and nothing more.
func serveSettings(c net.Conn, settings ...http2.Setting) {
	defer c.Close()
	_, _ = io.ReadFull(c, make([]byte, len(http2.ClientPreface)))
	framer := http2.NewFramer(c, c)
	_, _ = framer.ReadFrame()
	_ = framer.WriteSettings(settings...)
	for {
		if _, err := framer.ReadFrame(); err != nil {
			return
		}
	}
}

func TestProbeSeesWebSocketsOverHTTP2(t *testing.T) {
	for name, test := range map[string]struct {
		settings []http2.Setting
		offered  bool
	}{
		"on":     {[]http2.Setting{{ID: http2.SettingEnableConnectProtocol, Val: 1}}, true},
		"off":    {[]http2.Setting{{ID: http2.SettingEnableConnectProtocol, Val: 0}}, false},
		"absent": {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := net.Pipe()
			go serveSettings(server, test.settings...)
			if got, err := enablesConnect(client); got != test.offered || err != nil {
				t.Errorf("%v, %v", got, err)
			}
			client.Close()
		})
	}
	client, server := net.Pipe()
	go func() {
		_, _ = io.ReadFull(server, make([]byte, len(http2.ClientPreface)))
		framer := http2.NewFramer(server, server)
		_, _ = framer.ReadFrame()
		_ = framer.WritePing(false, [8]byte{})
	}()
	if _, err := enablesConnect(client); err == nil || !strings.Contains(err.Error(), "no SETTINGS") {
		t.Error(err)
	}
}

// echServer returns the keys of a server for Encrypted Client Hello, and the list for its clients (RFC 9849 §4).
func echServer(t *testing.T) (keys []tls.EncryptedClientHelloKey, list []byte) {
	t.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := key.PublicKey().Bytes()
	contents := append([]byte{7, 0, 0x20, 0, byte(len(public))}, public...) // config_id, DHKEM(X25519), the key
	contents = append(contents, 0, 4, 0, 1, 0, 1)                           // HKDF-SHA256, AES-128-GCM
	contents = append(contents, 32, byte(len("public.example")))            // maximum_name_length
	contents = append(append(contents, "public.example"...), 0, 0)          // no extensions
	config := binary.BigEndian.AppendUint16([]byte{0xfe, 0x0d}, uint16(len(contents)))
	config = append(config, contents...)
	list = append(binary.BigEndian.AppendUint16(nil, uint16(len(config))), config...)
	return []tls.EncryptedClientHelloKey{{Config: config, PrivateKey: key.Bytes(), SendAsRetry: true}}, list
}

func TestProbeOffersEncryptedClientHello(t *testing.T) {
	keys, list := echServer(t)
	srv := newServer(t, nil, func(c *conn.Conn, _ *http.Request) { <-c.CloseRead(c.Context()).Done() }, func(s *httptest.Server) {
		s.TLS.EncryptedClientHelloKeys = keys
	})
	r := probeJSON(t, 0, "-ca", srv.ca, "-ech", base64.StdEncoding.EncodeToString(list), strings.Replace(srv.url, "127.0.0.1", "localhost", 1))
	if !r.TLS.ECHOffered || !r.TLS.ECHAccepted {
		t.Errorf("%+v", r.TLS)
	}
	runCommand(t, "probe", "-ca", srv.ca, "-ech", base64.StdEncoding.EncodeToString(list), srv.url).check(t, 0, "Encrypted Client Hello was accepted")
	srv = newEcho(t)
	runCommand(t, "probe", "-ca", srv.ca, "-ech", base64.StdEncoding.EncodeToString(list), srv.url).check(t, exitFailed, "FAILED")
}

func TestWhatAServerSaysIsEscaped(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "\x1b[31mred"}, NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	srv := newServer(t, nil, func(c *conn.Conn, _ *http.Request) { <-c.CloseRead(c.Context()).Done() }, func(s *httptest.Server) {
		s.TLS.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
	})
	if r := runCommand(t, "probe", "-insecure", srv.url); strings.Contains(r.out+r.errors, "\x1b") || !strings.Contains(r.out, "[31mred") {
		t.Errorf("%q", r.out)
	}
}

func TestProbeOfNoServer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out := &output{}
	if status := run(ctx, []string{"probe", "wss://localhost:1"}, &console{out: out, err: out}); status != exitFailed {
		t.Errorf("status %d\n%s", status, out)
	}
	runCommand(t, "probe", "wss://localhost:1").check(t, exitFailed, "FAILED", "refused")
}
