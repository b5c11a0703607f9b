package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/http2"
	"github.com/seed-c4549abd/wss/internal/suitecmd"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// list is a flag that may be repeated.
type list []string

func (l *list) String() string         { return strings.Join(*l, ", ") }
func (l *list) Set(value string) error { *l = append(*l, value); return nil }

// dialFlags are the flags of the commands that dial.
type dialFlags struct {
	headers                                       suitecmd.HeaderFlag
	subprotocols                                  list
	origin, proxy, cert, key, ca, pin, serverName string
	insecure, compress                            bool
	version                                       string
	timeout                                       time.Duration
	maxMessage                                    int64
}

func declareDialFlags(flags *flag.FlagSet) *dialFlags {
	d := &dialFlags{}
	flags.Var(&d.headers, "H", suitecmd.HeaderUsage)
	flags.Var(&d.subprotocols, "subprotocol", "offer a subprotocol by its `name` (repeatable, the preferred one first)")
	flags.StringVar(&d.origin, "origin", "", "send this `origin`, as a page of https://example.com would")
	flags.StringVar(&d.proxy, "proxy", "", "`URL` of a proxy (http, https, socks5), or none; default: the environment's")
	flags.StringVar(&d.cert, "cert", "", "PEM `file` with a client certificate")
	flags.StringVar(&d.key, "key", "", "PEM `file` with its private key")
	flags.StringVar(&d.ca, "ca", "", "PEM `file` with the authorities to trust in place of the system's")
	flags.StringVar(&d.pin, "pin", "", "require this public `key` in the server's chain, as wss probe prints it (sha256/…)")
	flags.StringVar(&d.serverName, "server-name", "", "expect a certificate for this `host` in place of the URL's")
	flags.BoolVar(&d.insecure, "insecure", false, "accept any certificate: anyone on the path can then read and change everything")
	flags.BoolVar(&d.compress, "compress", false, "offer permessage-deflate")
	flags.StringVar(&d.version, "http", "1.1", "`version` of HTTP: 1.1, 2 (RFC 8441), or auto for 2 where the server offers it")
	flags.DurationVar(&d.timeout, "timeout", conn.DefaultHandshakeTimeout, "`time` for connecting")
	flags.Int64Var(&d.maxMessage, "max-message", 16<<20, "longest message to receive, in `bytes`")
	return d
}

// options returns what to dial with. It says loudly if certificates are not checked.
func (d *dialFlags) options(c *console, rawURL string) (*conn.DialOptions, error) {
	u, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	switch {
	case (d.cert == "") != (d.key == ""):
		return nil, usagef("-cert and -key go together")
	case d.insecure && (d.ca != "" || d.pin != ""):
		return nil, usagef("-insecure accepts any certificate: leave out -ca and -pin")
	case d.timeout <= 0 || d.maxMessage <= 0:
		return nil, usagef("-timeout and -max-message must be more than zero")
	}
	multiplexer, err := d.multiplexer(u)
	if err != nil {
		return nil, err
	}
	o := &conn.DialOptions{Multiplexer: multiplexer, Subprotocols: d.subprotocols, HandshakeTimeout: d.timeout, MessageLimit: d.maxMessage}
	if o.Header, err = d.header(); err != nil {
		return nil, err
	}
	if hosts := o.Header["Host"]; len(hosts) > 0 {
		o.Host = hosts[0]
		o.Header.Del("Host")
	}
	if d.compress {
		o.Compression.Mode = conn.CompressionTakeover
	}
	if o.Proxy, err = parseProxy(d.proxy); err != nil {
		return nil, err
	}
	if o.TLS, err = d.tls(u.Hostname()); err != nil {
		return nil, err
	}
	if d.insecure {
		c.note("WARNING: -insecure: the server's certificate is not checked. Anyone on the path can read and change everything.")
	}
	return o, nil
}

