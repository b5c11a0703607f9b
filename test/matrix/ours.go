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
	"path/filepath"
	"strconv"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/test/ports"
	"github.com/seed-c4549abd/wss/test/process"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// servers are our servers, one for each way of TLS. They hand each connection to the check that its path names.
type servers struct {
	ca, other *tlsconf.DevCA
	certFile  string // the certificate of ca's for localhost, and its key
	url       [securities]string
	http      [securities]*http.Server
	accepted  chan arrival
}

// arrival is a connection that a peer has opened.
type arrival struct {
	path string
	c    *conn.Conn
	over chan struct{} // closed when the check is done with it
}

func newServers(work string) (*servers, error) {
	s := &servers{accepted: make(chan arrival), certFile: filepath.Join(work, "ca", "localhost.pem")}
	var err error
	if s.ca, err = tlsconf.Development(tlsconf.DevOptions{Dir: filepath.Join(work, "ca")}); err != nil {
		return nil, err
	}
	if s.other, err = tlsconf.Development(tlsconf.DevOptions{Dir: filepath.Join(work, "other-ca")}); err != nil {
		return nil, err
	}
	for _, ca := range []*tlsconf.DevCA{s.ca, s.other} {
		if _, err := ca.Certificate(); err != nil { // its files are there from now on
			return nil, err
		}
	}
	for i := range s.url {
		ca := s.ca
		if security(i) == wrongCA {
			ca = s.other
		}
		cfg, err := tlsconf.Server(tlsconf.ServerOptions{Profile: tlsconf.Intermediate, GetCertificate: ca.GetCertificate})
		if err != nil {
			return nil, err
		}
		if security(i) == tls12 {
			cfg.MaxVersion = tls.VersionTLS12
		}
		ln, err := ports.Listen()
		if err != nil {
			return nil, err
		}
		s.url[i] = fmt.Sprintf("wss://localhost:%d", ln.Addr().(*net.TCPAddr).Port)
		// A client that refuses our certificate is one of the checks, and no news.
		s.http[i] = &http.Server{Handler: s, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute}
		go func() { _ = s.http[i].Serve(tls.NewListener(conn.NewListener(ln), cfg)) }()
	}
	return s, nil
}

func (s *servers) close() {
	for _, srv := range s.http {
		_ = srv.Close()
	}
}

// ServeHTTP hands a connection over, and stays until the check is done with it.
func (s *servers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(filepath.Base(r.URL.Path))
	if err != nil || n < 0 || n >= len(checks) {
		http.NotFound(w, r)
		return
	}
	k := &checks[n]
	c, err := conn.Accept(w, r, &conn.AcceptOptions{
		Subprotocols: []string{"echo"}, AllowAnyOrigin: true, Compression: conn.Compression{Mode: conn.CompressionTakeover},
		MessageLimit: k.messageLimit(), PingInterval: k.pingInterval(), PongTimeout: pongTimeout,
	})
	if err != nil {
		return // Accept has answered
	}
	a := arrival{r.URL.Path, c, make(chan struct{})}
	select {
	case s.accepted <- a:
		<-a.over
	case <-time.After(checkTime):
	}
	_ = c.CloseNow()
}

// pongTimeout is how long a peer has for a pong.
const pongTimeout = 600 * time.Millisecond

func (k *check) messageLimit() int64 {
	if k.limit > 0 {
		return k.limit
	}
	return messageLimit
}

func (k *check) pingInterval() time.Duration {
	if k.ping > 0 {
		return k.ping
	}
	return -1
}

// runOn runs a check on an open connection, and closes it.
func (k *check) runOn(ctx context.Context, c *conn.Conn) error {
	ctx, cancel := context.WithTimeoutCause(ctx, checkTime, fmt.Errorf("not done after %v", checkTime))
	defer cancel()
	defer c.CloseNow()
	if err := k.run(ctx, c); err != nil {
		if errors.Is(err, errNotOffered) {
			_ = c.Close(conn.StatusNormalClosure, "")
		}
		return err
	}
	if c.Context().Err() != nil {
		return nil // the check has ended it
	}
	return c.Close(conn.StatusNormalClosure, "")
}

// dial connects our client to a peer's server as a check wants it. For a check of refusal an error is the success.
func (s *servers) dial(ctx context.Context, k *check, url string) (*conn.Conn, error) {
	pool := s.ca.Pool()
	if k.with == wrongCA {
		pool = s.other.Pool()
	}
	cfg, err := tlsconf.Client(tlsconf.ClientOptions{Profile: tlsconf.Intermediate, RootCAs: pool})
	if err != nil {
		return nil, err
	}
	if k.with == tls12 {
		cfg.MinVersion, cfg.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	c, _, err := conn.Dial(ctx, url, &conn.DialOptions{
		TLS: cfg, Subprotocols: []string{"unknown", "echo"}, Compression: conn.Compression{Mode: conn.CompressionTakeover},
		MessageLimit: k.messageLimit(), PingInterval: k.pingInterval(), PongTimeout: pongTimeout,
	})
	return c, err
}

// running is a peer's process.
type running struct {
	*process.Process
	out  *process.Journal
	seen int // lines that were looked at
}

func start(ctx context.Context, c process.Command) (*running, error) {
	out := process.NewJournal()
	p, err := process.Start(ctx, c, out, out)
	if err != nil {
		return nil, err
	}
	return &running{Process: p, out: out}, nil
}
