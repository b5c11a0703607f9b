package conn

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/seed-c4549abd/wss/internal/browser"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// inBrowser says that connections are those of a browser, or of another JavaScript environment.
const inBrowser = true

// errBrowserCannot is the error of what a page may not do with a WebSocket.
func errBrowserCannot(what string) error {
	return fmt.Errorf("websocket: %s in a browser: %w", what, errors.ErrUnsupported)
}

// dialInBrowser is Dial by the environment's own WebSocket. Below the connection is a stream of frames, as elsewhere.
func (o *DialOptions) dialInBrowser(ctx context.Context, rawURL string) (*Conn, *http.Response, error) {
	for _, option := range []struct {
		name string
		set  bool
	}{
		{"Header", len(o.Header) > 0}, {"Host", o.Host != ""}, {"TLS", o.TLS != nil}, {"Proxy", o.Proxy != nil}, {"ProxyTLS", o.ProxyTLS != nil},
		{"NetDial", o.NetDial != nil}, {"NetDialTLS", o.NetDialTLS != nil}, {"Jar", o.Jar != nil}, {"MaxRedirects", o.MaxRedirects > 0},
		{"Multiplexer", o.Multiplexer != nil},
	} {
		if option.set {
			return nil, nil, errBrowserCannot("DialOptions." + option.name + " cannot be used")
		}
	}
	a, err := o.attempt(rawURL)
	if err != nil {
		return nil, nil, err
	}
	u := a.u
	u.Scheme = map[string]string{"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}[u.Scheme]
	ctx, cancel := context.WithTimeout(ctx, positiveOr(o.HandshakeTimeout, DefaultHandshakeTimeout))
	defer cancel()
	nc, err := browser.Dial(ctx, u.String(), o.Subprotocols)
	if err != nil {
		return nil, nil, fmt.Errorf("websocket: dial %s://%s: %w", u.Scheme, u.Host, err)
	}
	resp := &http.Response{
		StatusCode: http.StatusSwitchingProtocols, Status: "101 Switching Protocols",
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody,
	}
	c, err := o.open(opened{transport: transport.New(nc), subprotocol: nc.Subprotocol})
	return c, resp, err
}

// checkCloseInBrowser refuses the codes that a page may not send.
func checkCloseInBrowser(code StatusCode) error {
	if browser.MayClose(code) {
		return nil
	}
	return errBrowserCannot(fmt.Sprintf("close code %d is not allowed (1000, 3000 to 4999 or no code are)", code))
}
