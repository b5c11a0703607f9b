package libs

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

// gorilla/websocket, by the section "Buffers" of its documentation: buffers as large as
// the messages that are expected (here up to a TLS record), and for "a modest number of
// writes over a large number of connections" a pool of write buffers, so that a connection
// holds one only while it writes, and the HTTP server's read buffer, used again. (The pool
// costs an allocation for each message, so few connections go without.) A message is read through
// NextReader into a buffer that is kept, and sent by WriteMessage, which is "fast path
// with no allocations and single frame". It has no UTF-8 validation of its own. Writers
// must be serialised by the user, so they share a mutex where there are several. What goes
// to many connections is a PreparedMessage.
// Compression is without context takeover: the package has no other.
func gorillaLib() Lib {
	return Lib{
		Name: "gorilla", Module: "github.com/gorilla/websocket", Kind: Peer,
		Setup: "NextReader into a kept buffer, WriteMessage; buffers of 4 to 16 KiB by the size of messages; WriteBufferPool for many connections",
		Serve: func(ln net.Listener, o Options) error {
			upgrader := websocket.Upgrader{
				ReadBufferSize: bufferSize(o.Message), WriteBufferSize: bufferSize(o.Message),
				EnableCompression: o.Deflate,
			}
			if o.Many {
				upgrader.ReadBufferSize, upgrader.WriteBufferPool = 0, &sync.Pool{}
			}
			return serveHTTP(ln, o, func(w http.ResponseWriter, r *http.Request) {
				c, err := upgrader.Upgrade(w, r, nil)
				if err != nil {
					return
				}
				go gorillaEcho(c, o.Hub, o.limit()) // the handler returns, and net/http's memory is freed
			})
		},
		Prepare: func(data []byte) (func(Conn, int) error, error) {
			m, err := websocket.NewPreparedMessage(websocket.BinaryMessage, data)
			return times(func(c *gorillaConn) error {
				c.mu.Lock()
				defer c.mu.Unlock()
				return c.c.WritePreparedMessage(m)
			}), err
		},
		Dial: gorillaDial,
	}
}

func gorillaEcho(c *websocket.Conn, hub *Hub, limit int64) {
	defer c.Close()
	defer hub.Add(&gorillaConn{c: c})()
	c.SetReadLimit(limit)
	var buf []byte
	for {
		typ, r, err := c.NextReader()
		if err != nil {
			return
		}
		if buf, err = readAll(r, buf[:0]); err != nil {
			return
		}
		if err := c.WriteMessage(typ, buf); err != nil {
			return
		}
	}
}

type gorillaConn struct {
	mu sync.Mutex
	c  *websocket.Conn
}

func (c *gorillaConn) Write(p []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.c.WriteMessage(websocket.BinaryMessage, p)
}

func gorillaDial(ctx context.Context, addr string, cfg *tls.Config) (Conn, error) {
	d := websocket.Dialer{TLSClientConfig: cfg, WriteBufferSize: 64<<10 + 14, WriteBufferPool: &sync.Pool{}}
	c, _, err := d.DialContext(ctx, "wss://"+addr+"/", nil)
	if err != nil {
		return nil, err
	}
	return &gorillaConn{c: c}, nil
}
