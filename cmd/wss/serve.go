package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/http2"
	_ "github.com/seed-c4549abd/wss/http2/enable" // WebSockets over HTTP/2
	"github.com/seed-c4549abd/wss/tlsconf"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	listen, cert, key             string
	plain, echo, binary, compress bool
	quiet                         bool
	origins, subprotocols         list
	anyOrigin                     bool
	maxConns, maxPerAddress       int
	maxMessage                    int64
	grace                         time.Duration
}

func serveCommand() *command {
	return &command{
		name: "serve", arguments: "[FLAGS] -echo | [FLAGS] -- COMMAND [ARGS…]",
		summary: "serve wss: echo messages, or run a command for each connection",
		examples: `wss serve -echo                                     # wss://localhost:8443/, with a certificate for localhost
wss serve -- wc -c                                  # a process for each connection
wss serve -- sh -c 'while read line; do echo "$REMOTE_ADDR said $line"; done'
wss serve -listen :443 -cert cert.pem -key key.pem -origin https://example.com -- ./chat
wss serve -listen localhost:8080 -plain -echo       # ws, behind a proxy that ends TLS`,
		details: `The command gets each text message as a line of its standard input, and each line of its standard output becomes a text
message. With -binary both are lines of base64, and the messages are binary. Its standard error is passed on. The environment has
REMOTE_ADDR, REMOTE_PORT, REQUEST_URI, PATH_INFO, QUERY_STRING, HTTP_ORIGIN and the like, as for CGI (RFC 3875).

When the connection ends, the input of the command is closed; what is left of its process group after -grace is terminated and then
killed. When the command ends, the connection is closed: with 1000 if its exit status is 0, else with 1011.

The certificate for localhost is that of the development authority in your configuration directory, which the first run makes.
The other commands of wss trust it; add its ca.pem to a browser that should.`,
		passesOn: true,
		declare:  declareServe,
	}
}

func declareServe(flags *flag.FlagSet) action {
	o := &serveOptions{}
	flags.StringVar(&o.listen, "listen", "localhost:8443", "`address` to listen at")
	flags.StringVar(&o.cert, "cert", "", "PEM `file` with the certificate chain; default: a certificate for localhost")
	flags.StringVar(&o.key, "key", "", "PEM `file` with its private key")
	flags.BoolVar(&o.plain, "plain", false, "serve ws, without encryption")
	flags.BoolVar(&o.echo, "echo", false, "send each message back")
	flags.BoolVar(&o.binary, "binary", false, "messages of the command are binary, its lines base64")
	flags.BoolVar(&o.compress, "compress", false, "accept permessage-deflate")
	flags.BoolVar(&o.quiet, "quiet", false, "do not print connections")
	flags.Var(&o.origins, "origin", "admit pages of the origins of this `pattern`, such as https://*.example.com (repeatable); default: those of the server's own")
	flags.BoolVar(&o.anyOrigin, "any-origin", false, "admit pages of any site: only if no cookie grants anything here")
	flags.Var(&o.subprotocols, "subprotocol", "accept a subprotocol by its `name` (repeatable, the preferred one first)")
	flags.IntVar(&o.maxConns, "max-conns", 100, "most `connections` at once")
	flags.IntVar(&o.maxPerAddress, "max-per-address", 0, "most `connections` of one address; 0: as many as -max-conns")
	flags.Int64Var(&o.maxMessage, "max-message", conn.DefaultMessageLimit, "longest message, and longest line of the command, in `bytes`")
	flags.DurationVar(&o.grace, "grace", 2*time.Second, "`time` for the command to end when its connection has, and for connections when the server ends")
	return o.run
}

func (o *serveOptions) check(args []string) error {
	switch {
	case o.echo && len(args) > 0:
		return usagef("-echo or a command, not both: %q", args)
	case !o.echo && len(args) == 0:
		return usagef("give -echo, or a command behind --")
	case (o.cert == "") != (o.key == ""):
		return usagef("-cert and -key go together")
	case o.plain && o.cert != "":
		return usagef("-plain needs no certificate")
	case o.maxConns <= 0 || o.maxPerAddress < 0 || o.maxMessage <= 0 || o.grace <= 0:
		return usagef("-max-conns, -max-message and -grace must be more than zero")
	case o.echo && o.binary:
		return usagef("-binary is for commands")
	}
	return nil
}

func (o *serveOptions) run(ctx context.Context, c *console, args []string) error {
	if err := o.check(args); err != nil {
		return err
	}
	s := &server{options: o, console: c, command: args, group: &conn.Group{MaxConns: o.maxConns, MaxPerAddress: o.maxPerAddress}}
	s.accept = &conn.AcceptOptions{
		Group: s.group, OriginPatterns: o.origins, AllowAnyOrigin: o.anyOrigin, Subprotocols: o.subprotocols, MessageLimit: o.maxMessage,
		Check: checkPath,
	}
	if o.compress {
		s.accept.Compression.Mode = conn.CompressionNoTakeover
	}
	if err := s.accept.Validate(); err != nil {
		return usagef("%v", err)
	}
	return s.run(ctx)
}

