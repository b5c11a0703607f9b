package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// symptom is a row of the page's table: a wrong configuration, what comes of it, and that its cure helps.
type symptom struct {
	name    string
	cause   string // a part of the table's second column; empty: it has no row
	overTLS bool
	wrong   func(*laboratory) []edit // of what is printed; nil: what is wrong is our server
	check   func(context.Context, *route) error
	cure    func(*laboratory) []edit // nil: what is printed
	cured   func(context.Context, *route) error
	http2   bool // it is the same over HTTP/2, where the proxy can
}

// without removes texts from a configuration.
func without(texts ...string) func(*laboratory) []edit {
	return func(*laboratory) (edits []edit) {
		for _, text := range texts {
			edits = append(edits, edit{text, ""})
		}
		return edits
	}
}

func instead(old, new string) func(*laboratory) []edit {
	return func(*laboratory) []edit { return []edit{{old, new}} }
}

const (
	nginxForwardedFor = "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
	nginxProtocols    = "proxy_ssl_protocols TLSv1.2 TLSv1.3;"
)

var nginxSymptoms = []symptom{
	{
		name: "426 for HTTP/1.0", cause: "nginx speaks HTTP/1.0", wrong: without("proxy_http_version 1.1;"),
		check: refused(http.StatusUpgradeRequired, `"HTTP/1.0"`, "proxy_http_version 1.1"), cured: checkHandshake,
	},
	{
		name: "426 without Upgrade", cause: "does not pass `Upgrade`", wrong: without("proxy_set_header Upgrade $http_upgrade;"),
		check: refused(http.StatusUpgradeRequired, "no Upgrade field", "have it pass Upgrade and Connection on"), cured: checkHandshake,
	},
	{
		name: "426 without Connection", cause: "does not pass `Upgrade`", wrong: without("proxy_set_header Connection $connection_upgrade;"),
		check: refused(http.StatusUpgradeRequired, "Connection", "have it pass Upgrade and Connection on"), cured: checkHandshake,
	},
	{
		name: "403 for $host, which drops the port", cause: "drops the port", wrong: instead("$http_host", "$host"),
		check: refused(http.StatusForbidden, `to "localhost"`, "proxy_set_header Host $http_host"), cured: checkHandshake,
	},
	{
		name: "403 without Host", cause: "writes the server's address", wrong: without("proxy_set_header Host $http_host;"),
		check: refused(http.StatusForbidden, `to "127.0.0.1:`, "have it pass Host on"), cured: checkHandshake,
	},
	{name: "403 for another origin", cause: "of another origin", check: checkOrigin, cured: checkPattern},
	{
		name: "502 for TLS 1.2 to a server of TLS 1.3", cause: "speaks TLS 1.3 alone, and nginx", overTLS: true, wrong: without(nginxProtocols),
		check: refused(http.StatusBadGateway), cured: checkHandshake,
	},
	{
		name: "502 for TLS 1.2, cured by the profile Intermediate", cause: "speaks TLS 1.3 alone, and nginx", overTLS: true, wrong: without(nginxProtocols),
		check: refused(http.StatusBadGateway),
		cure: func(l *laboratory) []edit {
			return []edit{{nginxProtocols, ""}, {"127.0.0.1:8443", l.backend.tls12}}
		},
		cured: checkHandshake,
	},
	{
		name: "502 for a certificate of another name", cause: "of another name or authority", overTLS: true, wrong: instead("proxy_ssl_name chat.example", "proxy_ssl_name other.example"),
		check: refused(http.StatusBadGateway), cured: checkHandshake,
	},
	{name: "502 without a server", cause: "nobody listens", wrong: instead("127.0.0.1:8080", "127.0.0.1:1"), check: refused(http.StatusBadGateway), cured: checkHandshake},
	{
		name: "400 for plain HTTP to a server of TLS", cause: "plain HTTP to a server of TLS", wrong: func(l *laboratory) []edit { return []edit{{"127.0.0.1:8080", l.backend.tls}} },
		check: refused(http.StatusBadRequest, "Client sent an HTTP request to an HTTPS server"), cured: checkHandshake,
	},
	{name: "1006 after the timeout", cause: "shorter than the time between two pings", check: checkTimedOut, cured: checkIdle, http2: true},
	{name: "no TLS 1.3 in front", cause: "offers its clients TLS 1.2", wrong: without("ssl_protocols TLSv1.2 TLSv1.3;"), check: checkOldTLS, cured: checkHandshake},
	{name: "429, as no proxy is trusted", cause: "not in `TrustedProxies`", check: checkCountedAsOne("untrusting"), cured: checkCounted},
	{name: "a client is taken for another, as the proxy writes no X-Forwarded-For", cause: "does not write the field", wrong: without(nginxForwardedFor), check: checkTaken, cured: checkCounted},
}

