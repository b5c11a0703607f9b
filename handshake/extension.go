package handshake

import (
	"fmt"
	"net/http"
	"strings"
)

// Extension is one element of Sec-WebSocket-Extensions: an extension that a
// client offers or that a server accepted (RFC 6455 §9.1). The zero value is not
// valid: a name is needed.
type Extension struct {
	// Name is a token such as "permessage-deflate", compared as it is written.
	Name string

	// Params are its parameters, in order. Nil: none.
	Params []Param
}

// Param is a parameter of an extension (RFC 6455 §9.1).
type Param struct {
	// Name is a token such as "server_max_window_bits".
	Name string

	// Value is a token, without the quotes that it may have had on the wire.
	// It counts only if HasValue is true.
	Value string

	// HasValue tells "name=value" from a bare "name".
	HasValue bool
}

// How much of Sec-WebSocket-Extensions is read. Browsers send one offer with two
// parameters; what is registered has four.
const (
	maxExtensions = 32
	maxParams     = 32 // of one extension
)

// ParseExtensions parses the values of all Sec-WebSocket-Extensions fields of a
// message, which count as one list (RFC 6455 §9.1, tokens and quoted strings of
// RFC 7230 §3.2.6). Elements may be repeated: several offers of one extension
// are alternatives in the order of preference. Empty elements are ignored, as a
// recipient of any list must (RFC 7230 §7); no fields, and fields of nothing but
// empty elements, give nil.
//
// It takes linear time, at most 32 extensions and 32 parameters each. The error
// is an *Error with status 400. Safe for concurrent use.
func ParseExtensions(header []string) ([]Extension, error) {
	list, err := parseExtensions(header)
	if err != nil {
		return nil, err
	}
	return list, nil
}

func parseExtensions(header []string) ([]Extension, *Error) {
	var list []Extension
	for _, line := range header {
		s := scanner{rest: line}
		for {
			if s.skipOWS(); s.rest != "" && s.rest[0] != ',' {
				if len(list) == maxExtensions {
					return nil, badExtensions(fmt.Sprintf("there are more than %d extensions", maxExtensions))
				}
				e, problem := s.extension()
				if problem != "" {
					return nil, badExtensions(problem + " in " + quote(line))
				}
				list = append(list, e)
			}
			if s.rest == "" {
				break
			}
			s.rest = s.rest[1:] // extension stops at a comma or at the end
		}
	}
	return list, nil
}

func badExtensions(problem string) *Error {
	return &Error{Status: http.StatusBadRequest, Token: tokenBadExtensions,
		Reason: "Sec-WebSocket-Extensions is not valid (RFC 6455 §9.1): " + problem}
}

// AppendExtensions appends the value of a Sec-WebSocket-Extensions field and
// returns the extended slice. Names and values must be tokens, as those of
// ParseExtensions are; NewRequest and Accept check those that they are given.
// Safe for concurrent use.
func AppendExtensions(dst []byte, e []Extension) []byte {
	for i, x := range e {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(dst, x.Name...)
		for _, p := range x.Params {
			dst = append(dst, "; "...)
			dst = append(dst, p.Name...)
			if p.HasValue {
				dst = append(dst, '=')
				dst = append(dst, p.Value...)
			}
		}
	}
	return dst
}

// valid reports whether e can be written.
func (e Extension) valid() bool {
	for _, p := range e.Params {
		if !isToken(p.Name) || p.HasValue && !isToken(p.Value) {
			return false
		}
	}
	return isToken(e.Name) && len(e.Params) <= maxParams
}

// scanner reads a field value from its beginning; rest only ever shrinks.
type scanner struct{ rest string }

func (s *scanner) skipOWS() { s.rest = strings.TrimLeft(s.rest, " \t") }

// token returns the token that stands next, or "".
func (s *scanner) token() string {
	n := 0
	for n < len(s.rest) && tokenBytes[s.rest[n]] {
		n++
	}
	token := s.rest[:n]
	s.rest = s.rest[n:]
	return token
}

// skip consumes c and reports whether it stood next, after optional space.
func (s *scanner) skip(c byte) bool {
	s.skipOWS()
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// extension reads an extension with its parameters up to a comma or the end,
// or says what is wrong.
func (s *scanner) extension() (e Extension, problem string) {
	if e.Name = s.token(); e.Name == "" {
		return e, "an extension's name is not a token"
	}
	for s.skip(';') {
		s.skipOWS()
		p := Param{Name: s.token()}
		if p.Name == "" {
			return e, "a parameter's name is not a token"
		}
		if s.skip('=') {
			s.skipOWS()
			if p.Value, p.HasValue = s.value(); !p.HasValue {
				return e, "a parameter's value is neither a token nor a quoted token"
			}
		}
		if len(e.Params) == maxParams {
			return e, fmt.Sprintf("an extension has more than %d parameters", maxParams)
		}
		e.Params = append(e.Params, p)
	}
	if s.rest != "" && s.rest[0] != ',' {
		return e, "there is something other than \";\", \",\" or the end after a name or a value"
	}
	return e, ""
}

// value reads a token, or a quoted string that holds one.
func (s *scanner) value() (string, bool) {
	if s.rest == "" || s.rest[0] != '"' {
		token := s.token()
		return token, token != ""
	}
	var unquoted []byte
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; c {
		case '"':
			s.rest = s.rest[i+1:]
			return string(unquoted), len(unquoted) > 0
		case '\\':
			if i++; i == len(s.rest) {
				return "", false
			}
			fallthrough
		default:
			if !tokenBytes[s.rest[i]] {
				return "", false
			}
			unquoted = append(unquoted, s.rest[i])
		}
	}
	return "", false
}
