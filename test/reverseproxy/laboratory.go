package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/test/process"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// startTime bounds the start of a proxy.
const startTime = 30 * time.Second

// laboratory is what all proxies share: our server, and the authority of all certificates.
type laboratory struct {
	report  *report
	log     io.Writer
	dir     string // ends with the run
	configs map[string]string
	ca      *tlsconf.DevCA
	cert    string // file of certificate and key for localhost
	client  *tls.Config
	backend *backend
}

func newLaboratory(r *report) (*laboratory, error) {
	dir, err := os.MkdirTemp("", "wss-reverseproxy-")
	if err != nil {
		return nil, err
	}
	l := &laboratory{report: r, log: io.Discard, dir: dir}
	if err := l.prepare(); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return l, nil
}

func (l *laboratory) prepare() (err error) {
	if l.configs, err = readPage(page); err != nil {
		return err
	}
	authority := filepath.Join(l.dir, "authority")
	if err := os.Mkdir(authority, 0o700); err != nil {
		return err
	}
	if l.ca, err = tlsconf.Development(tlsconf.DevOptions{Dir: authority}); err != nil {
		return err
	}
	if _, err = l.ca.Certificate(); err != nil {
		return err
	}
	l.cert = filepath.Join(authority, "localhost.pem")
	if l.client, err = tlsconf.Client(tlsconf.ClientOptions{RootCAs: l.ca.Pool()}); err != nil {
		return err
	}
	l.backend, err = startBackend(l.ca)
	return err
}

func (l *laboratory) close() {
	l.backend.close()
	_ = os.RemoveAll(l.dir)
}

// local are the changes from the printed configuration to the one that is run.
func (l *laboratory) local() []edit {
	return []edit{
		{"/etc/ssl/chat.example.pem", l.cert}, {"/etc/ssl/chat.example.key", l.cert}, {"/etc/ssl/backend-ca.pem", l.ca.CAFile()},
		{"chat.example", "localhost"}, {"127.0.0.1:8080", l.backend.plain}, {"127.0.0.1:8443", l.backend.tls},
		{"127.0.0.1,8080", strings.ReplaceAll(l.backend.plain, ":", ",")},
		{"127.0.0.1,8443", strings.ReplaceAll(l.backend.tls, ":", ",")},
	}
}

// config returns a proxy's configuration as it is printed, with or without TLS to our server, changed by edits and fit to run here.
func (l *laboratory) config(p *proxy, overTLS bool, port int, edits ...edit) (string, error) {
	text := l.configs[p.name]
	var err error
	if overTLS {
		if text, err = apply(text, edit{lineWith(text, p.backend), l.configs[p.name+"-tls"]}); err != nil {
			return "", err
		}
	}
	return l.fit(text, p, port, edits...)
}

func (l *laboratory) fit(text string, p *proxy, port int, edits ...edit) (string, error) {
	text, err := apply(text, edits...)
	if err != nil {
		return "", err
	}
	for _, e := range l.local() { // not all of it is in each
		text = strings.ReplaceAll(text, e.old, e.new)
	}
	return apply(text, p.fit(port)...)
}

// running is a proxy that runs.
type running struct {
	*proxy
	l       *laboratory
	name    string // in reports
	port    int
	process *process.Process
	out     *process.Journal
}

// start runs a proxy with a configuration.
func (l *laboratory) start(ctx context.Context, p *proxy, name, config string, port int) (*running, error) {
	dir, err := os.MkdirTemp(l.dir, p.name)
	if err != nil {
		return nil, err
	}
	r := &rig{dir: dir, config: filepath.Join(dir, "config"), port: port}
	before, after, args := p.command(r)
	if err := os.WriteFile(r.config, []byte(before+config+after), 0o600); err != nil {
		return nil, err
	}
	out := process.NewJournal()
	both := io.MultiWriter(out, &process.Shared{W: l.log})
	cmd := process.Command{
		Args: append([]string{find(p.program)}, args...), Dir: dir,
		Env: append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir),
	}
	proc, err := process.Start(ctx, cmd, both, both)
	if err != nil {
		return nil, err
	}
	running := &running{proxy: p, l: l, name: name, port: port, process: proc, out: out}
	if err := running.await(ctx); err != nil {
		proc.Stop()
		return nil, fmt.Errorf("%w\n%s", err, out.Tail())
	}
	return running, nil
}

// await waits until the proxy listens.
func (r *running) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, errors.New("it does not listen"))
	defer cancel()
	for {
		nc, err := (&net.Dialer{}).DialContext(ctx, "tcp", r.address())
		if err == nil {
			return nc.Close()
		}
		select {
		case <-r.process.Done():
			return errors.New("it has ended")
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (r *running) address() string { return fmt.Sprintf("127.0.0.1:%d", r.port) }

// stop ends the proxy.
func (r *running) stop() { r.process.Stop() }
