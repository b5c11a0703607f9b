package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/seed-c4549abd/wss/test/install"
	"github.com/seed-c4549abd/wss/test/process"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// browser is a browser as a peer's program: it opens a page that is the echo.
type browser struct {
	// command shows a page, with a new profile and this authority; dir is empty.
	command func(ctx context.Context, dir, page, caFile, server string) (process.Command, error)
	version []string
}

var browsers = map[string]browser{
	"chromium": {chromium, []string{"chromium", "--version"}},
	"firefox":  {firefox, []string{"firefox-esr", "--version"}},
	"webkit":   {webkit, []string{"dpkg-query", "--show", "--showformat=${Version}", "webkit2gtk-driver"}},
}

func init() {
	allFamilies["browser"] = &family{install: installBrowsers}
	for _, p := range []*peer{
		{name: "Chromium", command: browserPeer("chromium")},
		{name: "Firefox", command: browserPeer("firefox")},
		{name: "WebKitGTK", command: browserPeer("webkit"), cannot: map[string]string{"wrong CA": "MiniBrowser takes no authority: it is run with --ignore-tls-errors"}},
	} {
		p.family, p.roles = "browser", clientOnly
		peers = append(peers, p)
	}
}

func installBrowsers(ctx context.Context, m *matrix) (string, error) {
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
		return "", nil
	}
	return "", install.Debian(ctx, m.log, missing...)
}

// browserPeer is this program again, as browserProgram.
func browserPeer(name string) func(*matrix, string) process.Command {
	return func(m *matrix, _ string) process.Command {
		self, err := os.Executable()
		if err != nil {
			self = os.Args[0]
		}
		return process.Command{Args: []string{self, "browser", name, m.program("browser/page.html")}}
	}
}

// browserProgram is called as the peers' programs are, behind a browser's name and the page.
func browserProgram(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) < 3 {
		return errors.New("want a browser, its page and what to do")
	}
	b, ok := browsers[args[0]]
	if !ok {
		return fmt.Errorf("no browser is called %s", args[0])
	}
	if args[2] == "version" {
		text, err := install.Run(ctx, process.Command{Args: b.version})
		fmt.Fprintln(stdout, text)
		return err
	}
	if args[2] != "client" || len(args) < 5 {
		return fmt.Errorf("a browser is a client only: %q", args[2:])
	}
	page, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	return b.run(ctx, page, args[3], args[4:], stdout)
}

// run serves the page, shows it, and prints what it tells.
func (b browser) run(ctx context.Context, page []byte, caFile string, urls []string, stdout io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page)
	})
	mux.HandleFunc("GET /urls", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(urls) })
	mux.HandleFunc("POST /end", func(w http.ResponseWriter, r *http.Request) {
		var line bytes.Buffer
		_, _ = line.ReadFrom(http.MaxBytesReader(w, r.Body, 1<<16))
		fmt.Fprintf(stdout, "%s\n", line.Bytes())
	})
	done := make(chan struct{})
	mux.HandleFunc("POST /done", func(http.ResponseWriter, *http.Request) { close(done) })
	srv := &http.Server{Handler: mux}
	defer srv.Close()
	go func() { _ = srv.Serve(ln) }()
	dir, err := os.MkdirTemp("", "wss-browser-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	first, err := url.Parse(urls[0])
	if err != nil {
		return err
	}
	cmd, err := b.command(ctx, dir, "http://"+ln.Addr().String()+"/", caFile, first.Host)
	if err != nil {
		return err
	}
	r, err := start(ctx, cmd)
	if err != nil {
		return err
	}
	defer r.Stop()
	select {
	case <-done:
		return nil
	case <-r.Done():
		return fmt.Errorf("the browser has ended:\n%s", r.out.Tail())
	case <-ctx.Done():
		return context.Cause(ctx)
	}
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
