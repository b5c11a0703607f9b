package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/seed-c4549abd/wss/handshake"
)

// write prints the report for people. Everything that comes from the server is escaped.
func (r *probeReport) write(w io.Writer) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-14s %s\n", name, escapeControls(fmt.Sprintf(format, args...)))
	}
	line("url", "%s", r.URL)
	if r.TLS != nil {
		r.TLS.write(line)
	}
	if r.HTTP2 != nil {
		line("http/2", "%s", r.HTTP2.words())
	}
	if ws := r.WebSocket; ws != nil {
		line("response", "%d, server %s", ws.Status, orNone(ws.Server))
		line("subprotocol", "%s", orNone(ws.Subprotocol))
		line("extensions", "%s", orNone(ws.Extensions))
	}
	t := r.Times
	var steps []string
	for _, step := range []struct {
		name string
		ms   float64
	}{{"lookup", t.Lookup}, {"connect", t.Connect}, {"TLS", t.TLS}, {"opening handshake", t.Opening}} {
		if step.ms > 0 { // it has happened
			steps = append(steps, fmt.Sprintf("%s %.1f ms", step.name, step.ms))
		}
	}
	if len(steps) > 0 {
		line("times", "%s", strings.Join(steps, ", "))
	}
	if len(t.Pings) > 0 {
		sorted := slices.Sorted(slices.Values(t.Pings))
		line("pings", "%d: fastest %.2f ms, median %.2f ms, slowest %.2f ms", len(sorted), sorted[0], sorted[len(sorted)/2], sorted[len(sorted)-1])
	}
	for _, warning := range r.Warnings {
		line("WARNING", "%s", warning)
	}
	if r.Error != "" {
		line("FAILED", "%s", r.Error)
	}
}

func (t *tlsReport) write(line func(name, format string, args ...any)) {
	line("tls", "%s, %s", t.Version, t.CipherSuite)
	switch {
	case t.PostQuantum:
		line("key exchange", "%s, a post-quantum hybrid", t.KeyExchange)
	case t.KeyExchange == "unknown":
		line("key exchange", "unknown")
	default:
		line("key exchange", "%s, not post-quantum", t.KeyExchange)
	}
	line("alpn", "%s", orNone(t.ALPN))
	switch {
	case t.ECHAccepted:
		line("ech", "Encrypted Client Hello was accepted")
	case t.ECHOffered:
		line("ech", "Encrypted Client Hello was offered and not accepted")
	default:
		line("ech", "not offered; -ech offers it")
	}
	if c := t.Certificate; c != nil {
		line("certificate", "%s", orNone(c.Subject))
		line("  issuer", "%s", orNone(c.Issuer))
		line("  names", "%s", orNone(strings.Join(c.Names, ", ")))
		line("  valid", "until %s, %d days left of %d", c.NotAfter.UTC().Format("2006-01-02 15:04 MST"), c.DaysLeft, c.DaysValid)
		line("  key", "%s, %s", c.Key, c.Pin)
	}
	if t.Trusted {
		line("  trusted", "yes")
	} else {
		line("  trusted", "NO: %s", t.TrustError)
	}
}

func (r *http2Report) words() string {
	switch {
	case r.Error != "" && r.WebSocket:
		return "offered, with WebSockets over it (RFC 8441), but not here: " + r.Error
	case r.Error != "":
		return "unknown: " + r.Error
	case r.WebSocket:
		return "offered, with WebSockets over it (RFC 8441)"
	case r.Offered:
		return "offered, without WebSockets over it"
	}
	return "not offered"
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// warnings returns what an operator may want to change.
func warnings(r *probeReport) (all []string) {
	warn := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if h := r.HTTP2; h != nil && h.Status/100 > 2 && r.WebSocket != nil && r.WebSocket.Status == http.StatusSwitchingProtocols {
		warn("a WebSocket over HTTP/2 is answered by %d: browsers that use HTTP/2 for the page cannot connect; does the route take CONNECT?", h.Status)
	}
	if strings.HasPrefix(r.URL, "ws:") {
		warn("ws is not encrypted: anyone on the path can read and change everything")
	}
	if t := r.TLS; t != nil {
		if !t.Trusted {
			warn("the certificate is not trusted: %s", t.TrustError)
		}
		if t.Version != "TLS 1.3" {
			warn("the server chose %s though TLS 1.3 was offered", t.Version)
		}
		if !t.PostQuantum && t.KeyExchange != "unknown" {
			warn("the key exchange %s is not post-quantum: what is recorded today may be decrypted by a quantum computer later", t.KeyExchange)
		}
		if c := t.Certificate; c != nil {
			all = append(all, c.warnings()...)
		}
	}
	if ws := r.WebSocket; ws != nil && ws.Status == 101 {
		all = append(all, compressionWarnings(ws.Extensions)...)
	}
	return all
}

func (c *certificateReport) warnings() (all []string) {
	switch soon := min(14, c.DaysValid/3); {
	case c.DaysLeft < 0:
		all = append(all, "the certificate has expired")
	case c.DaysLeft < soon:
		all = append(all, fmt.Sprintf("the certificate expires in %d days", c.DaysLeft))
	}
	if c.SelfSigned {
		all = append(all, "the certificate is self-signed: clients must be given it, and browsers ask their users")
	}
	return all
}

// compressionWarnings looks for context takeover (RFC 7692 §7.1.1).
func compressionWarnings(extensions string) []string {
	parsed, err := handshake.ParseExtensions([]string{extensions})
	if err != nil {
		return nil
	}
	for _, e := range parsed {
		if e.Name != "permessage-deflate" {
			continue
		}
		warnings := []string{"compression was accepted: secrets must not share a message with text that others choose"}
		if !slices.ContainsFunc(e.Params, func(p handshake.Param) bool { return p.Name == "server_no_context_takeover" }) {
			warnings = []string{"compression with context takeover: secrets must not share a connection with text that others choose, and each " +
				"connection costs the server a window of memory"}
		}
		return warnings
	}
	return nil
}
