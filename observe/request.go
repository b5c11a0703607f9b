package observe

import (
	"context"
	"net/http"
	"strings"
)

// Request is what observers may show of the request that a server has accepted. It holds no query and no
// header but Host, since those carry credentials; a path may carry them too. Each string comes from the
// client, except Pattern, and may hold anything. The zero value knows nothing.
type Request struct {
	Host    string // as sent, at most 256 bytes
	Path    string // without the query, unescaped, at most 256 bytes
	Pattern string // the pattern of http.ServeMux that matched, "" if none did
}

// maxString bounds what is kept of a request for the life of its connection, in bytes.
const maxString = 256

type requestKey struct{}

// ConnContext is for AcceptOptions.ConnContext: it returns the request's context without its end, so that its values
// are those of Conn.Context, with the [Request] that [RequestOf] finds. A ConnContext of your own calls
// [WithRequest]. It may be called by any number of goroutines.
func ConnContext(r *http.Request) context.Context {
	return WithRequest(context.WithoutCancel(r.Context()), r)
}

// WithRequest returns ctx with the Request of r. It keeps neither r nor memory of r.
func WithRequest(ctx context.Context, r *http.Request) context.Context {
	kept := Request{Host: short(r.Host), Pattern: strings.Clone(r.Pattern)}
	if r.URL != nil {
		kept.Path = short(r.URL.Path)
	}
	return context.WithValue(ctx, requestKey{}, kept)
}

// RequestOf returns the Request that WithRequest or ConnContext put into ctx, and false if there is none, as for clients.
func RequestOf(ctx context.Context) (Request, bool) {
	r, ok := ctx.Value(requestKey{}).(Request)
	return r, ok
}

func short(s string) string { return strings.Clone(s[:min(len(s), maxString)]) }
