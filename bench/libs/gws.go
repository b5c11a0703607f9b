package libs

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/lxzan/gws"
)

// lxzan/gws, by its README: the event handler, ReadLoop in a goroutine of its own, so
// that net/http's memory is freed, messages closed after use, which returns their buffers
// to a pool. Messages are handled one after the other: ParallelEnabled would start a
// goroutine for each, and echo out of order. The read buffer is as large as the messages
// that are expected, up to a TLS record. UTF-8 is checked. With compression it keeps
// windows of 4 KiB unless it is told otherwise. What goes to many connections is a
// Broadcaster.
func gwsLib() Lib {
	return Lib{
		Name: "gws", Module: "github.com/lxzan/gws", Kind: Peer, Takeover: true, Windows: true,
		Setup: "ReadLoop in a goroutine, WriteMessage, message.Close; CheckUtf8Enabled, read buffers of 4 to 16 KiB by the size of messages",
		Serve: func(ln net.Listener, o Options) error {
			upgrader := gws.NewUpgrader(&gwsEcho{hub: o.Hub}, gwsOptions(o))
			return serveHTTP(ln, o, func(w http.ResponseWriter, r *http.Request) {
				if c, err := upgrader.Upgrade(w, r); err == nil {
					go c.ReadLoop()
				}
			})
		},
		Prepare: func(data []byte) (func(Conn, int) error, error) {
			b := gws.NewBroadcaster(gws.OpcodeBinary, data)
			return times(func(c gwsConn) error { return b.Broadcast(c.c) }), nil
		},
		Dial: func(_ context.Context, addr string, cfg *tls.Config) (Conn, error) {
			c, _, err := gws.NewClient(&gws.BuiltinEventHandler{}, &gws.ClientOption{
				Addr: "wss://" + addr + "/", TlsConfig: cfg, CheckUtf8Enabled: true, HandshakeTimeout: 10 * time.Second,
			})
			if err != nil {
				return nil, err
			}
			go c.ReadLoop()
			return gwsConn{c}, nil
		},
	}
}

func gwsOptions(o Options) *gws.ServerOption {
	options := &gws.ServerOption{
		CheckUtf8Enabled: true, ReadMaxPayloadSize: messageLimit, WriteMaxPayloadSize: messageLimit,
		ReadBufferSize: bufferSize(o.Message),
	}
	if o.Deflate {
		options.PermessageDeflate = gws.PermessageDeflate{
			Enabled: true, ServerContextTakeover: true, ClientContextTakeover: true,
			ServerMaxWindowBits: o.WindowBits, ClientMaxWindowBits: o.WindowBits,
		}
	}
	return options
}

type gwsEcho struct {
	gws.BuiltinEventHandler
	hub *Hub
}

func (h *gwsEcho) OnOpen(c *gws.Conn) {
	if h.hub != nil {
		c.Session().Store("remove", h.hub.Add(gwsConn{c}))
	}
}

func (h *gwsEcho) OnClose(c *gws.Conn, _ error) {
	if remove, ok := c.Session().Load("remove"); ok {
		remove.(func())()
	}
}

func (h *gwsEcho) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	_ = c.WriteMessage(m.Opcode, m.Bytes())
}

type gwsConn struct{ c *gws.Conn }

func (c gwsConn) Write(p []byte) error { return c.c.WriteMessage(gws.OpcodeBinary, p) }
