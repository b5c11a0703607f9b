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
//   - wss: the callback loop, Serve. For messages from many connections this is the way.
//   - wss-plain: ReadInto with a buffer that is used again, and Write.
//   - wss-stream: Reader to Writer, for messages too large to be held.
//   - wss-upgrade: Serve again, but Upgrade in place of net/http.
//
// All stand over NewListener, below TLS. Everything else is the default: UTF-8 is
// validated, messages are limited to 1 MiB, pings are sent.
const wssModule = "github.com/seed-c4549abd/wss"

func wssLib(name, setup string, handle func(c *conn.Conn) error) Lib {
	return Lib{
		Name: name, Module: wssModule, Kind: Ours, Setup: setup, Takeover: true, Windows: true,
		Serve: func(ln net.Listener, o Options) error {
			options := wssOptions(o)
			return serveHTTP(conn.NewListener(ln), o, func(w http.ResponseWriter, r *http.Request) {
				c, err := conn.Accept(w, r, options)
				if err != nil {
					return
				}
				defer o.Hub.Add(wssConn{c})()
				_ = handle(c)
				_ = c.CloseNow()
			})
		},
		Dial: wssDial,
	}
}

func wssOptions(o Options) *conn.AcceptOptions {
	options := &conn.AcceptOptions{}
	if o.Deflate {
		options.Compression = conn.Compression{
			Mode: conn.CompressionTakeover, WindowBits: o.WindowBits, PeerWindowBits: o.WindowBits,
		}
	}
	return options
}

// wssConn adapts a connection for servers and clients that speak first.
type wssConn struct{ c *conn.Conn }

func (c wssConn) Write(p []byte) error { return c.c.Write(context.Background(), conn.Binary, p) }

func wssServe() Lib {
	return wssLib("wss", "Accept behind net/http, Serve", func(c *conn.Conn) error {
		return c.Serve(context.Background(), wssEcho)
	})
}

func wssEcho(c *conn.Conn, m conn.Message) error {
	return c.Write(context.Background(), m.Type, m.Data)
}

func wssPlain() Lib {
	return wssLib("wss-plain", "Accept behind net/http, ReadInto and Write", func(c *conn.Conn) error {
		ctx, buf := context.Background(), []byte(nil)
		for {
			typ, data, err := c.ReadInto(ctx, buf)
			if err != nil {
				return err
			}
			if err := c.Write(ctx, typ, data); err != nil {
				return err
			}
			buf = data
		}
	})
}

func wssStream() Lib {
	return wssLib("wss-stream", "Accept behind net/http, Reader to Writer with a buffer of 32 KiB", func(c *conn.Conn) error {
		ctx, buf := context.Background(), make([]byte, 32<<10)
		for {
			typ, r, err := c.Reader(ctx)
			if err != nil {
				return err
			}
			w, err := c.Writer(ctx, typ)
			if err != nil {
				return err
			}
			if _, err := io.CopyBuffer(w, r, buf); err != nil {
				return err
			}
			if err := w.Close(); err != nil {
				return err
			}
		}
	})
}

func wssUpgrade() Lib {
	l := wssServe()
	l.Name, l.Setup = "wss-upgrade", "Upgrade without net/http, Serve"
	l.Serve = func(ln net.Listener, o Options) error {
		options := wssOptions(o)
		return serveConns(conn.NewListener(ln), o, func(nc net.Conn) {
			if c, err := conn.Upgrade(context.Background(), nc, options); err == nil {
				_ = c.Serve(context.Background(), wssEcho)
				_ = c.CloseNow()
			}
		})
	}
	return l
}

func wssDial(ctx context.Context, addr string, cfg *tls.Config) (Conn, error) {
	c, _, err := conn.Dial(ctx, "wss://"+addr+"/", &conn.DialOptions{TLS: cfg})
	if err != nil {
		return nil, err
	}
	return wssConn{c}, nil
}
