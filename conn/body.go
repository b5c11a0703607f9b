package conn

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"time"
)

// What is read of a refusal's body.
const (
	maxBody    = 4 << 10     // bytes, decoded
	maxEncoded = 4 * maxBody // bytes, with the framing of chunks
	bodyTime   = time.Second
)

// readBody gives a refused client what the server says about it: the beginning of the
// body, to its end if that comes first (RFC 9112 §6.3), without the framing of chunks.
// rest is what came behind the head. It ends with ctx, and after bodyTime. It returns the
// same bytes.
func readBody(ctx context.Context, nc net.Conn, resp *http.Response, rest []byte) []byte {
	if resp.ContentLength == 0 {
		return nil // Body is http.NoBody
	}
	_ = nc.SetReadDeadline(time.Now().Add(bodyTime))
	if ctx.Err() != nil {
		_ = nc.SetReadDeadline(past) // its end has set one already, which the line above undid
	}
	body := io.MultiReader(bytes.NewReader(rest), nc)
	switch {
	case resp.ContentLength > 0:
		body = io.LimitReader(body, resp.ContentLength)
	case len(resp.TransferEncoding) > 0 && resp.TransferEncoding[len(resp.TransferEncoding)-1] == "chunked":
		body = httputil.NewChunkedReader(io.LimitReader(body, maxEncoded))
	}
	begin, _ := io.ReadAll(io.LimitReader(body, maxBody)) // what came is better than nothing
	resp.Body = io.NopCloser(bytes.NewReader(begin))
	return begin
}