// server serves an echo, or a command.
type server struct {
	options *serveOptions
	console *console
	command []string
	group   *conn.Group
	accept  *conn.AcceptOptions

	processes processes
}

// run serves until ctx ends, and then closes the connections.
func (s *server) run(ctx context.Context) error {
	config, err := s.tls()
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", s.options.listen)
	if err != nil {
		return err
	}
	s.announce(ln.Addr())
	srv := &http.Server{
		Handler: http.HandlerFunc(s.handle), TLSConfig: config, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 30 * time.Second,
		ErrorLog: log.New(noteWriter{s.console}, "", 0),
	}
	if config != nil {
		if err := http2.Configure(srv); err != nil && !errors.Is(err, http2.ErrNotEnabled) {
			return err
		}
	}
	served := make(chan error, 1)
	go func() {
		if config == nil {
			served <- srv.Serve(conn.NewListener(ln))
		} else {
			served <- srv.ServeTLS(conn.NewListener(ln), "", "")
		}
	}()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	defer s.killAtSecondSignal()()
	if n := s.group.Len(); n > 0 {
		s.console.note("closing %d connections", n)
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.options.grace+conn.DefaultCloseTimeout)
	defer cancel()
	err = s.group.ShutdownServer(end, srv, conn.ShutdownOptions{})
	s.processes.close() // each is killed after -grace
	if errors.Is(err, context.DeadlineExceeded) {
		return nil // the connections that were left have been ended
	}
	return err
}

// killAtSecondSignal ends the program and its commands at once when another signal comes, until the returned function is called.
func (s *server) killAtSecondSignal() (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		if _, again := <-signals; again {
			s.processes.kill()
			os.Exit(exitFailed)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
	}
}

// tls returns the configuration of the server, nil for ws.
func (s *server) tls() (*tls.Config, error) {
	o := s.options
	switch {
	case o.plain:
		return nil, nil
	case o.cert != "":
		return tlsconf.Server(tlsconf.ServerOptions{Profile: tlsconf.Intermediate, CertFile: o.cert, KeyFile: o.key})
	}
	dev, err := tlsconf.Development(tlsconf.DevOptions{})
	if err != nil {
		return nil, err
	}
	if err := dev.Fallback(); err != nil {
		s.console.note("WARNING: clients cannot trust the certificate, as its authority is in memory: %v", err)
	} else {
		s.console.note("the certificate is for localhost; browsers trust it with %s", dev.CAFile())
	}
	return tlsconf.Server(tlsconf.ServerOptions{GetCertificate: dev.GetCertificate})
}

// announce says where the server listens, and what it does.
func (s *server) announce(addr net.Addr) {
	scheme, what := "wss", "echo"
	if s.options.plain {
		scheme = "ws"
		if tcp, ok := addr.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
			s.console.note("WARNING: -plain: what clients of other machines send and get is not encrypted")
		}
	}
	if len(s.command) > 0 {
		what = fmt.Sprintf("%q for each connection", s.command)
	}
	s.console.note("serving %s://%s/, %s; ctrl-C ends", scheme, s.name(addr), what)
}

// name returns the host of -listen with the port that is listened at, which may have been 0.
func (s *server) name(addr net.Addr) string {
	host, _, err := net.SplitHostPort(s.options.listen)
	_, port, err2 := net.SplitHostPort(addr.String())
	if err != nil || err2 != nil {
		return addr.String()
	}
	if host == "" {
		if host, err = os.Hostname(); err != nil {
			host = "localhost"
		}
	}
	return net.JoinHostPort(host, port)
}

// handle serves a connection.
func (s *server) handle(w http.ResponseWriter, r *http.Request) {
	c, err := conn.Accept(w, r, s.accept)
	if err != nil {
		s.log("%s: refused: %v", r.RemoteAddr, err)
		return
	}
	s.log("%s: connected to %q over %s", r.RemoteAddr, r.RequestURI, c.HTTPVersion())
	if len(s.command) == 0 {
		remote := r.RemoteAddr
		c.ServeInBackground(echo, func(error) { s.logEnd(remote, c) })
		return
	}
	s.serveCommand(c, r)
	s.logEnd(r.RemoteAddr, c)
}

func echo(c *conn.Conn, m conn.Message) error { return c.Write(c.Context(), m.Type, m.Data) }

// log prints what becomes of connections.
func (s *server) log(format string, args ...any) {
	if !s.options.quiet {
		s.console.note(format, args...)
	}
}

func (s *server) logEnd(remote string, c *conn.Conn) {
	var closed *conn.CloseError
	if errors.As(context.Cause(c.Context()), &closed) {
		s.log("%s: %s", remote, describeClose(closed, theClient))
	}
}

// noteWriter passes lines of a log on.
type noteWriter struct{ console *console }

func (w noteWriter) Write(p []byte) (int, error) {
	w.console.note("%s", trimLineEnd(p))
	return len(p), nil
}
