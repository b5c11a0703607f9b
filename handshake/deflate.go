package handshake

import (
	"fmt"
	"strconv"
)

// The extension and its parameters (RFC 7692 §7, §7.1).
const (
	deflateName           = "permessage-deflate"
	serverNoTakeoverParam = "server_no_context_takeover"
	clientNoTakeoverParam = "client_no_context_takeover"
	serverWindowBitsParam = "server_max_window_bits"
	clientWindowBitsParam = "client_max_window_bits"

	minWindowBits = 8
	maxWindowBits = 15
)

// DeflateParams is what both sides agreed on for permessage-deflate (RFC 7692
// §7.1). The zero value is no agreement: window bits are never 0 in one.
type DeflateParams struct {
	// ServerNoContextTakeover: the server compresses each message by itself.
	ServerNoContextTakeover bool

	// ClientNoContextTakeover: the client compresses each message by itself.
	ClientNoContextTakeover bool

	// ServerMaxWindowBits is the base-2 logarithm of the LZ77 window that the
	// server compresses with at most, 8 to 15. The client needs one as large.
	ServerMaxWindowBits int

	// ClientMaxWindowBits is the same for what the client compresses.
	ClientMaxWindowBits int
}

// DeflatePolicy is what one side wants of permessage-deflate (RFC 7692 §7). The
// zero value wants nothing in particular: contexts are taken over and windows have
// 32 KiB, unless the peer limits them. All eight sizes of windows are accepted
// from a peer, 8 too, which some libraries cannot compress with.
//
// A policy does not change; its methods are safe for concurrent use. They panic if
// Validate returns an error.
type DeflatePolicy struct {
	// ServerNoContextTakeover has the server compress each message by itself: it
	// keeps no window between them, but compresses similar messages worse. False:
	// as the peer wants it.
	ServerNoContextTakeover bool

	// ClientNoContextTakeover is the same for the client. Set by a client, it is
	// a promise that needs no answer.
	ClientNoContextTakeover bool

	// ServerMaxWindowBits limits the window of what the server compresses to
	// 2^n bytes, 8 to 15. 0 means 15. The peer may want it smaller.
	ServerMaxWindowBits int

	// ClientMaxWindowBits is the same for what the client compresses. A server can
	// ask it only of clients that offer the parameter; of others that cannot but
	// be accepted it asks for no context takeover, which saves the memory too.
	ClientMaxWindowBits int
}

// Offer returns what a client that has the policy offers, for
// ClientOptions.Extensions. The server's limits that it asks for are conditions
// (RFC 7692 §7.1.1.1, §7.1.2.1): a server that cannot keep them declines.
func (p DeflatePolicy) Offer() []Extension {
	p.normalize()
	e := Extension{Name: deflateName}
	e.flag(serverNoTakeoverParam, p.ServerNoContextTakeover)
	e.flag(clientNoTakeoverParam, p.ClientNoContextTakeover)
	if p.ServerMaxWindowBits < maxWindowBits {
		e.bits(serverWindowBitsParam, p.ServerMaxWindowBits)
	}
	if p.ClientMaxWindowBits < maxWindowBits {
		e.bits(clientWindowBitsParam, p.ClientMaxWindowBits)
	} else {
		e.flag(clientWindowBitsParam, true) // lets the server choose
	}
	return []Extension{e}
}

// Accept chooses from what a client offered, for ServerOptions.Extensions: the
// first offer that allows all that the policy says, else the first that can be
// accepted. Offers of other extensions are passed over, and so are those that RFC
// 7692 §7.1 has a server decline: with unknown parameters, or the same one twice,
// or a value missing, out of range, with leading zeros, or where none belongs.
//
// It returns the response, what was agreed on, and true, or false if there was no
// such offer; then go on without compression.
func (p DeflatePolicy) Accept(offers []Extension) (Extension, DeflateParams, bool) {
	p.normalize()
	var fallback *deflateOffer
	for _, e := range offers {
		if e.Name != deflateName {
			continue
		}
		o, problem := parseDeflate(e)
		if problem != "" {
			continue
		}
		if p.ClientMaxWindowBits == maxWindowBits || p.ClientNoContextTakeover || o.ClientNoContextTakeover ||
			o.has(clientWindowBitsParam) {
			return p.accept(o)
		}
		if fallback == nil {
			fallback = &o
		}
	}
	if fallback == nil {
		return Extension{}, DeflateParams{}, false
	}
	p.ClientNoContextTakeover = true
	return p.accept(*fallback)
}

