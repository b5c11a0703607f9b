package observe

import (
	"context"
	"net/http"
	"strings"
)

// Request is the part of a server's request that observers may show. It holds no query and no header field but Host, since those
// carry credentials; a path may carry them too. Host and Path come from the client and may hold any bytes. The zero value is that of
// an unknown request.
type Request struct {
	Host    string // as sent, at most 256 bytes
	Path    string // without the query, unescaped, at most 256 bytes
	Pattern string // the pattern of http.ServeMux that matched; "" if none did
}

// maxString is the most bytes of a string that are kept for the life of the connection.
const maxString = 256

type requestKey struct{}

// ConnContext is a value for AcceptOptions.ConnContext. It returns a context with the values of the request's context and the
// [Request], which [RequestOf] returns; it does not end with the request. To add values, write a function that calls
// [WithRequest]. It may be called by any number of goroutines.
func ConnContext(r *http.Request) context.Context {
	return WithRequest(context.WithoutCancel(r.Context()), r)
}

// WithRequest returns a context like ctx that holds the Request of r. It keeps no reference to r or its strings.
func WithRequest(ctx context.Context, r *http.Request) context.Context {
	kept := Request{Host: short(r.Host), Pattern: strings.Clone(r.Pattern)}
	if r.URL != nil {
		kept.Path = short(r.URL.Path)
	}
	return context.WithValue(ctx, requestKey{}, kept)
}

// RequestOf returns the Request that WithRequest or ConnContext put into ctx; false if there is none, as for clients.
func RequestOf(ctx context.Context) (Request, bool) {
	r, ok := ctx.Value(requestKey{}).(Request)
	return r, ok
}

func short(s string) string { return strings.Clone(s[:min(len(s), maxString)]) }
