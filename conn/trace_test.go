package conn

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// traced records the hooks of httptrace as they are called.
type traced struct {
	mu    sync.Mutex
	calls []string
}

func (r *traced) add(call string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.calls, call) { // two addresses may be tried at once
		r.calls = append(r.calls, call)
	}
}

// all returns the calls so far: another address may still be tried.
func (r *traced) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

func (r *traced) hooks() *httptrace.ClientTrace {
	result := func(name string, err error) {
		if err != nil {
			name += " failed"
		}
		r.add(name)
	}
	return &httptrace.ClientTrace{
		GetConn: func(addr string) { r.add("GetConn " + addr) },
		GotConn: func(info httptrace.GotConnInfo) {
			name := "GotConn"
			if info.Conn == nil || info.Reused {
				name += " failed"
			}
			r.add(name)
		},
		GotFirstResponseByte: func() { r.add("GotFirstResponseByte") },
		Got100Continue:       func() { r.add("Got100Continue") },
		Got1xxResponse:       func(int, textproto.MIMEHeader) error { r.add("Got1xxResponse"); return nil },
		DNSStart:             func(info httptrace.DNSStartInfo) { r.add("DNSStart " + info.Host) },
		DNSDone:              func(info httptrace.DNSDoneInfo) { result("DNSDone", info.Err) },
		ConnectStart:         func(network, _ string) { r.add("ConnectStart " + network) },
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				r.add("ConnectDone")
			}
		},
		TLSHandshakeStart: func() { r.add("TLSHandshakeStart") },
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			result("TLSHandshakeDone "+tls.VersionName(state.Version), err)
		},
		WroteHeaderField: func(name string, values []string) { r.add(name + "=" + strings.Join(values, "|")) },
		WroteHeaders:     func() { r.add("WroteHeaders") },
		WroteRequest:     func(info httptrace.WroteRequestInfo) { result("WroteRequest", info.Err) },
	}
}

// TestHooksOfHTTPTraceAreCalled in the order of net/http, those of the resolver and the dialer included, for a direct connection
// and for one through a proxy.
func TestHooksOfHTTPTraceAreCalled(t *testing.T) {
	t.Parallel()
	direct, o := serve(t, echoHandler(nil), true, true)
	host := "localhost:" + portOf(t, direct)
	p := startProxy(t, rules{secure: true})
	through := p.through(o)
	through.Proxy = http.ProxyURL(&url.URL{Scheme: "https", Host: "localhost:" + portOf(t, "https://"+p.addr)})
	start := []string{"GetConn " + host, "DNSStart localhost", "DNSDone", "ConnectStart tcp", "ConnectDone", "TLSHandshakeStart"}
	end := []string{"TLSHandshakeDone TLS 1.3", "GotConn", "Host=" + host, "Upgrade=websocket", "Connection=Upgrade", "Sec-WebSocket-Key",
		"Sec-WebSocket-Version=13", "WroteHeaders", "WroteRequest", "GotFirstResponseByte"}
	for name, tt := range map[string]struct {
		o       *DialOptions
		between []string
	}{"direct": {o, nil}, "proxy": {through, []string{"TLSHandshakeDone TLS 1.2"}}} {
		var r traced
		c, _, err := Dial(httptrace.WithClientTrace(bg, r.hooks()), "wss://"+host, tt.o)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close(StatusNormalClosure, "")
		calls := r.all()
		for i, call := range calls {
			if strings.HasPrefix(call, "Sec-WebSocket-Key=") {
				calls[i] = "Sec-WebSocket-Key"
			}
		}
		if diff := cmp.Diff(slices.Concat(start, tt.between, end), calls); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	// Without hooks, and with few, nothing is called.
	c, _, err := Dial(httptrace.WithClientTrace(bg, &httptrace.ClientTrace{}), direct, o)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close(StatusNormalClosure, "")
	nc, err := net.Dial("tcp", strings.TrimPrefix(direct, "wss://"))
	if err != nil {
		t.Fatal(err)
	}
	var r traced
	if c, _, err = Client(httptrace.WithClientTrace(bg, r.hooks()), nc, direct, o); err != nil {
		t.Fatal(err)
	}
	_ = c.Close(StatusNormalClosure, "")
	if calls := r.all(); slices.ContainsFunc(calls, func(s string) bool { return strings.Contains(s, "Conn ") || s == "GotConn" }) || len(calls) < 8 {
		t.Errorf("Client: %v", calls)
	}
}
