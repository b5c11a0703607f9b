// Package browsers starts the browsers that other programs under test/ have a page shown by.
package browsers

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/seed-c4549abd/wss/test/install"
	"github.com/seed-c4549abd/wss/test/process"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// Browser is one that can show a page.
type Browser struct {
	command func(ctx context.Context, dir, page, caFile, server string) (process.Command, error)
	version []string
}

var all = map[string]Browser{
	"chromium": {chromium, []string{"chromium", "--version"}},
	"firefox":  {firefox, []string{"firefox-esr", "--version"}},
	"webkit":   {webkit, []string{"dpkg-query", "--show", "--showformat=${Version}", "webkit2gtk-driver"}},
}

// Find returns the browser that is called chromium, firefox or webkit.
func Find(name string) (Browser, error) {
	b, ok := all[name]
	if !ok {
		return Browser{}, fmt.Errorf("no browser is called %s", name)
	}
	return b, nil
}

// Install installs from Debian what is missing of all of them.
func Install(ctx context.Context, log io.Writer) error {
	var missing []string
	for name, of := range map[string]string{
		"chromium": "chromium", "firefox-esr": "firefox-esr", "certutil": "libnss3-tools",
		"WebKitWebDriver": "webkit2gtk-driver", "xvfb-run": "xvfb", "xauth": "xauth",
	} {
		if _, err := exec.LookPath(name); err != nil {
			missing = append(missing, of)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return install.Debian(ctx, log, missing...)
}

// Version returns what the browser says of its version.
func (b Browser) Version(ctx context.Context) (string, error) {
	return install.Run(ctx, process.Command{Args: b.version})
}

// Command shows a page with a new profile in dir, which is empty, and trusts the authority in caFile, or the server (a host with
// port) that has a certificate of it.
func (b Browser) Command(ctx context.Context, dir, page, caFile, server string) (process.Command, error) {
	return b.command(ctx, dir, page, caFile, server)
}

// chromium accepts the server's certificate by its key, and no other that has no authority.
func chromium(ctx context.Context, dir, page, caFile, server string) (process.Command, error) {
	hash, err := keyHash(ctx, server, caFile)
	return process.Command{Args: []string{
		"chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server", "--remote-debugging-port=0",
		"--user-data-dir=" + filepath.Join(dir, "profile"), "--ignore-certificate-errors-spki-list=" + hash, page,
	}}, err
}

// firefox trusts the authority in a profile of its own.
func firefox(ctx context.Context, dir, page, caFile, _ string) (process.Command, error) {
	const preferences = `user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("network.proxy.type", 0);
user_pref("app.update.enabled", false);
user_pref("dom.min_background_timeout_value", 4);
`
	if err := os.WriteFile(filepath.Join(dir, "user.js"), []byte(preferences), 0o644); err != nil {
		return process.Command{}, err
	}
	db := "sql:" + dir
	for _, args := range [][]string{
		{"certutil", "-N", "-d", db, "--empty-password"},
		{"certutil", "-A", "-d", db, "-n", "wss", "-t", "C,,", "-i", caFile},
	} {
		if _, err := install.Run(ctx, process.Command{Args: args}); err != nil {
			return process.Command{}, err
		}
	}
	return process.Command{Args: []string{"firefox-esr", "--headless", "--no-remote", "--profile", dir, page}, Env: withEnv("HOME=" + dir)}, nil
}

// webkit shows the page in the browser that comes with WebKitGTK.
func webkit(_ context.Context, dir, page, _, _ string) (process.Command, error) {
	found, _ := filepath.Glob("/usr/lib/*/webkit2gtk-4.*/MiniBrowser")
	if len(found) == 0 {
		return process.Command{}, errors.New("there is no MiniBrowser")
	}
	return process.Command{
		Args: []string{"xvfb-run", "--auto-servernum", found[0], "--ignore-tls-errors", "--private", page},
		Env:  withEnv("HOME="+dir, "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS=1", "WEBKIT_DISABLE_COMPOSITING_MODE=1", "GSETTINGS_BACKEND=memory", "NO_AT_BRIDGE=1"),
	}, nil
}

// keyHash returns the hash of a server's public key, after verifying its certificate.
func keyHash(ctx context.Context, server, caFile string) (string, error) {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return "", err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return "", errors.New("the authority's file holds no certificate")
	}
	cfg, err := tlsconf.Client(tlsconf.ClientOptions{RootCAs: roots})
	if err != nil {
		return "", err
	}
	nc, err := (&tls.Dialer{Config: cfg}).DialContext(ctx, "tcp", server)
	if err != nil {
		return "", fmt.Errorf("cannot ask %s for its certificate: %w", server, err)
	}
	defer nc.Close()
	state := nc.(*tls.Conn).ConnectionState()
	return strings.TrimPrefix(tlsconf.PinOf(state.PeerCertificates[0]), "sha256/"), nil
}

// withEnv returns this program's environment with more variables.
func withEnv(more ...string) []string { return append(os.Environ(), more...) }
