package suite

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/httpstream"
)

// ForStreams returns those of cases that can be run over a stream of HTTP/2 or HTTP/3, where role is that of the tested side: those about
// messages. The opening handshake is another one there, and the TLS is that of many streams; and a handler of HTTP/2, as which the suite
// is a server, cannot end one direction of its stream.
func ForStreams(role Role, cases []Case) []Case {
	return slices.DeleteFunc(slices.Clone(cases), func(c Case) bool {
		return c.Opening != nil || c.endsTLS || c.endsStream && role == ClientRole
	})
}

// openStream opens a stream of HTTP/2 or HTTP/3.
func (at *opened) openStream(ctx context.Context, o *Options, request *handshake.ClientRequest) error {
	header := request.StreamHeader()
	at.request = headText("CONNECT, :protocol websocket", header)
	nc, resp, err := o.OpenStream(ctx, header)
	if err != nil {
		return &unreachableError{err}
	}
	at.conn, at.response = nc, headText(resp.Status, resp.Header)
	at.agreement, err = request.CheckStream(resp)
	return err
}

// headText shows a head of HTTP/2 or HTTP/3 as text.
func headText(first string, header http.Header) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\r\n", first)
	_ = header.Write(&b)
	return b.String() + "\r\n"
}

// ServeHTTP takes extended CONNECTs of HTTP/2 and HTTP/3 (RFC 8441, RFC 9220) as Serve takes connections, for clients that open WebSockets as
// streams. It returns when the stream has ended. Cases about the opening handshake of HTTP/1.1 are run without what they are about: leave them
// out. Other requests are refused.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.connections.Add(1) > int64(s.options.MaxConnections) || !handshake.IsExtendedConnect(r) {
		s.connections.Add(-1)
		http.Error(w, "WebSockets are served here, by an extended CONNECT, and not too many at once", http.StatusServiceUnavailable)
		return
	}
	defer s.connections.Add(-1)
	in := newVisit(s)
	agreement, err := handshake.Accept(r, in.handshake())
	at := &opened{server: true, agreement: agreement}
	if err == nil {
		at.request, at.response = headText("CONNECT "+r.URL.String(), r.Header), headText("200 OK", agreement.StreamHeader())
		err = at.takeStream(w, r)
	}
	if refusal, ok := err.(*handshake.Error); ok {
		refusal.ServeHTTP(w, r)
	}
	in.finish(r.Context(), at, err)
}

// takeStream takes the stream over, and sends the response.
func (at *opened) takeStream(w http.ResponseWriter, r *http.Request) error {
	taken, err := httpstream.Take(w, r, at.agreement.StreamHeader(), openTimeout)
	if err != nil {
		return err
	}
	at.conn = taken.Conn
	return taken.Respond()
}
