package micro

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/gobwas/ws"
	"github.com/gorilla/websocket"
	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/handshake"
)

const request = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://server.example.com\r\n" +
	"Sec-WebSocket-Version: 13\r\nUser-Agent: load\r\nAccept-Language: en\r\n\r\n"

// HandshakeGroups are the groups of HandshakeCases in their order.
func HandshakeGroups() []string { return []string{"a request of net/http", "a request in bytes"} }

// HandshakeCases answer an opening handshake into memory: as it comes from net/http, and
// from the bytes on. gorilla makes its connection in the same call.
func HandshakeCases() []Case {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader([]byte(request))))
	if err != nil {
		panic(err)
	}
	nc := &fakeConn{}
	w := &hijackable{nc: nc, rw: bufio.NewReadWriter(bufio.NewReader(nc), bufio.NewWriter(nc)), header: http.Header{}}
	upgrader := websocket.Upgrader{}
	return []Case{
		{Group: HandshakeGroups()[0], Funcs: []Func{
			{"wss", libs.Ours, func(n int) { acceptAll(n, r, nc) }},
			{"gorilla", libs.Peer, func(n int) {
				for range n {
					if _, err := upgrader.Upgrade(w, r, nil); err != nil {
						panic(err)
					}
				}
			}},
			{"gobwas", libs.Peer, func(n int) {
				for range n {
					if _, _, _, err := ws.UpgradeHTTP(r, w); err != nil {
						panic(err)
					}
				}
			}},
		}},
		{Group: HandshakeGroups()[1], Funcs: []Func{
			{"wss", libs.Ours, func(n int) {
				for range n {
					p := handshake.NewRequestReader(handshake.Limits{})
					if _, done, err := p.Feed([]byte(request)); !done || err != nil {
						panic(err)
					}
					acceptAll(1, p.Request(), nc)
				}
			}},
			{"gobwas", libs.Peer, func(n int) {
				for range n {
					nc.in = request
					if _, err := ws.Upgrade(nc); err != nil {
						panic(err)
					}
				}
			}},
		}},
	}
}

func acceptAll(n int, r *http.Request, w io.Writer) {
	var buf []byte
	for range n {
		a, err := handshake.Accept(r, nil)
		if err != nil {
			panic(err)
		}
		buf = a.AppendResponse(buf[:0])
		_, _ = w.Write(buf)
	}
}

// fakeConn has an input and forgets what is written.
type fakeConn struct {
	net.Conn
	in string
}

func (c *fakeConn) Read(p []byte) (int, error) {
	if c.in == "" {
		return 0, io.EOF
	}
	n := copy(p, c.in)
	c.in = c.in[n:]
	return n, nil
}

func (c *fakeConn) Write(p []byte) (int, error)                    { return len(p), nil }
func (c *fakeConn) SetDeadline(time.Time) error                    { return nil }
func (c *fakeConn) SetWriteDeadline(time.Time) error               { return nil }
func (c *fakeConn) Close() error                                   { return nil }
func (w *hijackable) Header() http.Header                          { return w.header }
func (w *hijackable) Write(p []byte) (int, error)                  { return len(p), nil }
func (w *hijackable) WriteHeader(int)                              {}
func (w *hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.nc, w.rw, nil }

// hijackable is a ResponseWriter that can be taken over again and again.
type hijackable struct {
	nc     net.Conn
	rw     *bufio.ReadWriter
	header http.Header
}
