package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// linkPath is where our server echoes; its query names the link.
const linkPath = "/connection"

// echoes is our server for clients that compress. It takes the settings of each
// connection from its link.
type echoes struct {
	url   string // with the scheme wss
	port  int
	links []*link
	seen  []chan sighting // by link
	mux   *http.ServeMux
	http  *http.Server
}

// sighting is how a connection went, as our server saw it.
type sighting struct {
	compressed bool
	stats      conn.Stats
	err        error
}

func startEchoes(ca *tlsconf.DevCA, links []*link) (*echoes, error) {
	cfg, err := tlsconf.Server(tlsconf.ServerOptions{Profile: tlsconf.Intermediate, GetCertificate: ca.GetCertificate})
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &echoes{port: ln.Addr().(*net.TCPAddr).Port, links: links, mux: http.NewServeMux()}
	s.url = fmt.Sprintf("wss://localhost:%d", s.port)
	for range links {
		s.seen = append(s.seen, make(chan sighting, 1))
	}
	s.mux.HandleFunc(linkPath, s.serve)
	s.http = &http.Server{Handler: s.mux, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = s.http.Serve(tls.NewListener(conn.NewListener(ln), cfg)) }()
	return s, nil
}

func (s *echoes) close() error { return s.http.Close() }

func (s *echoes) serve(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.URL.Query().Get("id"))
	if err != nil || id < 0 || id >= len(s.links) {
		http.Error(w, "no such link", http.StatusNotFound)
		return
	}
	c, err := conn.Accept(w, r, &conn.AcceptOptions{Compression: s.links[id].ours, MessageLimit: messageLimit})
	if err != nil {
		s.note(id, sighting{err: err})
		return
	}
	defer c.CloseNow()
	err = echo(c.Context(), c, r)
	if conn.CloseStatus(err) == conn.StatusNormalClosure {
		err = nil
	}
	s.note(id, sighting{compressed: c.Compressed(), stats: c.Stats(), err: err})
}

// note keeps the first sighting of a link.
func (s *echoes) note(id int, saw sighting) {
	select {
	case s.seen[id] <- saw:
	default:
	}
}

// saw checks what our server saw of a link.
func (s *echoes) saw(ctx context.Context, l *link, messages int) error {
	select {
	case saw := <-s.seen[l.ID]:
		switch {
		case saw.err != nil:
			return fmt.Errorf("our server saw %w", saw.err)
		case !saw.compressed:
			return errors.New("our server did not compress")
		}
		return smaller(saw.stats, messages)
	case <-ctx.Done():
		return fmt.Errorf("our server saw no end: %w", context.Cause(ctx))
	}
}

// smaller checks that what went over the wire, with TLS and the handshake, was less
// than the messages: in both directions, so that both sides did compress.
func smaller(stats conn.Stats, messages int) error {
	switch {
	case stats.MessagesIn != int64(messages) || stats.MessagesOut != int64(messages):
		return fmt.Errorf("we counted %d messages in and %d out, want %d", stats.MessagesIn, stats.MessagesOut, messages)
	case stats.WireIn >= stats.PayloadIn:
		return fmt.Errorf("%d bytes came in for %d of messages: the peer did not compress", stats.WireIn, stats.PayloadIn)
	case stats.WireOut >= stats.PayloadOut:
		return fmt.Errorf("%d bytes went out for %d of messages: we did not compress", stats.WireOut, stats.PayloadOut)
	}
	return nil
}
