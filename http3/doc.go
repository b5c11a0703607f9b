// Package http3 carries WebSockets as streams of HTTP/3 connections (RFC 9220), on quic-go. It is experimental: its API may change, and no
// browser opens WebSockets over HTTP/3 yet.
//
// For most uses, a server sets quic-go's up by one line; handlers stay as they are, and conn.Accept takes all kinds of requests:
//
//	srv := &http3.Server{Addr: ":443", Handler: mux, TLSConfig: cfg} // of quic-go
//	wsshttp3.Configure(srv)
//
// A client gives its dials a [Pool], which opens WebSockets to one host as streams of shared connections:
//
//	pool := &http3.Pool{}
//	defer pool.Close()
//	c, _, err := conn.Dial(ctx, "wss://example.com/chat", &conn.DialOptions{Multiplexer: pool})
package http3
