package libs

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
)

// serveHTTP is the stock server that everything stands behind.
func serveHTTP(ln net.Listener, o Options, h http.HandlerFunc) error {
	if o.TLS != nil {
		ln = tls.NewListener(ln, o.TLS)
	}
	srv := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	return srv.Serve(ln)
}

// serveConns is a server without net/http: a goroutine for each connection, which handle
// is to close.
func serveConns(ln net.Listener, o Options, handle func(net.Conn)) error {
	if o.TLS != nil {
		ln = tls.NewListener(ln, o.TLS)
	}
	for {
		nc, err := ln.Accept()
		if err != nil {
			return err
		}
		go handle(nc)
	}
}

// readAll reads r to its end into buf, which grows as needed and is meant to be used
// again.
func readAll(r io.Reader, buf []byte) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, make([]byte, max(len(buf), 512))...)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err != nil {
			if err == io.EOF {
				err = nil
			}
			return buf, err
		}
	}
}

// bufferSize is the size for messages of n bytes, between the 4 KiB that is usual and a
// TLS record's 16 KiB: more than that a read of a tls.Conn never returns.
func bufferSize(n int) int { return min(max(n+14, 4096), 16<<10) }

// times makes a function that hands a message over n times, where a library has no way to
// hand over several at once.
func times[C Conn](send func(c C) error) func(Conn, int) error {
	return func(c Conn, n int) error {
		for range n {
			if err := send(c.(C)); err != nil {
				return err
			}
		}
		return nil
	}
}
