package libs

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"

	"github.com/coder/websocket"
)

// coder/websocket, by its README ("Zero alloc reads and writes", "Concurrent writes"):
// Reader into a buffer that is kept, and Write, with a context that cannot end, as one
// that can costs a registration for every call. Compression is off unless it is asked
// for, as its documentation advises. It has no UTF-8 validation, and its buffers cannot
// be chosen, nor a message prepared for many connections: Write it is there too.
func coderLib() Lib {
	return Lib{
		Name: "coder", Module: "github.com/coder/websocket", Kind: Peer, Takeover: true,
		Setup: "Reader into a kept buffer, Write; a context that cannot end",
		Serve: func(ln net.Listener, o Options) error {
			options := &websocket.AcceptOptions{}
			if o.Deflate {
				options.CompressionMode = websocket.CompressionContextTakeover
			}
			return serveHTTP(ln, o, func(w http.ResponseWriter, r *http.Request) {
				c, err := websocket.Accept(w, r, options)
				if err != nil {
					return
				}
				go coderEcho(c, o.Hub, o.limit()) // the handler returns, and net/http's memory is freed
			})
		},
		Prepare: func(data []byte) (func(Conn, int) error, error) {
			return times(func(c coderConn) error { return c.Write(data) }), nil
		},
		Dial: func(ctx context.Context, addr string, cfg *tls.Config) (Conn, error) {
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: cfg}}
			c, _, err := websocket.Dial(ctx, "wss://"+addr+"/", &websocket.DialOptions{HTTPClient: client})
			if err != nil {
				return nil, err
			}
			return coderConn{c}, nil
		},
	}
}

func coderEcho(c *websocket.Conn, hub *Hub, limit int64) {
	defer c.CloseNow()
	defer hub.Add(coderConn{c})()
	c.SetReadLimit(limit + 1)
	ctx, buf := context.Background(), []byte(nil)
	for {
		typ, r, err := c.Reader(ctx)
		if err != nil {
			return
		}
		if buf, err = readAll(r, buf[:0]); err != nil {
			return
		}
		if err := c.Write(ctx, typ, buf); err != nil {
			return
		}
	}
}

type coderConn struct{ c *websocket.Conn }

func (c coderConn) Write(p []byte) error {
	return c.c.Write(context.Background(), websocket.MessageBinary, p)
}
