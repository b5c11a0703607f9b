package http2

import (
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/seed-c4549abd/wss/internal/httpstream"
)

// The limits that Configure sets where the server has none, in bytes. A stream that nobody reads keeps StreamBuffer of its connection's
// ConnectionBuffer, so that some 250 of them, which is the limit of net/http, hold up no other.
const (
	StreamBuffer     = 64 << 10
	ConnectionBuffer = 16 << 20
	maxFrame         = 16 << 10
)

// ErrNotEnabled is what Configure returns if net/http does not offer WebSockets over HTTP/2 in this program.
var ErrNotEnabled = errors.New("http2: net/http does not offer WebSockets over HTTP/2: import _ \"github.com/seed-c4549abd/wss/http2/enable\" in package main, " +
	"and do not set http2xconnect=0 in GODEBUG")

// Configure sets a server up for WebSockets over HTTP/2, before it serves: it puts [Handler] around srv.Handler, turns HTTP/2 on, beside
// HTTP/1.1 if srv.Protocols is nil, in srv.Protocols and in the ALPN of srv.TLSConfig, and bounds the buffers in srv.HTTP2 where that has no
// bounds. A negative number of streams there becomes net/http's default. A nil srv.Handler is http.DefaultServeMux, as ever. If net/http does not offer WebSockets over HTTP/2, because the package
// http2/enable is not imported, the server is set up all the same, and the error is ErrNotEnabled. (It looks at GODEBUG as it is now; net/http
// has read it when the program started.)
func Configure(srv *http.Server) error {
	next := srv.Handler
	if next == nil {
		next = http.DefaultServeMux
	}
	srv.Handler = Handler(next)
	if srv.Protocols == nil {
		srv.Protocols = new(http.Protocols)
		srv.Protocols.SetHTTP1(true)
	}
	srv.Protocols.SetHTTP2(true)
	if cfg := srv.TLSConfig; cfg != nil {
		cfg = cfg.Clone()
		if !slices.Contains(cfg.NextProtos, "h2") {
			cfg.NextProtos = append([]string{"h2"}, cfg.NextProtos...)
		}
		if !slices.Contains(cfg.NextProtos, "http/1.1") {
			cfg.NextProtos = append(cfg.NextProtos, "http/1.1")
		}
		srv.TLSConfig = cfg
	}
	var limits http.HTTP2Config
	if srv.HTTP2 != nil {
		limits = *srv.HTTP2
	}
	setDefault(&limits.MaxReceiveBufferPerStream, StreamBuffer)
	setDefault(&limits.MaxReceiveBufferPerConnection, ConnectionBuffer)
	setDefault(&limits.MaxReadFrameSize, maxFrame)
	limits.MaxConcurrentStreams = max(limits.MaxConcurrentStreams, 0) // net/http takes -1 for 4 billion
	srv.HTTP2 = &limits
	if !strings.Contains(os.Getenv("GODEBUG"), "http2xconnect=1") {
		return ErrNotEnabled
	}
	return nil
}

func setDefault(n *int, value int) {
	if *n <= 0 {
		*n = value
	}
}

// Handler returns a handler that lets WebSockets over HTTP/2 outlive next, as those over HTTP/1.1 do: if next has called conn.Accept for a
// stream, it returns only when that has ended. It belongs outside of all middleware, and [Configure] puts it there. If next panics, its
// stream is reset. Other requests are passed on unchanged.
func Handler(next http.Handler) http.Handler { return httpstream.Guard(next) }
