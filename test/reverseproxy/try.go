package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"

	"github.com/seed-c4549abd/wss/test/ports"
)

// tryProxy runs a proxy as it is printed, with and without TLS to our server, and produces its symptoms.
func (l *laboratory) tryProxy(ctx context.Context, p *proxy) {
	var wg sync.WaitGroup
	for _, overTLS := range []bool{false, true} {
		name := p.name
		if overTLS {
			name += ", TLS to the server"
		}
		wg.Go(func() {
			l.withProxy(ctx, p, name, overTLS, nil, func(r *running) { r.tryAll(ctx) })
		})
	}
	if p.passes {
		wg.Go(func() { l.tryPROXY(ctx, p) })
	}
	for _, s := range p.symptoms {
		wg.Go(func() { l.trySymptom(ctx, p, s) })
	}
	wg.Wait()
}

// tryPROXY has TLS pass through the proxy, which speaks the PROXY protocol to our server, in both versions.
func (l *laboratory) tryPROXY(ctx context.Context, p *proxy) {
	for _, version := range []string{"send-proxy-v2", "send-proxy"} {
		name := p.name + ", TLS passed through with " + version
		config := func(port int) (string, error) {
			return l.fit(l.configs[p.name+"-proxy-protocol"], p, port, edit{"127.0.0.1:8443 send-proxy-v2", l.backend.proxiedTLS + " " + version})
		}
		l.withConfig(ctx, p, name, config, func(r *running) { r.tryVersion(ctx, "HTTP/1.1", &route{running: r}) })
	}
}

// withProxy runs do with a proxy as it is printed, but for edits.
func (l *laboratory) withProxy(ctx context.Context, p *proxy, name string, overTLS bool, edits []edit, do func(*running)) {
	l.withConfig(ctx, p, name, func(port int) (string, error) { return l.config(p, overTLS, port, edits...) }, do)
}

// withConfig runs do with a proxy. What keeps it from running is reported.
func (l *laboratory) withConfig(ctx context.Context, p *proxy, name string, config func(port int) (string, error), do func(*running)) {
	port, err := ports.Free()
	if err != nil {
		l.report.add(name, err)
		return
	}
	text, err := config(port)
	if err != nil {
		l.report.add(name, err)
		return
	}
	r, err := l.start(ctx, p, name, text, port)
	if err != nil {
		l.report.add(name, err)
		return
	}
	defer r.stop()
	do(r)
}

// tryAll goes through the checks, over each version of HTTP.
func (r *running) tryAll(ctx context.Context) {
	h1, h2 := &route{r, false}, &route{r, true}
	r.tryVersion(ctx, "HTTP/1.1", h1)
	r.add(ctx, "HTTP/1.1: the fields of proxies", h1.checkFields)
	r.add(ctx, "HTTP/2: a page", h2.checkPage)
	if r.h2 {
		r.tryVersion(ctx, "HTTP/2", h2)
	} else {
		r.add(ctx, "HTTP/2: no WebSockets are offered, so that browsers use HTTP/1.1", h2.checkNoConnect)
	}
}

// tryVersion goes through the checks at once: some of them wait.
func (r *running) tryVersion(ctx context.Context, version string, route *route) {
	var wg sync.WaitGroup
	for _, c := range checks {
		wg.Go(func() {
			r.add(ctx, version+": "+c.name, func(ctx context.Context) error { return c.run(ctx, route) })
		})
	}
	wg.Wait()
}

func (r *running) add(ctx context.Context, name string, run func(context.Context) error) {
	r.l.report.add(r.name+": "+name, r.check(ctx, run))
}

// check runs a check within its time.
func (r *running) check(ctx context.Context, run func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, checkTime, fmt.Errorf("not done after %v", checkTime))
	defer cancel()
	if err := run(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, r.out.Tail())
	}
	return nil
}

// checkPage gets a page over HTTP/2, which says that the proxy speaks it in front.
func (r *route) checkPage(ctx context.Context) error {
	transport := &http.Transport{TLSClientConfig: r.h2Config(), ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+r.host()+"/?page", nil)
	if err != nil {
		return err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.ProtoMajor != 2 || string(body) != "HTTP/1.1\n" {
		return fmt.Errorf("in front %s, behind %q, %v", resp.Proto, body, err)
	}
	return nil
}

// checkNoConnect: a browser that finds no SETTINGS_ENABLE_CONNECT_PROTOCOL opens another connection, over HTTP/1.1.
func (r *route) checkNoConnect(ctx context.Context) error {
	if c, err := r.dial(ctx, "127.0.0.1", ""); !errors.Is(err, errNoConnect) {
		if err == nil {
			_ = c.CloseNow()
		}
		return fmt.Errorf("got %v, want %w", err, errNoConnect)
	}
	return nil
}

func portOf(addr string) int {
	_, port, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(port)
	return n
}
