package handshake

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// ServerOptions says which opening handshakes a server accepts. The zero value,
// or a nil pointer, accepts requests from programs and from pages of the same
// origin, without subprotocol and extensions. Accept does not change it, so one
// value may serve all requests at once if its functions can.
type ServerOptions struct {
	// Origins: which web pages may connect.

	// OriginPatterns lists origins that may connect besides the server's own, as
	//
	//	[scheme://]host[:port]
	//
	// for example "https://example.com", "example.com", "*.example.com:8443",
	// "localhost:*". Without a scheme http and https match. Without a port the
	// default port of the origin's scheme matches, with ":*" any port. In each
	// label of the host one "*" may stand for one character or more, never for a
	// dot: "*.example.com" matches "www.example.com", but neither "example.com"
	// nor "a.b.example.com". Mind the dot: "*example.com" matches "evilexample.com", too. Letters match in either case. An international name
	// is written as browsers send it, in Punycode. One "/" at the end is ignored.
	//
	// "null" and "file://" match the origins that are written so. Browsers send "null" for
	// local files, for sandboxed frames and after some redirects; any site can have a
	// sandboxed frame, so listing it is as good as AllowAnyOrigin. "file://" is what
	// some WebViews send for the application's own files.
	//
	// A pattern that is none of this, or that would match every host, such as "*", makes
	// Validate fail. Nil: only the same origin.
	OriginPatterns []string

	// AllowAnyOrigin lets every web page connect with the cookies of whoever
	// looks at it (cross-site WebSocket hijacking, RFC 6455 §10.2). Set it only
	// if no cookie, client certificate or network position grants anything here.
	// False: the same origin and OriginPatterns.
	AllowAnyOrigin bool

	// Agreement: what is negotiated and answered.

	// Subprotocols lists what the server speaks, by preference: the first that
	// the client offered is selected. With none in common the connection has no
	// subprotocol; refuse it in Check if that is of no use. Names are tokens, compared
	// with regard to case. Nil: none is selected.
	Subprotocols []string

	// SelectSubprotocol, if not nil, decides instead of Subprotocols. It gets
	// what the client offered, in order, nil if nothing, and returns one of them
	// or "". Another answer is refused with 500. An *Error refuses as it says,
	// any other error with 403.
	SelectSubprotocol func(r *http.Request, offered []string) (string, error)

	// Extensions, if not nil, gets what the client offered, in order, and
	// returns what the server accepts (RFC 6455 §9.1): names must have been
	// offered, each at most once. It is not called without offers. Nil: none is
	// accepted.
	Extensions func(offers []Extension) []Extension

	// Header holds further fields of the 101 response, such as Set-Cookie. Those
	// that the handshake writes itself, and control characters, make Validate fail.
	// Nil: none.
	Header http.Header

	// Admission: anything else.

	// Check, if not nil, sees a request that is correct and of an allowed origin
	// and may refuse it: with an *Error as that says, with any other error as
	// 403. Nil: every such request is admitted.
	Check func(r *http.Request) error
}

// Validate returns nil, or an *Error with status 500 and the token "server_bug" that says
// what is wrong with OriginPatterns, Subprotocols or Header, and what to do about it. Call it
// when a program starts; Accept refuses every request with the same error. A nil o is
// valid. Safe for concurrent use.
func (o *ServerOptions) Validate() error {
	if o == nil {
		return nil
	}
	if err := o.validate(); err != nil {
		return err
	}
	return nil
}

func (o *ServerOptions) validate() *Error {
	for _, text := range o.OriginPatterns {
		if _, problem := parsePattern(text); problem != "" {
			return serverBug("the origin pattern " + quote(text) + " cannot be used: " + problem)
		}
	}
	for _, name := range o.Subprotocols {
		if !isToken(name) {
			return serverBug("the subprotocol " + quote(name) + " is not a token, so no client can offer it (RFC 6455 §4.1)")
		}
	}
	if problem := checkHeader(o.Header); problem != "" {
		return serverBug(problem)
	}
	return nil
}

