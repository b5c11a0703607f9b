package conn

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/internal/wire"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// Dial connects to a ws or wss URL (RFC 6455 §3, §4.1); http and https mean the same. Path
// and query must be escaped, the host ASCII (Punycode). ctx bounds connecting only. With
// wss, nothing is sent before the TLS handshake with the URL's host (RFC 6455 §4.1 item 5),
// and Conn.TLS reports that TLS. With ws, bytes go unchanged through what NetDial returns;
// if that is a *tls.Conn, Conn.TLS reports it.
//
// Redirects are not followed. If the server does not accept, the error is a
// *HandshakeError and the response is returned too; its Body holds at most 4 KiB, received
// within one second, chunks decoded, and need not be closed. The token "plain_to_tls" means
// that a ws URL names a port of TLS. On success the response is the 101.
//
// In a program for GOOS=js Dial uses the WebSocket of the browser: see docs/how-to/browser.md for what that leaves out.
func Dial(ctx context.Context, rawURL string, o *DialOptions) (*Conn, *http.Response, error) {
	if o == nil {
		o = &DialOptions{}
	}
	if inBrowser {
		return o.dialInBrowser(ctx, rawURL)
	}
	u, req, policy, err := o.request(rawURL)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, positiveOr(o.HandshakeTimeout, DefaultHandshakeTimeout))
	defer cancel()
	dial := o.NetDial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	nc, err := dial(ctx, "tcp", address(u))
	if err == nil && nc == nil {
		err = errors.New("NetDial returned neither a connection nor an error")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("websocket: dial %s://%s: %w", u.Scheme, u.Host, err)
	}
	return o.connect(ctx, nc, u, req, policy, secureScheme(u))
}

// Client performs the client's opening handshake on a connection that exists. For a
// wss URL it performs the TLS handshake first, unless nc is a *tls.Conn: then the
// caller has configured the TLS with the URL's host, and Client only completes its
// handshake. So do not give it a *tls.Conn to a proxy; return that from NetDial. After
// an error nc is closed. ctx, and HandshakeTimeout, bound the handshake only.
func Client(ctx context.Context, nc net.Conn, rawURL string, o *DialOptions) (*Conn, *http.Response, error) {
	if o == nil {
		o = &DialOptions{}
	}
	u, req, policy, err := o.request(rawURL)
	if err != nil {
		_ = nc.Close()
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, positiveOr(o.HandshakeTimeout, DefaultHandshakeTimeout))
	defer cancel()
	_, done := nc.(*tls.Conn)
	return o.connect(ctx, nc, u, req, policy, secureScheme(u) && !done)
}

// request checks everything that can be checked before a byte is sent.
func (o *DialOptions) request(rawURL string) (*url.URL, *handshake.ClientRequest, handshake.DeflatePolicy, error) {
	policy, err := o.Compression.policy(frame.Client)
	if err != nil {
		return nil, nil, policy, err
	}
	u, err := handshake.ParseURL(rawURL)
	if err != nil {
		return nil, nil, policy, err
	}
	ho := &handshake.ClientOptions{Subprotocols: o.Subprotocols, Header: o.Header, Host: o.Host}
	if o.Compression.Mode != CompressionOff {
		ho.Extensions = policy.Offer()
	}
	req, err := handshake.NewRequest(u, ho)
	return u, req, policy, err
}

func secureScheme(u *url.URL) bool { return u.Scheme == "wss" || u.Scheme == "https" }

func address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "80"
		if secureScheme(u) {
			port = "443"
		}
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// closeAbruptly closes a socket whose handshake has failed. Nobody reads any more, so what has come of a record is given back.
func closeAbruptly(nc net.Conn) {
	_ = nc.Close()
	if tc, ok := nc.(*tls.Conn); ok {
		nc = tc.NetConn()
	}
	if w, ok := nc.(*wire.Conn); ok {
		w.Drop()
	}
}

