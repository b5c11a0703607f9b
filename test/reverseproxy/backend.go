package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	proxyproto "github.com/pires/go-proxyproto"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/test/ports"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// Of the server's connections.
const (
	messageLimit = 1 << 20
	pingInterval = 500 * time.Millisecond
	closeCode    = 4002 // what a client that says "close" gets
	closeReason  = "enough"
)

// proxyAddress is where proxies connect from. Clients use other addresses of this machine.
var proxyAddress = netip.MustParsePrefix("127.0.0.1/32")

// seen is what the server saw of a request, as a client that says "seen" is told.
type seen struct {
	Host, Proto, Origin, Client string
	Forwarded, XForwardedFor    []string
}

// backend is our server behind the proxies, on several listeners.
type backend struct {
	plain, tls, tls12 string // addresses: without TLS, with TLS 1.3 alone, with TLS 1.2 too
	// Of the PROXY protocol: without TLS and with it.
	proxied, proxiedTLS string

	servers []*http.Server

	mu     sync.Mutex
	ends   map[string]chan *conn.CloseError
	groups map[string]*conn.Group
}

// proxied returns a listener of sockets whose connections come from proxies that speak the PROXY protocol. It goes below TLS.
func proxied(ln net.Listener, proxies ...string) (net.Listener, error) {
	policy, err := proxyproto.TrustProxyHeaderFromRanges(proxies)
	if err != nil {
		return nil, err
	}
	return conn.NewListener(&proxyproto.Listener{Listener: ln, ConnPolicy: policy}), nil
}

func startBackend(ca *tlsconf.DevCA) (*backend, error) {
	b := &backend{ends: make(map[string]chan *conn.CloseError), groups: make(map[string]*conn.Group)}
	direct := func(ln net.Listener) (net.Listener, error) { return conn.NewListener(ln), nil }
	proxy := func(ln net.Listener) (net.Listener, error) { return proxied(ln, proxyAddress.String()) }
	const plain, modern, intermediate = -1, tlsconf.Modern, tlsconf.Intermediate
	for _, l := range []struct {
		addr    *string
		wrap    func(net.Listener) (net.Listener, error)
		profile tlsconf.Profile
	}{
		{&b.plain, direct, plain}, {&b.tls, direct, modern}, {&b.tls12, direct, intermediate},
		{&b.proxied, proxy, plain}, {&b.proxiedTLS, proxy, modern},
	} {
		ln, err := ports.Listen()
		if err != nil {
			return nil, err
		}
		*l.addr = ln.Addr().String()
		if ln, err = l.wrap(ln); err != nil {
			return nil, err
		}
		if l.profile != plain {
			cfg, err := tlsconf.Server(tlsconf.ServerOptions{Profile: l.profile, GetCertificate: ca.GetCertificate})
			if err != nil {
				return nil, err
			}
			ln = tls.NewListener(ln, cfg)
		}
		// Requests that fail are what is looked for, and no news.
		srv := &http.Server{Handler: b, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: 10 * time.Second}
		b.servers = append(b.servers, srv)
		go func() { _ = srv.Serve(ln) }()
	}
	return b, nil
}

func (b *backend) close() {
	for _, srv := range b.servers {
		_ = srv.Close()
	}
}

// ServeHTTP serves a WebSocket. The query says which group it joins (group), which field of the proxies counts there (header),
// whether no proxy is trusted (untrusting), whether there are no pings (silent), which other origin may connect (origin), and under which
// id its end is noted (id).
func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Has("page") {
		fmt.Fprintln(w, r.Proto)
		return
	}
	o := &conn.AcceptOptions{
		Subprotocols: []string{"echo"}, MessageLimit: messageLimit, PingInterval: pingInterval,
		Compression: conn.Compression{Mode: conn.CompressionTakeover},
		Group:       b.group(q.Get("group"), q.Get("header"), q.Has("untrusting")),
	}
	if q.Has("silent") {
		o.PingInterval = -1
	}
	if q.Has("origin") {
		o.OriginPatterns = []string{q.Get("origin")}
	}
	c, err := conn.Accept(w, r, o)
	if err != nil {
		return // Accept has answered
	}
	defer c.CloseNow()
	saw := seen{
		Host: r.Host, Proto: r.Proto, Origin: r.Header.Get("Origin"), Client: o.Group.ClientAddr(r).String(),
		Forwarded: r.Header["Forwarded"], XForwardedFor: r.Header["X-Forwarded-For"],
	}
	_ = c.Serve(c.Context(), func(c *conn.Conn, m conn.Message) error { // how the connection ended says more
		switch string(m.Data) {
		case "seen":
			text, err := json.Marshal(saw)
			return errors.Join(err, c.Write(c.Context(), conn.Text, text))
		case "close":
			return c.Close(closeCode, closeReason)
		}
		return c.Write(c.Context(), m.Type, m.Data)
	})
	_ = c.CloseNow()
	why, _ := errors.AsType[*conn.CloseError](context.Cause(c.Context()))
	b.end(q.Get("id")) <- why
}

// group returns the group of a name, one without limits for none.
func (b *backend) group(name, header string, untrusting bool) *conn.Group {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := fmt.Sprint(name, header, untrusting)
	if b.groups[key] == nil {
		g := &conn.Group{ProxyHeader: header, TrustedProxies: []netip.Prefix{proxyAddress}}
		if untrusting {
			g.TrustedProxies = nil
		}
		if name != "" {
			g.MaxPerAddress = 1
		}
		b.groups[key] = g
	}
	return b.groups[key]
}

// end returns the channel for how the connection of an id ended.
func (b *backend) end(id string) chan *conn.CloseError {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ends[id] == nil {
		b.ends[id] = make(chan *conn.CloseError, 1024)
	}
	return b.ends[id]
}

// sawClose checks how the connection of an id ended, as our server saw it.
func (b *backend) sawClose(ctx context.Context, id string, code conn.StatusCode, reason string) error {
	select {
	case why := <-b.end(id):
		if why == nil || why.Code != code || why.Reason != reason {
			return fmt.Errorf("our server saw %v, want code %d, reason %q", why, code, reason)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("our server saw no end: %w", context.Cause(ctx))
	}
}
