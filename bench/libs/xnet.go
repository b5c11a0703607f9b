package libs

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"

	"golang.org/x/net/websocket"
)

// golang.org/x/net/websocket, which its own documentation no longer recommends: a Codec's
// Receive and Send, the only way to whole messages of any size. They allocate each, and nothing can be set but the limit. It validates no UTF-8. It cannot
// let its handler return, and knows neither compression nor prepared messages.
func xnetLib() Lib {
	return Lib{
		Name: "x/net", Module: "golang.org/x/net", Kind: Peer,
		Setup: "a Codec that keeps the type of a message; MaxPayloadBytes",
		Serve: func(ln net.Listener, o Options) error {
			server := websocket.Server{Handler: func(c *websocket.Conn) {
				defer o.Hub.Add(xnetConn{c})()
				c.MaxPayloadBytes = messageLimit
				var m xnetMessage
				for {
					if err := xnetCodec.Receive(c, &m); err != nil {
						return
					}
					if err := xnetCodec.Send(c, &m); err != nil {
						return
					}
				}
			}}
			return serveHTTP(ln, o, func(w http.ResponseWriter, r *http.Request) { server.ServeHTTP(w, r) })
		},
		Prepare: func(data []byte) (func(Conn, int) error, error) {
			return times(func(c xnetConn) error { return c.Write(data) }), nil
		},
		Dial: func(ctx context.Context, addr string, cfg *tls.Config) (Conn, error) {
			config, err := websocket.NewConfig("wss://"+addr+"/", "https://"+addr)
			if err != nil {
				return nil, err
			}
			config.TlsConfig = cfg
			c, err := config.DialContext(ctx)
			if err != nil {
				return nil, err
			}
			return xnetConn{c}, nil
		},
	}
}

// xnetMessage is a message with its type, which Message takes from what a program gives it to fill.
type xnetMessage struct {
	data []byte
	typ  byte
}

// xnetCodec does what Message does, and keeps the type.
var xnetCodec = websocket.Codec{
	Marshal: func(v any) ([]byte, byte, error) {
		m := v.(*xnetMessage)
		return m.data, m.typ, nil
	},
	Unmarshal: func(data []byte, typ byte, v any) error {
		*v.(*xnetMessage) = xnetMessage{data, typ}
		return nil
	},
}

type xnetConn struct{ c *websocket.Conn }

func (c xnetConn) Write(p []byte) error { return websocket.Message.Send(c.c, p) }
