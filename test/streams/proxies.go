package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/test/install"
	"github.com/seed-c4549abd/wss/test/ports"
	"github.com/seed-c4549abd/wss/test/process"
)

// proxy is one that speaks HTTP/2 on both sides.
type proxy struct {
	name, debian string
	version      func(out string) string
	versionFlag  string
	// config returns its configuration: it listens at a port of 127.0.0.1, and passes everything on to b, over TLS.
	config func(b *backend, port int) string
	args   func(file string) []string
	// many is how many WebSockets one connection to it carries.
	many int
}

var proxies = []proxy{
	{
		name: "haproxy", debian: "haproxy", versionFlag: "-v", many: 100,
		version: func(out string) string { return strings.Fields(out)[2] },
		config: func(b *backend, port int) string {
			return fmt.Sprintf(`global
    maxconn 500
    log stderr local0 err

defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 60s

frontend front
    bind 127.0.0.1:%d ssl crt %s alpn h2,http/1.1
    default_backend back

backend back
    server ours %s ssl alpn h2 ws h2 verify required ca-file %s sni str(localhost) verifyhost localhost
`, port, b.certificate(), numeric(b.addr), b.ca.CAFile())
		},
		args: func(file string) []string { return []string{"-db", "-f", file} },
	},
	{
		name: "nghttpx", debian: "nghttp2-proxy", versionFlag: "--version", many: 100,
		version: func(out string) string { return strings.TrimPrefix(strings.Fields(out)[1], "nghttp2/") },
		config: func(b *backend, port int) string {
			return fmt.Sprintf(`frontend=127.0.0.1,%d
backend=%s;;tls;proto=h2;sni=localhost
cacert=%s
private-key-file=%s
certificate-file=%[4]s
workers=1
no-ocsp=yes
errorlog-file=/dev/stderr
accesslog-file=/dev/null
`, port, strings.ReplaceAll(numeric(b.addr), ":", ","), b.ca.CAFile(), b.certificate())
		},
		args: func(file string) []string { return []string{"--conf=" + file} },
	},
}

// numeric returns an address of localhost with 127.0.0.1.
func numeric(addr string) string { return strings.Replace(addr, "localhost", "127.0.0.1", 1) }

// findProgram returns the path of a program, or "". Those of Debian may be in /usr/sbin, which is not in everybody's PATH.
func findProgram(name string) string {
	for _, path := range []string{name, filepath.Join("/usr/sbin", name)} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	return ""
}

// throughProxies has proxies between our client and our server.
func throughProxies(ctx context.Context, o *options) error {
	for _, p := range proxies {
		if findProgram(p.name) == "" {
			if err := install.Debian(ctx, o.log, p.debian); err != nil {
				return err
			}
		}
		if err := p.all(ctx, o); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

func (p *proxy) all(ctx context.Context, o *options) error {
	out, err := install.Run(ctx, process.Command{Args: []string{findProgram(p.name), p.versionFlag}})
	if err != nil {
		return err
	}
	b, err := startBackend(page)
	if err != nil {
		return err
	}
	defer b.close()
	addr, stop, err := p.start(ctx, b)
	if err != nil {
		return err
	}
	defer stop()
	s := &server{peer: p.name + " " + p.version(out), addr: addr, tls: &tls.Config{RootCAs: b.ca.Pool()}, many: p.many, await: b.await}
	s.talk(ctx, o)
	o.check(ctx, s.peer, "makes an extended CONNECT of an Upgrade, which a client of HTTP/1.1 has sent", func(ctx context.Context) error {
		return fromHTTP1(ctx, s)
	})
	return nil
}

// start runs the proxy and waits until it listens.
func (p *proxy) start(ctx context.Context, b *backend) (addr string, stop func(), err error) {
	port, err := ports.Free()
	if err != nil {
		return "", nil, err
	}
	file := filepath.Join(b.dir, p.name)
	if err := os.WriteFile(file, []byte(p.config(b, port)), 0o600); err != nil {
		return "", nil, err
	}
	journal := process.NewJournal()
	running, err := process.Start(ctx, process.Command{Args: append([]string{findProgram(p.name)}, p.args(file)...)}, journal, journal)
	if err != nil {
		return "", nil, err
	}
	if err := listens(ctx, running, port); err != nil {
		running.Stop()
		return "", nil, fmt.Errorf("%w\n%s", err, journal.Tail())
	}
	return fmt.Sprintf("localhost:%d", port), func() { running.Stop() }, nil
}

// listens waits until a process listens at a port.
func listens(ctx context.Context, p *process.Process, port int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, errors.New("it does not listen"))
	defer cancel()
	for {
		nc, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return nc.Close()
		}
		select {
		case <-p.Done():
			return errors.New("it has ended")
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// fromHTTP1 comes by HTTP/1.1, and sees to it that our server is reached by HTTP/2 and that there is one Sec-WebSocket-Accept.
func fromHTTP1(ctx context.Context, s *server) error {
	c, resp, err := conn.Dial(ctx, "wss://"+s.addr+"/echo?id=http1", &conn.DialOptions{TLS: s.tls, MessageLimit: messageLimit})
	if err != nil {
		return err
	}
	defer c.CloseNow()
	if accepts := resp.Header.Values("Sec-WebSocket-Accept"); c.HTTPVersion() != "HTTP/1.1" || len(accepts) != 1 {
		return fmt.Errorf("it came by %s, with Sec-WebSocket-Accept %q", c.HTTPVersion(), accepts)
	}
	if err := errors.Join(roundTrip(ctx, c, conn.Binary, make([]byte, 70_000)), c.Close(4003, "bye")); err != nil {
		return err
	}
	return s.expect(ctx, "http1", 4003, "bye")
}