// Accept decides about a client's opening handshake (RFC 6455 §4.2) as it came
// from net/http or from a RequestReader, in the order of the RFC, if o is valid: else every
// request is refused with 500, so that a mistake shows at the first. A nil o means
// the zero ServerOptions. On success the caller sends Agreement.AppendResponse
// and goes on with frames. An extended CONNECT of HTTP/2 or HTTP/3 (RFC 8441, RFC 9220)
// is decided about alike, and answered by 200 and Agreement.StreamHeader.
//
// The error is always an *Error, to be sent with its AppendResponse or
// ServeHTTP; the connection is closed then, or the stream. Accept reads r only; safe for
// concurrent use on different requests.
func Accept(r *http.Request, o *ServerOptions) (*Agreement, error) {
	if o == nil {
		o = &ServerOptions{}
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	stream := IsExtendedConnect(r)
	checks := []func(*http.Request) *Error{checkRequest, checkUpgrade, checkKey, checkVersion}
	if stream {
		checks = []func(*http.Request) *Error{checkStream, checkVersion}
	}
	for _, check := range checks {
		if err := check(r); err != nil {
			return nil, err
		}
	}
	if err := checkOrigin(r, o); err != nil {
		return nil, err
	}
	a, err := negotiate(r, o)
	if err != nil {
		return nil, err
	}
	if a.stream = stream; !stream || checkKey(r) == nil {
		a.key = r.Header["Sec-Websocket-Key"][0]
	}
	return a, nil
}

// checkRequest covers items 1 and 2 of RFC 6455 §4.2.1.
func checkRequest(r *http.Request) *Error {
	if r.ProtoMajor != 1 || r.ProtoMinor < 1 {
		return refuseVersion(r.Proto) // first: in HTTP/2, the method is not what is wrong
	}
	if r.Method != http.MethodGet {
		return refuseMethod(r.Method)
	}
	if !isHostField(r.Host) {
		return refuseHost(r.Host)
	}
	return checkNoBody(r)
}

// checkUpgrade covers items 3 and 4. A request that fails here is for a web
// page more often than a broken handshake, so 426 tells what would be right.
func checkUpgrade(r *http.Request) *Error {
	const hint = "; if a proxy stands in between, have it pass Upgrade and Connection on"
	upgrade, connection := r.Header["Upgrade"], r.Header["Connection"]
	switch {
	case len(upgrade) == 0:
		return &Error{Status: http.StatusUpgradeRequired, Token: tokenMissingUpgrade,
			Reason: "there is no Upgrade field, \"Upgrade: websocket\" is required" + hint}
	case !hasToken(upgrade, "websocket"):
		return &Error{Status: http.StatusUpgradeRequired, Token: tokenBadUpgrade,
			Reason: "the Upgrade field does not list websocket: " + quote(upgrade[0])}
	case len(connection) == 0:
		return &Error{Status: http.StatusUpgradeRequired, Token: tokenMissingConn,
			Reason: "there is no Connection field, \"Connection: Upgrade\" is required" + hint}
	case !hasToken(connection, "upgrade"):
		return &Error{Status: http.StatusUpgradeRequired, Token: tokenBadConnection,
			Reason: "the Connection field does not list Upgrade: " + quote(connection[0]) + hint}
	}
	return nil
}

// checkKey covers item 5.
func checkKey(r *http.Request) *Error {
	const what = "one Sec-WebSocket-Key with the base64 of 16 bytes is required"
	keys := r.Header["Sec-Websocket-Key"]
	switch {
	case len(keys) == 0:
		return &Error{Status: http.StatusBadRequest, Token: tokenMissingKey, Reason: what}
	case len(keys) > 1:
		return &Error{Status: http.StatusBadRequest, Token: tokenBadKey,
			Reason: fmt.Sprintf("%s, there are %d", what, len(keys))}
	case !isKey(keys[0]):
		return &Error{Status: http.StatusBadRequest, Token: tokenBadKey,
			Reason: what + ", not " + quote(keys[0])}
	}
	return nil
}

// checkVersion covers item 6 and §4.4.
func checkVersion(r *http.Request) *Error {
	versions := r.Header["Sec-Websocket-Version"]
	switch {
	case len(versions) == 1 && versions[0] == version:
		return nil
	case len(versions) == 1:
		return &Error{Status: http.StatusUpgradeRequired, Token: tokenBadVersion,
			Reason: "the WebSocket version is " + quote(versions[0]) + ", only 13 is spoken here"}
	}
	e := &Error{Status: http.StatusBadRequest, Token: tokenMissingVersion,
		Header: http.Header{"Sec-WebSocket-Version": {version}},
		Reason: "there is no Sec-WebSocket-Version field, 13 is required"}
	if len(versions) != 0 {
		e.Token = tokenBadVersion
		e.Reason = fmt.Sprintf("there are %d Sec-WebSocket-Version fields, one is required", len(versions))
	}
	return e
}

// negotiate covers items 8 and 9 and what the server answers (§4.2.2).
func negotiate(r *http.Request, o *ServerOptions) (*Agreement, *Error) {
	offered, err := parseSubprotocols(r.Header["Sec-Websocket-Protocol"])
	if err != nil {
		return nil, err
	}
	offers, err := parseExtensions(r.Header["Sec-Websocket-Extensions"])
	if err != nil {
		return nil, err
	}
	if o.Check != nil {
		if err := o.Check(r); err != nil {
			return nil, rejection(err)
		}
	}
	a := &Agreement{Header: o.Header}
	if a.Subprotocol, err = o.subprotocol(r, offered); err != nil {
		return nil, err
	}
	if a.Extensions, err = o.extensions(offers); err != nil {
		return nil, err
	}
	return a, nil
}

// rejection makes an *Error of what a function of ServerOptions returned.
func rejection(err error) *Error {
	var own *Error
	if errors.As(err, &own) {
		if own != nil {
			return own
		}
		err = nil // a nil *Error in an error: meant as consent or not, nobody knows
	}
	return &Error{Status: http.StatusForbidden, Token: tokenRejected, Err: err,
		Reason: "the server does not admit this request"}
}

func (o *ServerOptions) subprotocol(r *http.Request, offered []string) (string, *Error) {
	if o.SelectSubprotocol == nil {
		for _, name := range o.Subprotocols {
			if slices.Contains(offered, name) {
				return name, nil
			}
		}
		return "", nil
	}
	name, err := o.SelectSubprotocol(r, offered)
	if err != nil {
		return "", rejection(err)
	}
	if name != "" && !slices.Contains(offered, name) {
		return "", serverBug("SelectSubprotocol returned " + quote(name) + ", which the client did not offer")
	}
	return name, nil
}

func (o *ServerOptions) extensions(offers []Extension) ([]Extension, *Error) {
	if o.Extensions == nil || len(offers) == 0 {
		return nil, nil
	}
	accepted := o.Extensions(offers)
	for i, e := range accepted {
		sameName := func(other Extension) bool { return other.Name == e.Name }
		if !e.valid() || !slices.ContainsFunc(offers, sameName) || slices.ContainsFunc(accepted[:i], sameName) {
			return nil, serverBug("Extensions accepted " + quote(e.Name) +
				", which is malformed, was not offered, or is accepted twice")
		}
	}
	return accepted, nil
}
