// Package howto holds the snippets of the documents that are in no example, so that the compiler checks them. Do not import it.
package howto

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/suite/suitetest"
	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/http2"
	"github.com/seed-c4549abd/wss/reconnect"
)

// newest-wins.md

func broadcastState(ctx context.Context, group *conn.Group, encoded []byte) error {
	state, err := conn.Prepare(conn.Binary, encoded)
	if err != nil {
		return err
	}
	for c := range group.Conns() {
		_ = c.SendLatest(ctx, "state", state)
	}
	return nil
}

func sendStates(ctx context.Context, c *conn.Conn, encode func() []byte) error {
	for {
		if err := c.WaitDrained(ctx); err != nil {
			return err
		}
		state, err := conn.Prepare(conn.Binary, encode())
		if err == nil {
			err = c.SendLatest(ctx, "state", state)
		}
		if err != nil {
			return err
		}
	}
}

// graceful-deploy.md

func serve(srv *http.Server, group *conn.Group, ln net.Listener) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	served := make(chan error, 1)
	go func() { served <- srv.ServeTLS(conn.NewListener(ln), "", "") }()
	select {
	case err := <-served:
		return err // the listener has failed
	case <-signals:
	}

	// Less than the orchestrator's grace period, which is 30 s in Kubernetes by default.
	ctx, cancel := context.WithTimeout(context.Background(), 25*time.Second)
	defer cancel()
	go func() { // a second signal shuts down at once
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	return group.ShutdownServer(ctx, srv, conn.ShutdownOptions{
		Code: conn.StatusServiceRestart, Reason: "new version", Spread: 15 * time.Second,
	})
}

// operations.md

// closeUntrusted closes the connections whose certificate none of the authorities has issued.
func closeUntrusted(group *conn.Group, authorities *x509.CertPool) {
	if authorities == nil {
		authorities = x509.NewCertPool() // nil would be the system's authorities
	}
	for c := range group.Conns() {
		state, ok := c.TLS()
		if !ok || len(state.PeerCertificates) == 0 {
			continue
		}
		intermediates := x509.NewCertPool()
		for _, certificate := range state.PeerCertificates[1:] {
			intermediates.AddCert(certificate)
		}
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{
			Roots: authorities, Intermediates: intermediates, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		})
		if err != nil {
			go c.Close(conn.StatusPolicyViolation, "certificate is not trusted any more")
		}
	}
}

func labelled(r *http.Request, c *conn.Conn, echo func(*conn.Conn, conn.Message) error) {
	pprof.Do(r.Context(), pprof.Labels("peer", r.RemoteAddr, "path", r.URL.Path), func(context.Context) {
		c.ServeInBackground(echo, nil)
	})
}

// reconnecting.md

func restart(ctx context.Context, group *conn.Group, srv *http.Server) error {
	err := group.ShutdownServer(ctx, srv, conn.ShutdownOptions{Code: conn.StatusServiceRestart, Spread: 20 * time.Second})
	return err
}

func observed(ctx context.Context, url string, options *reconnect.Options, done chan error, feed func(context.Context, *conn.Conn) error) {
	client := reconnect.New(url, options)
	go func() { done <- client.Run(ctx, feed) }()

	if s := client.State(); s.Phase == reconnect.Waiting {
		fmt.Println("reconnecting at", s.Until)
	}
}

// ../security.md

func shutDown(srv *http.Server) error {
	group := &conn.Group{MaxConns: 50_000, MaxPerAddress: 100, MaxAge: time.Hour}
	// in the handler: conn.Accept(w, r, &conn.AcceptOptions{Group: group})
	// when the program is to end:
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	err := group.ShutdownServer(ctx, srv, conn.ShutdownOptions{Spread: 10 * time.Second})
	return err
}

// ../suite.md

var address = "127.0.0.1:9001" // of the server that is tested

func TestConformance(t *testing.T) { suitetest.Server(t, "ws://"+address) }

// reverse-proxy.md

func behindProxies() *conn.Group {
	group := &conn.Group{
		MaxPerAddress:  100,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, // where the proxies connect from
	}
	return group
}

// behind-a-proxy.md

func proxies() (one, other *conn.DialOptions, err error) {
	u, err := url.Parse("http://user:password@proxy.example:3128")
	if err != nil {
		return nil, nil, err
	}
	thisOne := &conn.DialOptions{Proxy: http.ProxyURL(u)}
	none := &conn.DialOptions{Proxy: func(*http.Request) (*url.URL, error) { return nil, nil }}
	return thisOne, none, nil
}

func companyAuthority(roots *x509.CertPool) *conn.DialOptions {
	o := &conn.DialOptions{ProxyTLS: &tls.Config{RootCAs: roots}, TLS: &tls.Config{RootCAs: roots}}
	return o
}

// http2.md

func overHTTP2(mux http.Handler, cfg *tls.Config, ln net.Listener) error {
	srv := &http.Server{Handler: mux, TLSConfig: cfg, ReadHeaderTimeout: 10 * time.Second}
	if err := http2.Configure(srv); err != nil {
		return err // the import is missing, or GODEBUG has http2xconnect=0
	}
	return srv.ServeTLS(conn.NewListener(ln), "", "")
}

func shared(ctx context.Context, url string) (*conn.Conn, error) {
	pool := &http2.Pool{}
	defer pool.Close()
	c, _, err := conn.Dial(ctx, url, &conn.DialOptions{Multiplexer: pool})
	return c, err
}

// The functions are used here for linters only.
var _ = []any{
	restart, observed, broadcastState, sendStates, serve, closeUntrusted, labelled, shutDown, TestConformance, behindProxies, proxies, companyAuthority,
	overHTTP2, shared,
}
