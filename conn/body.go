package conn

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	maxBody  = 4 << 10
	bodyTime = time.Second
)

// readBody gives a refused client what the server says about it: the beginning of
// the body, within bounds. A chunked one is left as it came.
func readBody(nc net.Conn, resp *http.Response, rest []byte) {
	want := int64(maxBody)
	if n, err := strconv.ParseInt(resp.Header.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
		want = min(n, maxBody)
	}
	body := bytes.NewBuffer(append([]byte(nil), rest[:min(int64(len(rest)), want)]...))
	if missing := want - int64(body.Len()); missing > 0 {
		_ = nc.SetReadDeadline(time.Now().Add(bodyTime))
		_, _ = io.CopyN(body, nc, missing) // what came is better than nothing
	}
	resp.Body = io.NopCloser(body)
}
