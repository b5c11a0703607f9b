package handshake

import (
	"fmt"
	"net/http"
	"slices"
)

// maxSubprotocols bounds the search for duplicates, which is quadratic.
const maxSubprotocols = 64

// parseSubprotocols parses the values of all Sec-WebSocket-Protocol fields of a
// request, which count as one list: tokens, none empty, none twice, at least one
// if there is a field (RFC 6455 §4.1 item 10). They are compared as they are
// written, with regard to case.
func parseSubprotocols(header []string) ([]string, *Error) {
	var list []string
	for name := range elements(header) {
		switch {
		case !isToken(name):
			return nil, badSubprotocol("a name is not a token: " + quote(name))
		case slices.Contains(list, name):
			return nil, badSubprotocol("a name is there twice: " + quote(name))
		case len(list) == maxSubprotocols:
			return nil, badSubprotocol(fmt.Sprintf("there are more than %d names", maxSubprotocols))
		}
		list = append(list, name)
	}
	return list, nil
}

func badSubprotocol(problem string) *Error {
	return &Error{Status: http.StatusBadRequest, Token: tokenBadSubprotocol,
		Reason: "Sec-WebSocket-Protocol is not valid (RFC 6455 §4.1): " + problem}
}
