package handshake

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// ClientOptions says what a client asks for in its opening handshake. The zero
// value, or a nil pointer, adds nothing to the request. NewRequest does not
// change it and does not keep it.
type ClientOptions struct {
	// Subprotocols are offered in the order of preference (RFC 6455 §1.9): tokens,
	// none twice. Nil: none.
	Subprotocols []string

	// Extensions are offered in the order of preference (RFC 6455 §9.1). The same
	// name may stand more than once, with other parameters. Nil: none.
	Extensions []Extension

	// Header holds further fields of the request, such as Authorization, Cookie
	// or Origin. Those that the handshake writes itself, and control characters,
	// are refused. Nil: none.
	Header http.Header

	// Host replaces the host and port of the URL in the Host field, as
	// host[:port]. Empty: those of the URL, without the scheme's default port.
	Host string
}

// ClientRequest is a client's opening handshake, ready to be sent, and what the
// answer must fit. It does not change and is safe for concurrent use, but a new
// one is needed for every connection: its nonce is not to be used twice.
type ClientRequest struct {
	head         []byte // the whole request
	accept       string // the Sec-WebSocket-Accept to come
	host         string
	header       http.Header // the caller's fields, and Authorization
	subprotocols []string
	extensions   []Extension
}

// NewRequest makes the opening handshake for a ws or wss URL (RFC 6455 §3, §4.1;
// http and https mean the same). A nil o means the zero ClientOptions.
// User and password of the URL become Basic authentication unless Header holds
// Authorization, as in net/http.
//
// Everything is checked before a byte can be sent: no fragment, no control
// character anywhere, nothing that is not a token where one must be. The error
// is an *Error with Status 0.
func NewRequest(u *url.URL, o *ClientOptions) (*ClientRequest, error) {
	if o == nil {
		o = &ClientOptions{}
	}
	host, problem := checkURL(u)
	if problem != nil {
		return nil, problem
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Host != "" {
		host = o.Host
	}
	key := newKey()
	b := append([]byte("GET "), u.RequestURI()...)
	b = append(b, " HTTP/1.1\r\n"...)
	b = appendField(b, "Host", host)
	b = append(b, "Upgrade: websocket\r\nConnection: Upgrade\r\n"...)
	b = appendField(b, "Sec-WebSocket-Key", key)
	b = append(b, "Sec-WebSocket-Version: "+version+"\r\n"...)
	b = appendNegotiated(b, o.Subprotocols, o.Extensions)
	header := o.Header.Clone()
	if u.User != nil && !has(o.Header, "Authorization") {
		password, _ := u.User.Password()
		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password))
		b = appendField(b, "Authorization", basic)
		if header == nil {
			header = http.Header{}
		}
		header.Set("Authorization", basic)
	}
	b = appendHeader(b, o.Header)
	return &ClientRequest{
		head: append(b, "\r\n"...), accept: AcceptKey(key), host: host, header: header,
		subprotocols: slices.Clone(o.Subprotocols), extensions: slices.Clone(o.Extensions),
	}, nil
}

// checkURL returns the Host that a URL stands for.
func checkURL(u *url.URL) (host string, err *Error) {
	bad := func(reason string) (string, *Error) {
		return "", &Error{Token: tokenBadURL, Reason: "the URL " + quote(withoutSecrets(u.String())) + " " + reason}
	}
	if u == nil {
		return "", &Error{Token: tokenBadURL, Reason: "the URL is nil"}
	}
	scheme := strings.ToLower(u.Scheme)
	switch {
	case defaultPort(scheme) == "":
		return bad("has another scheme than ws or wss")
	case u.Opaque != "":
		return bad("has no // after its scheme")
	case u.Fragment != "" || u.RawFragment != "":
		return bad("has a fragment, which a WebSocket URL must not have (RFC 6455 §3)")
	case !isTarget(u.RequestURI()) || u.RequestURI()[0] != '/':
		return bad("has a path or a query that is not escaped")
	}
	name, port, ok := splitHost(withoutZone(u.Host))
	if !ok {
		return bad("has no valid host; international names are in Punycode (xn--), as ParseURL makes them")
	}
	if port == "" || port == defaultPort(scheme) {
		return name, nil // RFC 6455 §4.1 item 4
	}
	return name + ":" + port, nil
}

// withoutZone removes the zone of an IPv6 address: it means something only to
// this host (RFC 6874 §4).
func withoutZone(host string) string {
	literal, inBrackets := strings.CutPrefix(host, "[")
	address, port, closed := strings.Cut(literal, "]")
	if !inBrackets || !closed {
		return host
	}
	address, _, _ = strings.Cut(address, "%")
	return "[" + address + "]" + port
}

// check refuses options that would make another request than is meant.
func (o *ClientOptions) check() *Error {
	if o.Host != "" {
		if _, _, ok := splitHost(o.Host); !ok {
			return badOptions("Host is not host[:port] but " + quote(o.Host))
		}
	}
	if len(o.Subprotocols) > maxSubprotocols || len(o.Extensions) > maxExtensions {
		return badOptions("more than " + strconv.Itoa(maxSubprotocols) + " subprotocols or " +
			strconv.Itoa(maxExtensions) + " extensions are offered")
	}
	for i, name := range o.Subprotocols {
		if !isToken(name) || slices.Contains(o.Subprotocols[:i], name) {
			return badOptions("the subprotocol " + quote(name) + " is not a token or is there twice")
		}
	}
	for _, e := range o.Extensions {
		if !e.valid() {
			return badOptions("the extension " + quote(e.Name) + " or one of its parameters is not a token")
		}
	}
	if problem := checkHeader(o.Header); problem != "" {
		return badOptions(problem)
	}
	return nil
}

// has reports whether h holds a field, whatever the case of its name.
func has(h http.Header, name string) bool {
	for other := range h {
		if equalFoldASCII(other, name) {
			return true
		}
	}
	return false
}

// Append appends the whole request and returns the extended slice. Safe for
// concurrent use.
func (c *ClientRequest) Append(dst []byte) []byte { return append(dst, c.head...) }
