package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/seed-c4549abd/wss/test/install"
	"github.com/seed-c4549abd/wss/test/process"
)

// Limits of the browser's part.
const (
	browserStartTime = 2 * time.Minute
	browserEndTime   = 30 * time.Second
)

// aptPackages hold Chromium and its driver on Debian.
var aptPackages = []string{"chromium", "chromium-driver"}

var errNoBrowser = errors.New("there is no Chromium with its driver")

// findBrowser returns the paths of Chromium and its driver.
func findBrowser() (browser, driver string, err error) {
	driver, err = exec.LookPath("chromedriver")
	if err != nil {
		return "", "", errNoBrowser
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if browser, err = exec.LookPath(name); err == nil {
			return browser, driver, nil
		}
	}
	return "", "", errNoBrowser
}

// installBrowser is findBrowser, after an installation where that is possible.
func installBrowser(ctx context.Context, b *bench) (browser, driver string, err error) {
	if browser, driver, err = findBrowser(); err == nil {
		return browser, driver, nil
	}
	if aptErr := install.Debian(ctx, b.log, aptPackages...); aptErr != nil {
		return "", "", fmt.Errorf("%w: %w", err, aptErr)
	}
	return findBrowser()
}

// capabilities describe the browser that we want. The development certificate is
// accepted by its key, so that no other certificate is.
func capabilities(browser, profile, keyHash string) map[string]any {
	return map[string]any{
		"browserName": "chrome",
		"goog:chromeOptions": map[string]any{
			"binary": browser,
			"args": []string{
				"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
				"--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server",
				"--user-data-dir=" + profile,
				"--ignore-certificate-errors-spki-list=" + keyHash,
			},
		},
		"goog:loggingPrefs": map[string]string{"browser": "ALL"},
	}
}

// runBrowser has Chromium use the page of the demo.
func runBrowser(ctx context.Context, b *bench) error {
	if _, _, err := installBrowser(ctx, b); err != nil {
		return err // before the demo is built
	}
	d, err := startDemo(ctx, b)
	if err != nil {
		return err
	}
	defer d.process.Stop()
	return b.withBrowser(ctx, "chromium", d.keyHash, func(session *webDriver) error {
		(&pageChecks{report: b.report, driver: session, demo: d}).run(ctx)
		return nil
	})
}

// withBrowser runs do with a browser that has a new profile of a name, and trusts the
// key of that hash.
func (b *bench) withBrowser(ctx context.Context, profile, keyHash string, do func(*webDriver) error) error {
	browser, driver, err := installBrowser(ctx, b)
	if err != nil {
		return err
	}
	p, err := start(ctx, process.Command{Args: []string{driver, "--port=0"}})
	if err != nil {
		return err
	}
	defer p.Stop()
	startCtx, cancel := context.WithTimeout(ctx, browserStartTime)
	defer cancel()
	port, err := p.await(startCtx, `started successfully on port (\d+)`)
	if err != nil {
		return err
	}
	profile = filepath.Join(b.work, profile)
	session, err := newSession(startCtx, "http://127.0.0.1:"+port[1], capabilities(browser, profile, keyHash))
	if err != nil {
		return err
	}
	err = do(session)
	// The browser is in a process group of its own: only its driver can end it.
	endCtx, cancelEnd := context.WithTimeout(context.WithoutCancel(ctx), browserEndTime)
	defer cancelEnd()
	return errors.Join(err, session.close(endCtx))
}