var haproxySymptoms = []symptom{
	{name: "1006 after the timeout", cause: "shorter than the time between two pings", check: checkTimedOut, cured: checkIdle, http2: true},
	{name: "1006 after the timeouts of client and server", cause: "shorter than the time between two pings", wrong: without("    timeout tunnel 60s\n"), check: checkTimedOut, cured: checkIdle, http2: true},
	{name: "429, as no proxy is trusted", cause: "not in `TrustedProxies`", check: checkCountedAsOne("untrusting"), cured: checkCounted},
	{name: "a client is taken for another, as the proxy writes no X-Forwarded-For", cause: "does not write the field", wrong: without("    option forwardfor\n"), check: checkTaken, cured: checkCounted},
	{
		name: "400 for the PROXY protocol to a server that does not take it", cause: "speaks the PROXY protocol, and the server does not", wrong: instead("127.0.0.1:8080", "127.0.0.1:8080 send-proxy-v2"),
		check: refused(http.StatusBadRequest), cure: toProxied("send-proxy-v2"), cured: checkCounted,
	},
	{
		name: "502 for no PROXY protocol to a server that requires it", cause: "requires the PROXY protocol", wrong: toProxied(""),
		check: refused(http.StatusBadGateway), cure: toProxied("send-proxy"), cured: checkCounted,
	},
}

// toProxied has haproxy use our listener of the PROXY protocol.
func toProxied(option string) func(*laboratory) []edit {
	return func(l *laboratory) []edit { return []edit{{"127.0.0.1:8080", l.backend.proxied + " " + option}} }
}

var caddySymptoms = []symptom{{name: "silent connections stay, without pings too", check: checkSilent, cured: checkIdle}}

var apacheSymptoms = []symptom{
	{
		name: "426 without upgrade=websocket", cause: "does not pass `Upgrade`", wrong: without(" upgrade=websocket"),
		check: refused(http.StatusUpgradeRequired, "have it pass Upgrade and Connection on"), cured: checkHandshake,
	},
	{
		name: "403 without ProxyPreserveHost", cause: "writes the server's address", wrong: without("ProxyPreserveHost On"),
		check: refused(http.StatusForbidden, "have it pass Host on"), cured: checkHandshake,
	},
	{name: "1006 after the timeout", cause: "shorter than the time between two pings", check: checkTimedOut, cured: checkIdle, http2: true},
	{name: "429, as no proxy is trusted", cause: "not in `TrustedProxies`", check: checkCountedAsOne("untrusting"), cured: checkCounted},
}

var nghttpxSymptoms = []symptom{
	{name: "1006 after the timeout", cause: "shorter than the time between two pings", check: checkTimedOut, cured: checkIdle, http2: true},
	{name: "429, as no proxy is trusted", cause: "not in `TrustedProxies`", check: checkCountedAsOne("untrusting"), cured: checkCounted},
	{name: "429, as Forwarded has hidden names", cause: "hides the client", wrong: without("forwarded-for=ip\n"), check: checkCountedAsOne("header=Forwarded"), cured: checkForwarded},
	{name: "a client is taken for another, as the proxy writes no Forwarded", cause: "does not write the field", wrong: without("add-forwarded=for\n", "strip-incoming-forwarded=yes\n"), check: checkTakenForwarded, cured: checkForwarded},
}