// accept answers one offer, which it may limit further.
func (p DeflatePolicy) accept(o deflateOffer) (Extension, DeflateParams, bool) {
	a := DeflateParams{
		ServerNoContextTakeover: p.ServerNoContextTakeover || o.ServerNoContextTakeover,
		ClientNoContextTakeover: p.ClientNoContextTakeover || o.ClientNoContextTakeover,
		ServerMaxWindowBits:     min(p.ServerMaxWindowBits, orMax(o.ServerMaxWindowBits)),
		ClientMaxWindowBits:     orMax(o.ClientMaxWindowBits),
	}
	if o.has(clientWindowBitsParam) {
		a.ClientMaxWindowBits = min(p.ClientMaxWindowBits, a.ClientMaxWindowBits)
	}
	e := Extension{Name: deflateName}
	e.flag(serverNoTakeoverParam, a.ServerNoContextTakeover)
	e.flag(clientNoTakeoverParam, a.ClientNoContextTakeover)
	// §7.1.2.1: an offered limit is accepted by naming it, even if that is 15.
	if o.has(serverWindowBitsParam) || a.ServerMaxWindowBits < maxWindowBits {
		e.bits(serverWindowBitsParam, a.ServerMaxWindowBits)
	}
	if a.ClientMaxWindowBits < maxWindowBits {
		e.bits(clientWindowBitsParam, a.ClientMaxWindowBits)
	}
	return e, a, true
}

// Check decides about what a server accepted of Offer, as Agreement.Extensions of
// the client's Check has it. It returns what was agreed on and true, or false if
// the server does not compress. Extensions of other names are not looked at.
//
// The error is an *Error with token "bad_extensions" and without a status: the
// server accepted what was not offered, left out what was a condition, or sent
// parameters that are not valid (RFC 7692 §5.1, §7.1). The client must fail the
// connection then.
func (p DeflatePolicy) Check(accepted []Extension) (DeflateParams, bool, error) {
	p.normalize()
	var found *Extension
	for i := range accepted {
		if accepted[i].Name == deflateName {
			if found != nil {
				return DeflateParams{}, false, badDeflate("it was accepted twice")
			}
			found = &accepted[i]
		}
	}
	if found == nil {
		return DeflateParams{}, false, nil
	}
	o, problem := parseDeflate(*found)
	if problem == "" {
		problem = p.disagreement(o)
	}
	if problem != "" {
		return DeflateParams{}, false, badDeflate(problem)
	}
	return DeflateParams{
		ServerNoContextTakeover: o.ServerNoContextTakeover,
		ClientNoContextTakeover: p.ClientNoContextTakeover || o.ClientNoContextTakeover,
		ServerMaxWindowBits:     orMax(o.ServerMaxWindowBits),
		ClientMaxWindowBits:     min(p.ClientMaxWindowBits, orMax(o.ClientMaxWindowBits)),
	}, true, nil
}

