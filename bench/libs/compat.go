package libs

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"

	"github.com/seed-c4549abd/wss/conn"

	websocket "github.com/seed-c4549abd/wss/compat/gorilla"
)

// compat/gorilla, used as gorilla is, but for the mutex: writers need none.
//
//   - compat: over NewListener.
//   - compat-stock: over the stock listener, as a program that changes nothing but its go.mod.

// Compat returns the drop-in for gorilla. Only the tables of -compat contain it.
func Compat() []Lib {
	return []Lib{compatLib("compat", conn.NewListener), compatLib("compat-stock", func(ln net.Listener) net.Listener { return ln })}
}

func compatLib(name string, listener func(net.Listener) net.Listener) Lib {
	return Lib{
		Name: name, Module: wssModule, Kind: Ours,
		Setup: "as gorilla, without the mutex of writers",
		Serve: func(ln net.Listener, o Options) error {
			upgrader := websocket.Upgrader{WriteBufferSize: bufferSize(o.Message), EnableCompression: o.Deflate}
			if o.Many {
				upgrader.WriteBufferPool = &sync.Pool{}
			}
			return serveHTTP(listener(ln), o, func(w http.ResponseWriter, r *http.Request) {
				if c, err := upgrader.Upgrade(w, r, nil); err == nil {
					go compatEcho(c, o.Hub, o.limit())
				}
			})
		},
		Prepare: func(data []byte) (func(Conn, int) error, error) {
			m, err := websocket.NewPreparedMessage(websocket.BinaryMessage, data)
			return times(func(c compatConn) error { return c.c.WritePreparedMessage(m) }), err
		},
		Dial: func(ctx context.Context, addr string, cfg *tls.Config) (Conn, error) {
			c, _, err := (&websocket.Dialer{TLSClientConfig: cfg}).DialContext(ctx, "wss://"+addr+"/", nil)
			if err != nil {
				return nil, err
			}
			return compatConn{c}, nil
		},
	}
}

func compatEcho(c *websocket.Conn, hub *Hub, limit int64) {
	defer c.Close()
	defer hub.Add(compatConn{c})()
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

type compatConn struct{ c *websocket.Conn }

func (c compatConn) Write(p []byte) error { return c.c.WriteMessage(websocket.BinaryMessage, p) }
