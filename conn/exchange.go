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
	"net/http/httptrace"
	"net/http/httputil"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/handshake"
)

// exchange sends the request and checks the response.
func (a *attempt) exchange(ctx context.Context, nc net.Conn, hooks *httptrace.ClientTrace) (*http.Response, *handshake.Agreement, []byte, error) {
	if err := writeRequest(nc, a.request.Append(nil), hooks); err != nil {
		return nil, nil, nil, err
	}
	_, isTLS := nc.(*tls.Conn)
	secure := isTLS || secureScheme(a.u)
	resp, rest, err := readResponse(nc, headLimits(a.o.MaxHeaderBytes, true), !secure, hooks)
	if err != nil {
		return nil, nil, nil, err
	}
	storeCookies(a.o.Jar, a.u, resp)
	agreed, err := a.request.Check(resp)
	if err != nil {
		e, _ := errors.AsType[*HandshakeError](err)
		if resp.StatusCode == http.StatusSwitchingProtocols || a.follow(resp, e) {
			return resp, nil, nil, err
		}
		body := readBody(ctx, nc, resp, rest)
		if !secure && wantsTLS(resp, body) {
			e.Token, e.Reason = tokenPlainToTLS, dialWSS
		}
		return resp, nil, nil, err
	}
	return resp, agreed, rest, nil
}

// writeRequest sends the head of a request, and calls the hooks.
func writeRequest(nc net.Conn, head []byte, hooks *httptrace.ClientTrace) error {
	_, err := nc.Write(head)
	if hooks == nil {
		return err
	}
	if hooks.WroteHeaderField != nil && err == nil {
		lines := strings.Split(strings.TrimSuffix(string(head), "\r\n\r\n"), "\r\n")
		for _, line := range lines[1:] {
			name, value, _ := strings.Cut(line, ": ")
			hooks.WroteHeaderField(name, []string{value})
		}
	}
	if hooks.WroteHeaders != nil && err == nil {
		hooks.WroteHeaders()
	}
	if hooks.WroteRequest != nil {
		hooks.WroteRequest(httptrace.WroteRequestInfo{Err: err})
	}
	return err
}

// errHTTP2 refuses a connection that speaks HTTP/2: ALPN says so or, where the TLS is not crypto/tls's, the first byte that the
// server sends.
func errHTTP2() *HandshakeError {
	return &HandshakeError{
		Token:  "bad_http_version",
		Reason: "the connection speaks HTTP/2, an opening handshake needs HTTP/1.1: offer http/1.1 alone by ALPN",
	}
}

// settingsFirstByte is the first byte of an HTTP/2 server's SETTINGS frame; no HTTP/1.1 response begins with it.
const settingsFirstByte = 0

// readResponse reads a response's head and what came behind it. In plaintext it recognises
// servers that speak TLS.
func readResponse(nc net.Conn, limits handshake.Limits, plaintext bool, hooks *httptrace.ClientTrace) (*http.Response, []byte, error) {
	p := handshake.NewResponseReader(limits)
	first := true
	rest, err := feed(nc, func(b []byte) (int, bool, error) {
		if first && len(b) > 0 {
			first = false
			if hooks != nil && hooks.GotFirstResponseByte != nil {
				hooks.GotFirstResponseByte()
			}
			switch {
			case plaintext && isTLSRecord(b[0]):
				return 0, false, &HandshakeError{Token: tokenPlainToTLS, Reason: dialWSS}
			case !plaintext && b[0] == settingsFirstByte:
				return 0, false, errHTTP2()
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
