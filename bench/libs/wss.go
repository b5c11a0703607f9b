package libs

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"

	"github.com/seed-c4549abd/wss/conn"
)

// This library, in the ways that its documentation offers to read and answer:
//
//   - wss: the callback loop on a goroutine of its own, Go, which is Serve for handlers
//     that return. For messages from many connections this is the way.
//   - wss-plain: ReadInto with a buffer that is used again, and Write.
//   - wss-stream: Reader to Writer, for messages too large to be held.
//   - wss-upgrade: Go again, but Upgrade in place of net/http.
//
// All stand over NewListener, below TLS. Everything else is the default: UTF-8 is
// validated, messages are limited to 1 MiB, pings are sent.
const wssModule = "github.com/seed-c4549abd/wss"

// wssLib is a way to use the library; handle takes the connection over, and calls ended
// when it is through with it.
func wssLib(name, setup string, handle func(c *conn.Conn, ended func(error))) Lib {
	return Lib{
		Name: name, Module: wssModule, Kind: Ours, Setup: setup, Takeover: true, Windows: true,
		Serve: func(ln net.Listener, o Options) error {
			options := wssOptions(o)
			return serveHTTP(conn.NewListener(ln), o, func(w http.ResponseWriter, r *http.Request) {
				if c, err := conn.Accept(w, r, options); err == nil {
					handle(c, wssEnded(c, o.Hub))
				}
			})
		},
		Prepare: wssPrepare,
		Dial:    wssDial,
	}
}

func wssOptions(o Options) *conn.AcceptOptions {
	options := &conn.AcceptOptions{MessageLimit: o.limit()}
	if o.Deflate {
		options.Compression = conn.Compression{
			Mode: conn.CompressionTakeover, WindowBits: o.WindowBits, PeerWindowBits: o.WindowBits,
		}
	}
	return options
}

// wssEnded notes a connection, if that is wanted, until the function is called.
func wssEnded(c *conn.Conn, hub *Hub) func(error) {
	if hub == nil {
		return nil
	}
	remove := hub.Add(wssConn{c})
	return func(error) { remove() }
}

// wssConn adapts a connection for servers and clients that speak first.
type wssConn struct{ c *conn.Conn }

func (c wssConn) Write(p []byte) error { return c.c.Write(context.Background(), conn.Binary, p) }

func wssServe() Lib {
	return wssLib("wss", "Accept behind net/http, Go", func(c *conn.Conn, ended func(error)) {
		c.ServeInBackground(wssEcho, ended)
	})
}

func wssEcho(c *conn.Conn, m conn.Message) error {
	return c.Write(context.Background(), m.Type, m.Data)
}

func wssPlain() Lib {
	return wssLib("wss-plain", "Accept behind net/http, ReadInto and Write in a goroutine", func(c *conn.Conn, _ func(error)) {
		go func() { // the handler returns, and net/http's memory is freed
			defer c.CloseNow()
			ctx, buf := context.Background(), []byte(nil)
			for {
				typ, data, err := c.ReadInto(ctx, buf)
				if err != nil {
					return
				}
				if err := c.Write(ctx, typ, data); err != nil {
					return
				}
				buf = data
			}
		}()
	})
}

func wssStream() Lib {
	const setup = "Accept behind net/http, Reader to Writer with a buffer of 32 KiB in a goroutine"
	return wssLib("wss-stream", setup, func(c *conn.Conn, _ func(error)) {
		go func() {
			defer c.CloseNow()
			for buf := make([]byte, 32<<10); wssCopy(c, buf) == nil; {
			}
		}()
	})
}

// wssCopy echoes a message without holding it.
func wssCopy(c *conn.Conn, buf []byte) error {
	typ, r, err := c.Reader(context.Background())
	if err != nil {
		return err
	}
	w, err := c.Writer(context.Background(), typ)
	if err != nil {
		return err
	}
	if _, err := io.CopyBuffer(w, r, buf); err != nil {
		return err
	}
	return w.Close()
}

func wssUpgrade() Lib {
	l := wssServe()
	l.Name, l.Setup = "wss-upgrade", "Upgrade without net/http, Go"
	l.Serve = func(ln net.Listener, o Options) error {
		options := wssOptions(o)
		return serveConns(conn.NewListener(ln), o, func(nc net.Conn) {
			if c, err := conn.Upgrade(context.Background(), nc, options); err == nil {
				c.ServeInBackground(wssEcho, wssEnded(c, o.Hub))
			}
		})
	}
	return l
}

// wssPrepare is Prepare and Send: one after the other goes in one call.
func wssPrepare(data []byte) (func(Conn, int) error, error) {
	p, err := conn.Prepare(conn.Binary, data)
	if err != nil {
		return nil, err
	}
	burst := make([]*conn.Prepared, 0, 64)
	return func(c Conn, n int) error {
		for len(burst) < n {
			burst = append(burst, p)
		}
		return c.(wssConn).c.Send(context.Background(), burst[:n]...)
	}, nil
}

func wssDial(ctx context.Context, addr string, cfg *tls.Config) (Conn, error) {
	c, _, err := conn.Dial(ctx, "wss://"+addr+"/", &conn.DialOptions{TLS: cfg})
	if err != nil {
		return nil, err
	}
	return wssConn{c}, nil
}
