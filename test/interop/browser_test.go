package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindBrowserTakesWhatIsThere(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	if _, _, err := findBrowser(); !errors.Is(err, errNoBrowser) {
		t.Errorf("got %v", err)
	}
	fakeProgram(t, bin, "chromedriver", "")
	if _, _, err := findBrowser(); !errors.Is(err, errNoBrowser) {
		t.Errorf("a driver alone is no browser: %v", err)
	}
	fakeProgram(t, bin, "google-chrome", "")
	browser, driver, err := findBrowser()
	if err != nil || browser != filepath.Join(bin, "google-chrome") || driver != filepath.Join(bin, "chromedriver") {
		t.Errorf("got %s, %s, %v", browser, driver, err)
	}
}

func TestInstallBrowserUsesAptAsRootAlone(t *testing.T) {
	bin := t.TempDir()
	fakeProgram(t, bin, "apt-get", `cd "${0%/*}"; echo "$@" >> apt-args; echo > chromium; echo > chromedriver; /bin/chmod +x chromium chromedriver`)
	t.Setenv("PATH", bin)
	b, _ := newTestBench(t)
	_, _, err := installBrowser(t.Context(), b)
	args, _ := os.ReadFile(filepath.Join(bin, "apt-args"))
	if os.Geteuid() != 0 {
		if !errors.Is(err, errNoBrowser) || len(args) > 0 {
			t.Errorf("got %v, having called apt-get %q", err, args)
		}
		return
	}
	if err != nil || !strings.HasPrefix(string(args), "update") || !strings.Contains(string(args), "chromium chromium-driver") {
		t.Errorf("got %v, having called apt-get %q", err, args)
	}
}

func TestInstallBrowserSaysHowToGetIt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	b, _ := newTestBench(t)
	if err := runBrowser(t.Context(), b); err == nil || !strings.Contains(err.Error(), "apt-get install chromium") {
		t.Errorf("got %v", err)
	}
}

func TestCapabilitiesTrustOneKey(t *testing.T) {
	text, err := json.Marshal(capabilities("/bin/browser", "/tmp/profile", "HASH="))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"binary":"/bin/browser"`, "--ignore-certificate-errors-spki-list=HASH=", "--user-data-dir=/tmp/profile", "--headless"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %s", text, want)
		}
	}
	if strings.Contains(string(text), "acceptInsecureCerts") {
		t.Error("any certificate is accepted")
	}
}
