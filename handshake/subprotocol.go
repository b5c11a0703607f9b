package handshake

import (
	"fmt"
	"net/http"
	"slices"
)

// maxSubprotocols bounds the search for duplicates, which is quadratic.
const maxSubprotocols = 64

// parseSubprotocols parses the values of all Sec-WebSocket-Protocol fields of a
// request, which count as one list. Empty elements are ignored, as a recipient of any list
// must (RFC 7230 §7), so "foo,,chat", "chat," and an empty field are valid; the last
// offers nothing. Names that are no tokens, or are there twice, are refused: they must all
// be different (RFC 6455 §4.1 item 10), and a client that repeats one is at fault in a
// way that no browser and no proxy is. Names are compared with regard to case.
func parseSubprotocols(header []string) ([]string, *Error) {
	var list []string
	for name := range elements(header) {
		switch {
		case name == "":
		case !isToken(name):
			return nil, badSubprotocol("a name is not a token: " + quote(name))
		case slices.Contains(list, name):
			return nil, badSubprotocol("a name is there twice: " + quote(name))
		case len(list) == maxSubprotocols:
			return nil, badSubprotocol(fmt.Sprintf("there are more than %d names", maxSubprotocols))
		default:
			list = append(list, name)
		}
	}
	return list, nil
}

func badSubprotocol(problem string) *Error {
	return &Error{Status: http.StatusBadRequest, Token: tokenBadSubprotocol,
		Reason: "Sec-WebSocket-Protocol is not valid (RFC 6455 §4.1): " + problem}
}