// multiplexer returns what opens WebSockets over HTTP/2, or nil for HTTP/1.1.
func (d *dialFlags) multiplexer(u *url.URL) (conn.Multiplexer, error) {
	switch d.version {
	case "", "1.1":
		return nil, nil
	case "2":
		if u.Scheme != "wss" {
			return nil, usagef("-http 2 needs a wss URL")
		}
		return &http2.Pool{Require: true}, nil
	case "auto":
		return &http2.Pool{}, nil
	}
	return nil, usagef("-http takes 1.1, 2 or auto, not %q", d.version)
}

// parseURL returns a URL that can be dialed, with the scheme ws or wss, or a mistake of the user. https means wss, as in browsers. http is
// refused, since whoever copies it from a browser's address does not ask for a connection without encryption.
func parseURL(rawURL string) (*url.URL, error) {
	u, err := handshake.ParseURL(rawURL)
	if err == nil {
		_, err = handshake.NewRequest(u, nil) // checks the host
	}
	if err != nil {
		return nil, usagef("%v", err)
	}
	switch u.Scheme {
	case "http":
		return nil, usagef("http is not encrypted: use wss://%s, or ws://%s if that is meant", u.Host, u.Host)
	case "https":
		u.Scheme = "wss"
	}
	return u, nil
}

// header returns the fields of -H and -origin.
func (d *dialFlags) header() (http.Header, error) {
	h, err := d.headers.Fields()
	if errors.Is(err, suitecmd.ErrHeader) {
		return nil, usagef("%v", err)
	}
	if err != nil {
		return nil, err
	}
	if d.origin != "" {
		h.Set("Origin", d.origin)
	}
	return h, nil
}

// parseProxy returns the proxy to use. Empty means the environment's.
func parseProxy(text string) (func(*http.Request) (*url.URL, error), error) {
	switch text {
	case "":
		return conn.ProxyFromEnvironment, nil
	case "none":
		return http.ProxyURL(nil), nil
	}
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, usagef("-proxy takes a URL such as http://proxy.example:3128")
	}
	return http.ProxyURL(u), nil
}

// tls returns the configuration for a host. TLS 1.2 is accepted, as it is by browsers.
func (d *dialFlags) tls(host string) (*tls.Config, error) {
	o := tlsconf.ClientOptions{Profile: tlsconf.Intermediate, ServerName: d.serverName}
	if d.pin != "" {
		o.Pins = []string{d.pin}
	}
	if d.cert != "" {
		pair, err := tls.LoadX509KeyPair(d.cert, d.key)
		if err != nil {
			return nil, err
		}
		o.Certificates = []tls.Certificate{pair}
	}
	if d.insecure {
		return &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12, ServerName: d.serverName, Certificates: o.Certificates}, nil
	}
	var err error
	if o.RootCAs, err = authorities(d.ca, host); err != nil {
		return nil, err
	}
	return tlsconf.Client(o)
}

// authorities returns the authorities of a file, or nil for those of the system. For a host on this machine, the development
// authority that wss serve has made is trusted too.
func authorities(file, host string) (*x509.CertPool, error) {
	if file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(data) {
			return nil, fmt.Errorf("%s holds no certificate in PEM", file)
		}
		return pool, nil
	}
	if !onThisMachine(host) {
		return nil, nil
	}
	own := developmentAuthority()
	if own == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(own)
	if err != nil {
		return nil, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pool.AppendCertsFromPEM(pem)
	return pool, nil
}

// onThisMachine reports whether a host is this machine by its name: localhost, or a loopback address.
func onThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// developmentAuthority returns the file of the development authority's certificate, or "" if there is none that can be used. A client
// does not make one.
func developmentAuthority() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	if _, err := os.Stat(filepath.Join(dir, "wss", "ca.pem")); err != nil {
		return ""
	}
	dev, err := tlsconf.Development(tlsconf.DevOptions{}) // checks the owner
	if err != nil {
		return ""
	}
	return dev.CAFile()
}
