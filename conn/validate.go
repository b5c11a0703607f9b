package conn

import (
	"context"
	"log"
	"net/http"
	"sync"

	"github.com/seed-c4549abd/wss/handshake"
)

// Validate returns nil, or a *HandshakeError with status 500 that says which option cannot
// be used and what to do: a pattern of OriginPatterns, a name of Subprotocols, a field of
// Header, Compression, or the proxies of Group. Call it when a program starts. Without it every request is
// refused with that error, which is also logged once: to the ErrorLog of the http.Server
// that serves the request, or else by package log. A nil o is valid. It may be called by
// any number of goroutines.
func (o *AcceptOptions) Validate() error {
	if o == nil {
		return nil
	}
	var params handshake.DeflateParams
	ho, err := o.handshake(&params)
	if err != nil {
		return err
	}
	return ho.Validate()
}

// serversFault are the tokens of refusals that a server's program is to blame for: nobody
// looks at the error of Accept, as it has answered the request, and the client is told
// nothing but 500.
var serversFault = map[string]bool{"server_bug": true, "bad_options": true, "no_hijack": true}

// maxReports bounds the different errors that are logged, as some quote what a hook has made
// of a request.
const maxReports = 64

// reports are the errors that were logged.
type reports struct {
	mu   sync.Mutex
	seen map[string]bool
}

var reported reports

// report logs err once if it is the server's fault. ctx is the request's.
func (l *reports) report(ctx context.Context, err error) {
	e, ok := err.(*HandshakeError)
	if !ok || !serversFault[e.Token] || !l.first(e.Error()) {
		return
	}
	logf := log.Printf
	if srv, ok := ctx.Value(http.ServerContextKey).(*http.Server); ok && srv.ErrorLog != nil {
		logf = srv.ErrorLog.Printf
	}
	logf("websocket: requests are refused because of the server's configuration or code (reported once): %v", e)
}

// first reports whether text is new, and remembers it.
func (l *reports) first(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen[text] || len(l.seen) >= maxReports {
		return false
	}
	if l.seen == nil {
		l.seen = make(map[string]bool)
	}
	l.seen[text] = true
	return true
}