// trySymptom produces a symptom, and then has its cure.
func (l *laboratory) trySymptom(ctx context.Context, p *proxy, s symptom) {
	for _, part := range []struct {
		name  string
		edits func(*laboratory) []edit
		check func(context.Context, *route) error
	}{{"symptom", s.wrong, s.check}, {"cure", s.cure, s.cured}} {
		var edits []edit
		if part.edits != nil {
			edits = part.edits(l)
		}
		name := fmt.Sprintf("%s: %s of: %s", p.name, part.name, s.name)
		l.withProxy(ctx, p, name, s.overTLS, edits, func(r *running) {
			r.add(ctx, "HTTP/1.1", func(ctx context.Context) error { return part.check(ctx, &route{running: r}) })
			if s.http2 && p.h2 {
				r.add(ctx, "HTTP/2", func(ctx context.Context) error { return part.check(ctx, &route{r, true}) })
			}
		})
	}
}

// refused expects a status, and texts in the body.
func refused(status int, texts ...string) func(context.Context, *route) error {
	return func(ctx context.Context, r *route) error {
		for _, text := range append(texts, "") {
			_, err := r.dial(ctx, "127.0.0.1", "")
			if err := wantRefusal(err, status, text); err != nil {
				return err
			}
		}
		return nil
	}
}

// checkPattern: a page of another origin connects if OriginPatterns names it.
func checkPattern(ctx context.Context, r *route) error {
	c, err := r.dial(ctx, "127.0.0.1", "origin=elsewhere.example", "Origin", "https://elsewhere.example")
	if err != nil {
		return err
	}
	return c.Close(conn.StatusNormalClosure, "")
}

// checkTimedOut: without pings the proxy gives up a silent connection, which our client calls abnormal.
func checkTimedOut(ctx context.Context, r *route) error {
	c, err := r.dial(ctx, "127.0.0.1", "silent")
	if err != nil {
		return err
	}
	defer c.CloseNow()
	began := time.Now()
	_, _, err = c.Read(ctx)
	if took := time.Since(began); conn.CloseStatus(err) != conn.StatusAbnormal || took < time.Second {
		return fmt.Errorf("after %v got %v, want 1006 after three seconds", took, err)
	}
	return nil
}

// checkSilent: the proxy does not give up a silent connection.
func checkSilent(ctx context.Context, r *route) error {
	return r.with(ctx, "silent", func(c *conn.Conn) error { return idle(ctx, c) })
}

// checkOldTLS: the proxy does not speak TLS 1.3 with our client.
func checkOldTLS(ctx context.Context, r *route) error {
	_, err := r.dial(ctx, "127.0.0.1", "")
	if refusal, ok := errors.AsType[*tlsconf.VerifyError](tlsconf.Explain(err)); !ok || !strings.Contains(refusal.Error(), "upgrade the peer to TLS 1.3") {
		return fmt.Errorf("got %v, want an old version of TLS", err)
	}
	return nil
}

// checkCountedAsOne: all clients count as the proxy.
func checkCountedAsOne(query string) func(context.Context, *route) error {
	return func(ctx context.Context, r *route) error {
		query := fmt.Sprintf("%s&group=one%d", query, ids.Add(1))
		a, err := r.dial(ctx, clientA, query)
		if err != nil {
			return err
		}
		defer a.CloseNow()
		a.CloseRead(ctx)
		_, err = r.dial(ctx, clientB, query)
		return wantRefusal(err, http.StatusTooManyRequests, "too many connections from this address")
	}
}

// checkTaken: a client is who it says, because the proxy passes what it wrote on.
func checkTaken(ctx context.Context, r *route) error {
	return taken(ctx, r, "", "X-Forwarded-For", stranger)
}

func checkTakenForwarded(ctx context.Context, r *route) error {
	return taken(ctx, r, "header=Forwarded", "Forwarded", "for="+stranger)
}

func taken(ctx context.Context, r *route, query string, header ...string) error {
	c, err := r.dial(ctx, clientA, query, header...)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	got, err := askSeen(ctx, c)
	if err == nil && got.Client != stranger {
		err = fmt.Errorf("our server saw %+v", got)
	}
	return err
}

// checkForwarded: clients are counted by what the proxy writes into Forwarded.
func checkForwarded(ctx context.Context, r *route) error {
	return counted(ctx, r, fmt.Sprint("header=Forwarded&group=forwarded", ids.Add(1)))
}
