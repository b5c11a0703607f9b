package conn

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/browser"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// inBrowser says that connections are those of a browser, or of another JavaScript environment.
const inBrowser = true

// errBrowserCannot is what a page may not do with a WebSocket.
func errBrowserCannot(what string) error {
	return fmt.Errorf("websocket: a page in a browser cannot %s: %w", what, errors.ErrUnsupported)
}

// dialInBrowser is Dial by the environment's own WebSocket. Below the connection is a stream of frames, as elsewhere.
func (o *DialOptions) dialInBrowser(ctx context.Context, rawURL string) (*Conn, *http.Response, error) {
	for what, set := range map[string]bool{
		"set Header": len(o.Header) > 0, "set Host": o.Host != "", "configure TLS": o.TLS != nil || o.ProxyTLS != nil,
		"use NetDial": o.NetDial != nil || o.NetDialTLS != nil, "choose a Proxy": o.Proxy != nil, "use a Jar": o.Jar != nil,
		"follow redirects": o.MaxRedirects > 0,
	} {
		if set {
			return nil, nil, errBrowserCannot(what)
		}
	}
	a, err := o.attempt(rawURL)
	if err != nil {
		return nil, nil, err
	}
	u := a.u
	ctx, cancel := context.WithTimeout(ctx, positiveOr(o.HandshakeTimeout, DefaultHandshakeTimeout))
	defer cancel()
	u.Scheme = map[bool]string{false: "ws", true: "wss"}[secureScheme(u)]
	nc, err := browser.Dial(ctx, u.String(), o.Subprotocols)
	if err != nil {
		return nil, nil, fmt.Errorf("websocket: dial %s://%s: %w", u.Scheme, u.Host, err)
	}
	set := o.settings()
	set.pingInterval = 0 // a page cannot send pings
	c := opened{
		transport: transport.New(nc), role: frame.Client, subprotocol: nc.Subprotocol, settings: set, observer: o.Observer,
	}.start()
	return c, &http.Response{
		StatusCode: http.StatusSwitchingProtocols, Status: "101 Switching Protocols",
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody,
	}, nil
}

// checkCloseInBrowser refuses the codes that a page may not send.
func checkCloseInBrowser(code StatusCode) error {
	if browser.MayClose(code) {
		return nil
	}
	return errBrowserCannot(fmt.Sprintf("close with %d, but with 1000 and 3000 to 4999", code))
}
