package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// checkTime bounds one check.
const checkTime = 30 * time.Second

// unreachable is an address at which nobody listens.
const unreachable = "127.0.0.1:1"

// check makes one check.
func (b *bench) check(ctx context.Context, name string, f func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	b.report.add(name, f(ctx))
}

// options are those for a proxy at a port of this host.
func (b *bench) options(scheme, port string, login *url.Userinfo) *conn.DialOptions {
	return &conn.DialOptions{
		TLS: b.origin.client, ProxyTLS: b.origin.client,
		Proxy: http.ProxyURL(&url.URL{Scheme: scheme, Host: "127.0.0.1:" + port, User: login}),
	}
}

// checkOpen checks a proxy that wants no credentials.
func (b *bench) checkOpen(ctx context.Context, name, scheme, port string) {
	b.check(ctx, name+", ws", b.echoes(b.options(scheme, port, nil), "ws://"+b.origin.ws))
	b.check(ctx, name+", wss", b.echoes(b.options(scheme, port, nil), "wss://"+b.origin.wss))
	b.check(ctx, name+", credentials that it does not want", b.echoes(b.options(scheme, port, url.UserPassword(user, password)), "wss://"+b.origin.wss))
	b.check(ctx, name+", an unreachable host", b.refusal(scheme, port, nil, "wss://"+unreachable, "proxy_refused", 0))
	b.check(ctx, name+", a certificate that is not trusted", func(ctx context.Context) error {
		o := b.options(scheme, port, nil)
		o.TLS = nil
		_, _, err := conn.Dial(ctx, "wss://"+b.origin.wss, o)
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
			return fmt.Errorf("got %w", err)
		}
		return nil
	})
}

// checkClosed checks a proxy that wants credentials.
func (b *bench) checkClosed(ctx context.Context, name, scheme, port string) {
	b.checkClosedWith(ctx, name, scheme, port, password)
}

func (b *bench) checkClosedWith(ctx context.Context, name, scheme, port, password string) {
	status := http.StatusProxyAuthRequired
	if strings.HasPrefix(scheme, "socks") {
		status = 0
	}
	right, wrong := url.UserPassword(user, password), url.UserPassword(user, "secret")
	b.check(ctx, name+" with credentials, ws", b.echoes(b.options(scheme, port, right), "ws://"+b.origin.ws))
	b.check(ctx, name+" with credentials, wss", b.echoes(b.options(scheme, port, right), "wss://"+b.origin.wss))
	b.check(ctx, name+" without credentials", b.refusal(scheme, port, nil, "wss://"+b.origin.wss, "proxy_auth", status))
	if strings.HasPrefix(name, "tinyproxy") {
		status = http.StatusUnauthorized
	}
	b.check(ctx, name+" with wrong credentials", b.refusal(scheme, port, wrong, "wss://"+b.origin.wss, "proxy_auth", status))
}

// checkNames checks what the environment says, and a host in another script: squid resolves both names.
func (b *bench) checkNames(ctx context.Context, port string) {
	_, secure, _ := strings.Cut(b.origin.wss, ":")
	o := b.options("http", port, nil)
	o.TLS = o.TLS.Clone()
	o.TLS.ServerName = "localhost"
	b.check(ctx, "squid, a host in another script", b.echoes(o, "wss://B\u00fccher.test:"+secure))
	for name, value := range map[string]string{"HTTPS_PROXY": "http://127.0.0.1:" + port, "ALL_PROXY": "127.0.0.1:" + port} {
		b.check(ctx, "squid, by "+name, func(ctx context.Context) error {
			for _, other := range []string{"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"} {
				defer restore(other)()
			}
			if err := os.Setenv(name, value); err != nil {
				return err
			}
			return b.echoes(&conn.DialOptions{TLS: o.TLS}, "wss://origin.test:"+secure)(ctx)
		})
	}
}

// restore unsets a variable, and returns what undoes that.
func restore(name string) func() {
	value, set := os.LookupEnv(name)
	_ = os.Unsetenv(name)
	return func() {
		_ = os.Unsetenv(name)
		if set {
			_ = os.Setenv(name, value)
		}
	}
}

// echoes has messages of several lengths echoed through the proxy, cancels a read in between, and closes.
func (b *bench) echoes(o *conn.DialOptions, target string) func(context.Context) error {
	return func(ctx context.Context) error {
		c, _, err := conn.Dial(ctx, target, o)
		if err != nil {
			return err
		}
		defer c.CloseNow()
		if state, ok := c.TLS(); ok != strings.HasPrefix(target, "wss") || ok && state.Version != tls.VersionTLS13 {
			return fmt.Errorf("TLS reports %v, version %x", ok, state.Version)
		}
		for _, n := range []int{0, 1, 126, 1 << 16, 1 << 20} {
			soon, cancel := context.WithTimeout(ctx, time.Millisecond)
			_, _, err := c.Read(soon)
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("a cancelled read: %w", err)
			}
			want := bytes.Repeat([]byte("x"), n)
			written := make(chan error, 1)
			go func() { written <- c.Write(ctx, conn.Binary, want) }()
			_, got, err := c.Read(ctx)
			if err := errors.Join(err, <-written); err != nil {
				return fmt.Errorf("%d bytes: %w", n, err)
			}
			if !bytes.Equal(got, want) {
				return fmt.Errorf("%d bytes were echoed as %d", n, len(got))
			}
		}
		return c.Close(conn.StatusNormalClosure, "")
	}
}

// refusal expects a *conn.ProxyError with a token and, unless it is 0, a status.
func (b *bench) refusal(scheme, port string, login *url.Userinfo, target, token string, status int) func(context.Context) error {
	return func(ctx context.Context) error {
		c, _, err := conn.Dial(ctx, target, b.options(scheme, port, login))
		if err == nil {
			_ = c.CloseNow()
			return errors.New("it was let through")
		}
		e, ok := errors.AsType[*conn.ProxyError](err)
		switch {
		case !ok || e.Token != token:
			return fmt.Errorf("got %w, want the token %s", err, token)
		case status != 0 && (e.Response == nil || e.Response.StatusCode != status):
			return fmt.Errorf("got %w, want the status %d", err, status)
		case strings.HasPrefix(scheme, "http") != (e.Response != nil):
			return fmt.Errorf("the answer is %v", e.Response)
		case strings.Contains(err.Error(), "secret"):
			return fmt.Errorf("the error names the password: %w", err)
		}
		return nil
	}
}
