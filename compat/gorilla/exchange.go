package websocket

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
)

// Limits of the server's answer, in bytes.
const (
	maxAnswer = 64 << 10 // of the head, and of what is read of a refusal
	maxBody   = 1024     // of a refusal, for the caller
)

// exchange sends the request, and reads and checks the response.
func (d *Dialer) exchange(nc net.Conn, req *http.Request, key string) (*established, *http.Response, error) {
	if err := req.Write(nc); err != nil {
		return nil, nil, err
	}
	br := bufio.NewReader(io.LimitReader(nc, maxAnswer))
	if hooks := httptrace.ContextClientTrace(req.Context()); hooks != nil && hooks.GotFirstResponseByte != nil {
		if _, err := br.Peek(1); err == nil {
			hooks.GotFirstResponseByte()
		}
	}
	resp, err := http.ReadResponse(br, req)
	if err != nil {
		return nil, nil, err
	}
	if cookies := resp.Cookies(); d.Jar != nil && len(cookies) > 0 {
		d.Jar.SetCookies(req.URL, cookies)
	}
	if !accepts(resp, key) {
		body := make([]byte, maxBody)
		n, _ := io.ReadFull(resp.Body, body) // what came is better than nothing
		resp.Body = io.NopCloser(bytes.NewReader(body[:n]))
		return nil, resp, ErrBadHandshake
	}
	e := &established{
		nc: nc, role: frame.Client, subprotocol: resp.Header.Get("Sec-Websocket-Protocol"),
		bufferSize: d.WriteBufferSize, pool: d.WriteBufferPool,
	}
	if e.deflate, err = d.agreedDeflate(resp); err != nil {
		return nil, resp, err
	}
	resp.Body = http.NoBody
	e.received, _ = br.Peek(br.Buffered())
	return e, resp, nil
}

// accepts reports whether a response accepts the opening handshake (RFC 6455 §4.1).
func accepts(resp *http.Response, key string) bool {
	return resp.StatusCode == http.StatusSwitchingProtocols &&
		hasToken(resp.Header, "Upgrade", "websocket") && hasToken(resp.Header, "Connection", "upgrade") &&
		resp.Header.Get("Sec-Websocket-Accept") == handshake.AcceptKey(key)
}

// agreedDeflate returns the parameters of compression that a response agrees to. It may agree to nothing that was not
// offered.
func (d *Dialer) agreedDeflate(resp *http.Response) (handshake.DeflateParams, error) {
	accepted, err := handshake.ParseExtensions(resp.Header["Sec-Websocket-Extensions"])
	if err != nil || len(accepted) == 0 {
		return handshake.DeflateParams{}, err
	}
	if !d.EnableCompression || len(accepted) > 1 || accepted[0].Name != "permessage-deflate" {
		return handshake.DeflateParams{}, ErrBadHandshake
	}
	params, _, err := deflatePolicy.Check(accepted)
	return params, err
}