// connect performs the handshakes, TLS's and WebSocket's. addTLS says whether TLS with the
// URL's host is still to be put over nc, whatever nc is.
func (o *DialOptions) connect(ctx context.Context, nc net.Conn, u *url.URL, req *handshake.ClientRequest, policy handshake.DeflatePolicy, addTLS bool) (*Conn, *http.Response, error) {
	tc, isTLS := nc.(*tls.Conn)
	if addTLS {
		cfg, err := o.tlsConfig(u)
		if err != nil {
			_ = nc.Close()
			return nil, nil, err
		}
		tc = tls.Client(wire.TLS(nc), cfg)
		nc = tc
	} else if !isTLS {
		nc = wire.Plain(nc)
	}
	if tc != nil {
		if err := tc.HandshakeContext(ctx); err != nil {
			closeAbruptly(nc)
			err = tlsconf.Explain(err)
			if v, ok := errors.AsType[*tlsconf.VerifyError](err); ok && v.Reason == tlsconf.NotTLS && addTLS && isTLS {
				err = fmt.Errorf("%w (NetDial returned a *tls.Conn, over which Dial does TLS again, with the URL's host; "+
					"if it is that TLS already, use Client)", err)
			}
			return nil, nil, fmt.Errorf("websocket: TLS handshake with %s: %w", u.Host, err)
		}
	}
	stop := interruptBy(ctx, nc)
	resp, agreed, rest, err := exchange(ctx, nc, req, headLimits(o.MaxHeaderBytes, true))
	stop()
	var params handshake.DeflateParams
	if err == nil {
		params, _, err = policy.Check(agreed.Extensions)
	}
	if err != nil {
		closeAbruptly(nc)
		if _, ok := errors.AsType[*HandshakeError](err); !ok {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			// In TLS 1.3 a refused client certificate shows only here.
			err = fmt.Errorf("websocket: opening handshake with %s: %w", u.Host, tlsconf.Explain(err))
		}
		return nil, resp, err
	}
	t := transport.New(nc)
	_ = nc.SetDeadline(time.Time{})
	_ = t.SetWriteDeadline(time.Time{})
	set := o.settings()
	c := opened{
		transport: t, role: frame.Client, subprotocol: agreed.Subprotocol, settings: set,
		compression: newCompression(frame.Client, &o.Compression, params, set.messageLimit),
		received:    rest, observer: o.Observer,
	}.start()
	if err := c.life.err(); err != nil {
		return nil, resp, err // the observer has closed it
	}
	return c, resp, nil
}

func (o *DialOptions) tlsConfig(u *url.URL) (*tls.Config, error) {
	cfg := o.TLS
	if cfg == nil {
		var err error
		if cfg, err = tlsconf.Client(tlsconf.ClientOptions{Profile: tlsconf.Intermediate}); err != nil {
			return nil, fmt.Errorf("websocket: %w", err)
		}
	}
	cfg = tlsconf.ForWebSocket(cfg)
	if cfg.ServerName == "" {
		cfg.ServerName = u.Hostname()
	}
	return cfg, nil
}

// exchange sends the request and checks the response.
func exchange(ctx context.Context, nc net.Conn, req *handshake.ClientRequest, limits handshake.Limits) (*http.Response, *handshake.Agreement, []byte, error) {
	if _, err := nc.Write(req.Append(nil)); err != nil {
		return nil, nil, nil, err
	}
	_, secure := nc.(*tls.Conn)
	resp, rest, err := readResponse(nc, limits, !secure)
	if err != nil {
		return nil, nil, nil, err
	}
	agreed, err := req.Check(resp)
	if err != nil {
		if resp.StatusCode != http.StatusSwitchingProtocols {
			body := readBody(ctx, nc, resp, rest)
			if e, ok := errors.AsType[*HandshakeError](err); ok && !secure && wantsTLS(resp, body) {
				e.Token, e.Reason = tokenPlainToTLS, dialWSS
			}
		}
		return resp, nil, nil, err
	}
	return resp, agreed, rest, nil
}

// readResponse reads a response's head and what came behind it. In plaintext it recognises
// servers that speak TLS.
func readResponse(nc net.Conn, limits handshake.Limits, plaintext bool) (*http.Response, []byte, error) {
	p := handshake.NewResponseReader(limits)
	first := true
	rest, err := feed(nc, func(b []byte) (int, bool, error) {
		if first && len(b) > 0 {
			if first = false; plaintext && isTLSRecord(b[0]) {
				return 0, false, &HandshakeError{Token: tokenPlainToTLS, Reason: dialWSS}
			}
		}
		return p.Feed(b)
	})
	if err == nil {
		return p.Response(), rest, nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if plaintext && first && !isTimeout(err) {
		err = fmt.Errorf("%w: the server closed the connection without an answer; if it speaks TLS, dial wss", err)
	}
	return nil, nil, err
}

// What is read of a refusal's body.
const (
	maxBody    = 4 << 10     // bytes, decoded
	maxEncoded = 4 * maxBody // bytes, with the framing of chunks
	bodyTime   = time.Second
)

// readBody gives a refused client what the server says about it: the beginning of the
// body, to its end if that comes first (RFC 9112 §6.3), without the framing of chunks.
// rest is what came behind the head. It ends with ctx, and after bodyTime. It returns the
// same bytes.
func readBody(ctx context.Context, nc net.Conn, resp *http.Response, rest []byte) []byte {
	if resp.ContentLength == 0 {
		return nil // Body is http.NoBody
	}
	_ = nc.SetReadDeadline(time.Now().Add(bodyTime))
	if ctx.Err() != nil {
		_ = nc.SetReadDeadline(past) // its end has set one already, which the line above undid
	}
	body := io.MultiReader(bytes.NewReader(rest), nc)
	switch {
	case resp.ContentLength > 0:
		body = io.LimitReader(body, resp.ContentLength)
	case len(resp.TransferEncoding) > 0 && resp.TransferEncoding[len(resp.TransferEncoding)-1] == "chunked":
		body = httputil.NewChunkedReader(io.LimitReader(body, maxEncoded))
	}
	begin, _ := io.ReadAll(io.LimitReader(body, maxBody)) // what came is better than nothing
	resp.Body = io.NopCloser(bytes.NewReader(begin))
	return begin
}