// disagreement says what in a response does not fit the offer.
func (p DeflatePolicy) disagreement(o deflateOffer) string {
	switch {
	case p.ServerNoContextTakeover && !o.ServerNoContextTakeover:
		return serverNoTakeoverParam + " was a condition and is missing"
	case orMax(o.ServerMaxWindowBits) > p.ServerMaxWindowBits:
		return fmt.Sprintf("%s must be %d at most, not %d", serverWindowBitsParam,
			p.ServerMaxWindowBits, orMax(o.ServerMaxWindowBits))
	case o.has(clientWindowBitsParam) && o.ClientMaxWindowBits == 0:
		return clientWindowBitsParam + " needs a value in a response"
	case o.ClientMaxWindowBits > p.ClientMaxWindowBits:
		return fmt.Sprintf("%s must be %d at most, not %d", clientWindowBitsParam,
			p.ClientMaxWindowBits, o.ClientMaxWindowBits)
	}
	return ""
}

func badDeflate(problem string) *Error {
	return &Error{Token: tokenBadExtensions,
		Reason: "the server's answer about " + deflateName + " is not valid (RFC 7692 §7.1): " + problem}
}

// Validate returns nil, or an *Error with token "bad_options" if window bits are
// neither 0 nor 8 to 15.
func (p DeflatePolicy) Validate() error {
	for _, bits := range [...]int{p.ServerMaxWindowBits, p.ClientMaxWindowBits} {
		if bits != 0 && (bits < minWindowBits || bits > maxWindowBits) {
			return &Error{Token: tokenBadOptions,
				Reason: fmt.Sprintf("window bits are 8 to 15, or 0 for 15, not %d (RFC 7692 §7.1.2)", bits)}
		}
	}
	return nil
}

// normalize puts 15 for 0.
func (p *DeflatePolicy) normalize() {
	if err := p.Validate(); err != nil {
		panic(err)
	}
	p.ServerMaxWindowBits = orMax(p.ServerMaxWindowBits)
	p.ClientMaxWindowBits = orMax(p.ClientMaxWindowBits)
}

func orMax(bits int) int {
	if bits == 0 {
		return maxWindowBits
	}
	return bits
}

// deflateOffer is an element of an offer or a response. Window bits are 0 if the
// parameter is missing or has no value.
type deflateOffer struct {
	DeflateParams
	params []Param
}

func (o *deflateOffer) has(name string) bool {
	for _, p := range o.params {
		if p.Name == name {
			return true
		}
	}
	return false
}

// parseDeflate reads the parameters, or says what is wrong with them. Where only
// an offer may leave a value out, that is for the caller to check.
func parseDeflate(e Extension) (o deflateOffer, problem string) {
	for i, p := range e.Params {
		o.params = e.Params[:i]
		if o.has(p.Name) {
			return o, "the parameter " + quote(p.Name) + " is there twice"
		}
		var flag *bool
		var bits *int
		switch p.Name {
		case serverNoTakeoverParam:
			flag = &o.ServerNoContextTakeover
		case clientNoTakeoverParam:
			flag = &o.ClientNoContextTakeover
		case serverWindowBitsParam:
			bits = &o.ServerMaxWindowBits
		case clientWindowBitsParam:
			bits = &o.ClientMaxWindowBits
		default:
			return o, "there is no parameter " + quote(p.Name)
		}
		switch {
		case flag != nil && p.HasValue:
			return o, p.Name + " has no value, but " + quote(p.Value) + " was given"
		case flag != nil:
			*flag = true
		case p.HasValue:
			if *bits = windowBits(p.Value); *bits == 0 {
				return o, p.Name + " is 8 to 15 without leading zeros, not " + quote(p.Value)
			}
		case bits == &o.ServerMaxWindowBits:
			return o, p.Name + " needs a value"
		}
	}
	o.params = e.Params
	return o, ""
}

// windowBits parses a value of *_max_window_bits, 0 if it is not valid.
func windowBits(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < minWindowBits || n > maxWindowBits || strconv.Itoa(n) != s {
		return 0
	}
	return n
}

func (e *Extension) flag(name string, on bool) {
	if on {
		e.Params = append(e.Params, Param{Name: name})
	}
}

func (e *Extension) bits(name string, n int) {
	e.Params = append(e.Params, Param{Name: name, Value: strconv.Itoa(n), HasValue: true})
}
