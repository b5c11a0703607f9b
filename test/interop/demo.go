package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/test/process"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// demoTime bounds building the demo and starting it.
const demoTime = 3 * time.Minute

// demo is the demo program as it runs.
type demo struct {
	process *running
	page    string // URL
	keyHash string // of the certificate's public key, in base64
}

// startDemo builds the demo and starts it on a free port, with an authority of its
// own in the run's directory.
func startDemo(ctx context.Context, b *bench) (*demo, error) {
	startCtx, cancel := context.WithTimeoutCause(ctx, demoTime, fmt.Errorf("the demo does not serve after %v", demoTime))
	defer cancel()
	root, err := runCommand(startCtx, process.Command{Args: []string{"go", "list", "-m", "-f", "{{.Dir}}", "github.com/seed-c4549abd/wss"}})
	if err != nil {
		return nil, fmt.Errorf("run this within the module: %w", err)
	}
	path := filepath.Join(b.work, "demo")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	build := process.Command{Args: []string{"go", "build", "-o", path, "./demo"}, Dir: filepath.Join(strings.TrimSpace(root), "examples")}
	if _, err := runCommand(startCtx, build); err != nil {
		return nil, fmt.Errorf("cannot build the demo: %w", err)
	}
	config := filepath.Join(b.work, "config")
	env := append(os.Environ(), "XDG_CONFIG_HOME="+config, "HOME="+config, "AppData="+config)
	p, err := start(ctx, process.Command{Args: []string{path, "-listen", "localhost:0"}, Env: env})
	if err != nil {
		return nil, err
	}
	d := &demo{process: p}
	if err := d.look(startCtx); err != nil {
		p.Stop()
		return nil, err
	}
	return d, nil
}

// look waits until the demo serves, and learns from its output where, and from its
// certificate the key.
func (d *demo) look(ctx context.Context) error {
	if _, err := d.process.await(ctx, `^serving`); err != nil {
		return err
	}
	page, err := d.process.await(ctx, `^page +(https://\S+)$`)
	if err != nil {
		return err
	}
	authority, err := d.process.await(ctx, `^authority +(\S.*ca\.pem)`)
	if err != nil {
		return err
	}
	d.page = page[1] + "echo.html"
	pem, err := os.ReadFile(authority[1])
	if err != nil {
		return err
	}
	d.keyHash, err = keyHash(ctx, d.page, pem)
	return err
}

// keyHash returns the hash of a server's public key, after verifying its certificate.
func keyHash(ctx context.Context, rawURL string, authority []byte) (string, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return "", err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return "", errors.New("the authority's file holds no certificate")
	}
	cfg, err := tlsconf.Client(tlsconf.ClientOptions{RootCAs: roots})
	if err != nil {
		return "", err
	}
	nc, err := (&tls.Dialer{Config: cfg}).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return "", fmt.Errorf("cannot ask %s for its certificate: %w", u.Host, err)
	}
	defer nc.Close()
	state := nc.(*tls.Conn).ConnectionState()
	return strings.TrimPrefix(tlsconf.PinOf(state.PeerCertificates[0]), "sha256/"), nil
}
