package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// Limits of every call: far beyond what a loaded machine needs, well within the time
// after which the run has to end.
const (
	patience     = 20 * time.Second
	closeTimeout = 15 * time.Second
)

// Sizes of the kernel's buffers, so that a peer that does not read is noticed soon. A
// receive buffer less than a few segments, which are 64 KiB on loopback, would slow TCP
// down to its probe timer.
const (
	sendBuffer    = 64 << 10
	receiveBuffer = 192 << 10
)

// server is the server's half: one group behind two listeners, one of net/http's and one
// of Upgrade's.
type server struct {
	s           *soak
	group       conn.Group
	http        *http.Server
	httpURL     string
	upgradeURL  string
	upgrades    net.Listener
	accepting   sync.WaitGroup
	client      *tls.Config // full handshakes
	resume      *tls.Config // resumes sessions
	subscribers sync.Map    // *conn.Conn → *life
}

// narrow is a listener whose sockets have small send buffers.
type narrow struct{ net.Listener }

func (l narrow) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if tc, ok := nc.(*net.TCPConn); ok {
		_ = tc.SetWriteBuffer(sendBuffer)
	}
	return nc, err
}

func startServer(s *soak) (*server, error) {
	v := &server{s: s}
	cfg, err := v.configs()
	if err != nil {
		return nil, err
	}
	var listeners [2]net.Listener
	for i := range listeners {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		listeners[i] = tls.NewListener(conn.NewListener(narrow{ln}), cfg)
	}
	v.httpURL = fmt.Sprintf("wss://localhost:%d", listeners[0].Addr().(*net.TCPAddr).Port)
	v.upgradeURL = fmt.Sprintf("wss://localhost:%d", listeners[1].Addr().(*net.TCPAddr).Port)
	v.http = &http.Server{
		Handler: http.HandlerFunc(v.accept), ReadHeaderTimeout: patience,
		ErrorLog: log.New(io.Discard, "", 0), // handshakes that break off are no news
	}
	v.upgrades = listeners[1]
	v.accepting.Go(func() { _ = v.http.Serve(listeners[0]) })
	v.accepting.Go(v.acceptUpgrades)
	return v, nil
}

func (v *server) configs() (*tls.Config, error) {
	ca, err := tlsconf.Development(tlsconf.DevOptions{InMemory: true})
	if err != nil {
		return nil, err
	}
	o := tlsconf.ClientOptions{Profile: tlsconf.Intermediate, RootCAs: ca.Pool(), ServerName: "localhost"}
	if v.client, err = tlsconf.Client(o); err != nil {
		return nil, err
	}
	o.SessionCache = tls.NewLRUClientSessionCache(2)
	if v.resume, err = tlsconf.Client(o); err != nil {
		return nil, err
	}
	return tlsconf.Server(tlsconf.ServerOptions{Profile: tlsconf.Intermediate, GetCertificate: ca.GetCertificate})
}

func (v *server) close() {
	_ = v.http.Close()
	_ = v.upgrades.Close()
	v.accepting.Wait() // for long only if a handler does not end: the guard names it
}

// options are those of one connection. Check tells whose it is.
func (v *server) options(query url.Values, check func(*http.Request) error) *conn.AcceptOptions {
	o := &conn.AcceptOptions{
		Group: &v.group, Check: check,
		Compression:      conn.Compression{Mode: conn.CompressionTakeover},
		HandshakeTimeout: patience, CloseTimeout: closeTimeout, QueueLimit: 64 << 10,
		PingInterval: 2 * time.Second, PongTimeout: patience,
	}
	switch query.Get("policy") {
	case "drop":
		o.WhenFull = conn.DropWhenFull
	case "block":
		o.WhenFull = conn.BlockWhenFull
	}
	if query.Has("hasty") { // a peer that does not come back is given up soon
		o.CloseTimeout = 500 * time.Millisecond
	}
	return o
}

// find returns the life that a request belongs to.
func (v *server) find(r *http.Request) *life {
	id, _ := strconv.ParseUint(r.URL.Query().Get("id"), 10, 32)
	return v.s.lives.get(uint32(id))
}

func (v *server) accept(w http.ResponseWriter, r *http.Request) {
	l := v.find(r)
	if l == nil {
		http.NotFound(w, r)
		return
	}
	o := v.options(r.URL.Query(), nil)
	o.Observer = l.server
	if c, err := conn.Accept(w, r, o); err == nil {
		v.handle(c, l, r.URL)
	}
}

// acceptUpgrades is a server without net/http.
func (v *server) acceptUpgrades() {
	for {
		nc, err := v.upgrades.Accept()
		if err != nil {
			return
		}
		v.accepting.Go(func() { v.upgrade(nc) })
	}
}

// late is an observer that learns only from the request who it works for.
type late struct{ *side }

func (v *server) upgrade(nc net.Conn) {
	var l *life
	var u *url.URL
	ear := &late{}
	o := v.options(url.Values{"policy": {"drop"}}, func(r *http.Request) error {
		if l, u = v.find(r), r.URL; l == nil {
			return fmt.Errorf("no connection %s", r.URL)
		}
		ear.side = l.server
		return nil
	})
	o.Observer = ear
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if c, err := conn.Upgrade(ctx, nc, o); err == nil {
		v.handle(c, l, u)
	}
}

// Refused may be called before Check was.
func (late) Refused(*http.Request, *conn.HandshakeError) {}
