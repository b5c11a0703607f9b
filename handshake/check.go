package handshake

import (
	"net/http"
	"slices"
)

// Check decides about the server's answer (RFC 6455 §4.1, the numbered list at
// the end): status 101, Upgrade, Connection, Sec-WebSocket-Accept, and no
// subprotocol or extension that was not asked for. The parameters of extensions
// are for whoever offered them to check.
//
// The error is always an *Error that holds the response and its status. Check
// reads resp only. Safe for concurrent use.
func (c *ClientRequest) Check(resp *http.Response) (*Agreement, error) {
	for _, check := range [...]func(*http.Response) *Error{checkStatus, c.checkSwitch} {
		if err := check(resp); err != nil {
			return nil, err.of(resp)
		}
	}
	return c.checkNegotiated(resp)
}

// checkNegotiated covers items 5 and 6.
func (c *ClientRequest) checkNegotiated(resp *http.Response) (*Agreement, error) {
	a := &Agreement{Header: resp.Header}
	var err *Error
	if a.Subprotocol, err = c.subprotocol(resp.Header["Sec-Websocket-Protocol"]); err != nil {
		return nil, err.of(resp)
	}
	if a.Extensions, err = c.accepted(resp.Header["Sec-Websocket-Extensions"]); err != nil {
		return nil, err.of(resp)
	}
	return a, nil
}

// of completes an error about a response.
func (e *Error) of(resp *http.Response) *Error {
	e.Status, e.Response = resp.StatusCode, resp
	return e
}

// checkStatus covers item 1.
func checkStatus(resp *http.Response) *Error {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		if resp.ProtoMajor == 1 && resp.ProtoMinor >= 1 {
			return nil
		}
		return &Error{Token: tokenBadHTTPVersion, Reason: "the server switches protocols in " + quote(resp.Proto) +
			", which only HTTP/1.1 can do"}
	}
	return badStatus(resp, "101 Switching Protocols")
}

// badStatus is the error about a response with another status than is wanted.
func badStatus(resp *http.Response, wanted string) *Error {
	hint := "; is there a WebSocket server at this path?"
	switch code := resp.StatusCode; {
	case code >= 300 && code < 400 && resp.Header.Get("Location") != "":
		hint = "; redirects are not followed, dial " + quote(withoutSecrets(resp.Header.Get("Location"))) + " if you trust it"
	case code == http.StatusUnauthorized || code == http.StatusProxyAuthRequired:
		hint = "; credentials are missing or wrong"
	case code == http.StatusForbidden:
		hint = "; the server may not like the Origin field"
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		hint = "; try again later"
	}
	return &Error{Token: tokenBadStatus,
		Reason: "the server answered " + quote(resp.Status) + " and not " + wanted + hint}
}

// checkSwitch covers items 2 to 4. Content-Length and Transfer-Encoding mean nothing here:
// a 1xx response ends with its blank line, whatever its fields say (RFC 9112 §6.3).
func (c *ClientRequest) checkSwitch(resp *http.Response) *Error {
	upgrade, accept := resp.Header["Upgrade"], resp.Header["Sec-Websocket-Accept"]
	switch {
	case len(upgrade) != 1 || !equalFoldASCII(upgrade[0], "websocket"):
		return &Error{Token: tokenBadUpgrade, Reason: "the response must have one field \"Upgrade: websocket\""}
	case !hasToken(resp.Header["Connection"], "upgrade"):
		return &Error{Token: tokenBadConnection, Reason: "the response must have \"Connection: Upgrade\""}
	case len(accept) != 1 || accept[0] != c.accept:
		return &Error{Token: tokenBadAccept, Reason: "the response must have one Sec-WebSocket-Accept that fits the key: " +
			"the server does not speak WebSocket, or something answered from a cache"}
	}
	return nil
}

// subprotocol covers item 6.
func (c *ClientRequest) subprotocol(values []string) (string, *Error) {
	switch {
	case len(values) == 0:
		return "", nil
	case len(values) > 1:
		return "", &Error{Token: tokenBadSubprotocol, Reason: "the response has several Sec-WebSocket-Protocol fields"}
	case !slices.Contains(c.subprotocols, values[0]):
		return "", &Error{Token: tokenBadSubprotocol,
			Reason: "the server selected the subprotocol " + quote(values[0]) + ", which was not offered"}
	}
	return values[0], nil
}

// accepted covers item 5.
func (c *ClientRequest) accepted(values []string) ([]Extension, *Error) {
	list, err := parseExtensions(values)
	if err != nil {
		return nil, err
	}
	for i, e := range list {
		sameName := func(other Extension) bool { return other.Name == e.Name }
		if !slices.ContainsFunc(c.extensions, sameName) {
			return nil, &Error{Token: tokenBadExtensions,
				Reason: "the server accepted the extension " + quote(e.Name) + ", which was not offered"}
		}
		if slices.ContainsFunc(list[:i], sameName) {
			return nil, &Error{Token: tokenBadExtensions,
				Reason: "the server accepted the extension " + quote(e.Name) + " twice"}
		}
	}
	return list, nil
}
