package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"golang.org/x/net/http2"

	"github.com/seed-c4549abd/wss/conn"
	wsshttp2 "github.com/seed-c4549abd/wss/http2"
)

// http2Report says whether the server speaks HTTP/2, and carries WebSockets over it (RFC 8441).
type http2Report struct {
	Offered   bool   `json:"offered"`          // ALPN has agreed on h2
	WebSocket bool   `json:"websocket"`        // SETTINGS_ENABLE_CONNECT_PROTOCOL is 1
	Status    int    `json:"status,omitempty"` // of the response to an extended CONNECT for the URL: 200 if there is a connection
	Error     string `json:"error,omitempty"`
}

// probeHTTP2 opens a connection of its own. It returns nil if there is nothing to ask: ws, or a proxy in between.
func (p *probe) probeHTTP2(ctx context.Context) *http2Report {
	u, err := parseURL(p.url)
	if err != nil || u.Scheme != "wss" {
		return nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+u.Host, nil)
	if err != nil {
		return nil
	}
	if proxy, err := p.dial.Proxy(request); proxy != nil || err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.options.dial.timeout)
	defer cancel()
	port := u.Port()
	if port == "" {
		port = "443"
	}
	config := p.dial.TLS.Clone()
	config.NextProtos = []string{"h2", "http/1.1"}
	dialer := &tls.Dialer{Config: config}
	c, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return &http2Report{Error: err.Error()}
	}
	defer c.Close()
	report := &http2Report{Offered: c.(*tls.Conn).ConnectionState().NegotiatedProtocol == "h2"}
	if report.Offered {
		stop := context.AfterFunc(ctx, func() { _ = c.Close() })
		defer stop()
		if report.WebSocket, err = enablesConnect(c); err == nil && report.WebSocket {
			report.Status, err = p.openStream(ctx)
		}
		if err != nil {
			report.Error = err.Error()
		}
	}
	return report
}

// openStream opens a WebSocket over HTTP/2, closes it, and returns the response's status.
func (p *probe) openStream(ctx context.Context) (status int, err error) {
	pool := &wsshttp2.Pool{Require: true}
	defer pool.Close()
	o := *p.dial
	o.Multiplexer = pool
	c, resp, err := conn.Dial(ctx, p.url, &o)
	if resp != nil {
		status = resp.StatusCode
	}
	if err != nil {
		return status, explainRefusal(err, resp)
	}
	return status, c.Close(conn.StatusNormalClosure, "")
}

// enablesConnect reads the server's settings, which are its first frame (RFC 9113 §3.4).
func enablesConnect(c io.ReadWriter) (bool, error) {
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		return false, err
	}
	framer := http2.NewFramer(c, c)
	if err := framer.WriteSettings(); err != nil {
		return false, err
	}
	f, err := framer.ReadFrame()
	if err != nil {
		return false, err
	}
	settings, ok := f.(*http2.SettingsFrame)
	if !ok || settings.IsAck() {
		return false, fmt.Errorf("the first frame of HTTP/2 is no SETTINGS frame but %v", f.Header())
	}
	value, _ := settings.Value(http2.SettingEnableConnectProtocol)
	return value == 1, errors.Join(framer.WriteSettingsAck(), framer.WriteGoAway(0, http2.ErrCodeNo, nil))
}
