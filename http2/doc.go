// Package http2 carries WebSockets as streams of HTTP/2 connections (RFC 8441): one TLS connection for a page, its requests and all its
// WebSockets.
//
// For most uses, a server needs two lines. The first has net/http offer it, the second sets an http.Server up; handlers stay as
// they are, and conn.Accept takes both kinds of requests:
//
//	import _ "github.com/seed-c4549abd/wss/http2/enable"
//
//	err := http2.Configure(srv)
//
// A client gives its dials a [Pool], which opens WebSockets to one host as streams of shared connections:
//
//	pool := &http2.Pool{}
//	defer pool.Close()
//	c, _, err := conn.Dial(ctx, "wss://example.com/chat", &conn.DialOptions{Multiplexer: pool})
//
// [conn.Conn.HTTPVersion] tells what a connection uses. docs/how-to/http2.md has what changes for routes, middleware, proxies and limits.
package http2
