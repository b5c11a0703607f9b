package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func mustDevelopment(t testing.TB, o DevOptions) *DevCA {
	t.Helper()
	d, err := Development(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func mustLeaf(t testing.TB, d *DevCA) *tls.Certificate {
	t.Helper()
	cert, err := d.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestDevelopmentServesLocalhost(t *testing.T) {
	for name, o := range map[string]DevOptions{"on disk": {Dir: t.TempDir()}, "in memory": {InMemory: true}} {
		t.Run(name, func(t *testing.T) {
			d := mustDevelopment(t, o)
			server := mustServer(t, ServerOptions{GetCertificate: d.GetCertificate})
			for _, host := range []string{"localhost", "127.0.0.1", "::1"} {
				mustConnect(t, server, mustClient(t, ClientOptions{RootCAs: d.Pool(), ServerName: host}))
			}
			for _, host := range []string{"example.org", "127.0.0.2", "sub.localhost"} {
				_, c := connect(t, server, mustClient(t, ClientOptions{RootCAs: d.Pool(), ServerName: host}))
				if reasonOf(c.err) != WrongHost {
					t.Errorf("%s: %v", host, c.err)
				}
			}
			if (d.CAFile() == "") != o.InMemory || d.Fallback() != nil {
				t.Errorf("file %q, fallback %v", d.CAFile(), d.Fallback())
			}
			if !x509.NewCertPool().AppendCertsFromPEM(d.CAPEM()) {
				t.Errorf("no PEM: %s", d.CAPEM())
			}
		})
	}
}

func TestDevelopmentUsesTheConfigurationDirectory(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("AppData", home)
	t.Setenv("XDG_CONFIG_HOME", "")
	config, err := os.UserConfigDir()
	if err != nil {
		t.Fatal(err)
	}
	d := mustDevelopment(t, DevOptions{})
	if want := filepath.Join(config, "wss", "ca.pem"); d.CAFile() != want {
		t.Errorf("got %s, want %s", d.CAFile(), want)
	}
	if data, err := os.ReadFile(d.CAFile()); err != nil || string(data) != string(d.CAPEM()) {
		t.Errorf("the file holds %q, error %v", data, err)
	}
}

func TestDevelopmentFallsBackToMemory(t *testing.T) {
	t.Run("no home", func(t *testing.T) {
		for _, name := range []string{"HOME", "AppData", "XDG_CONFIG_HOME"} {
			t.Setenv(name, "")
		}
		if d := mustDevelopment(t, DevOptions{}); d.Fallback() == nil || d.CAFile() != "" {
			t.Errorf("fallback %v, file %q", d.Fallback(), d.CAFile())
		}
	})
	t.Run("a home that cannot be written", func(t *testing.T) {
		home := t.TempDir()
		if err := os.Chmod(home, 0o500); err != nil {
			t.Fatal(err)
		}
		if f, err := os.Create(filepath.Join(home, "probe")); err == nil {
			f.Close()
			t.Skip("this user may write anywhere")
		}
		t.Setenv("HOME", home)
		t.Setenv("XDG_CONFIG_HOME", home)
		if d := mustDevelopment(t, DevOptions{}); d.Fallback() == nil || d.CAFile() != "" {
			t.Errorf("fallback %v, file %q", d.Fallback(), d.CAFile())
		}
		if _, err := Development(DevOptions{Dir: filepath.Join(home, "mine")}); err == nil {
			t.Error("a directory that was asked for is silently replaced by memory")
		}
	})
	t.Run("a file in place of the directory", func(t *testing.T) {
		home := t.TempDir()
		writeFile(t, filepath.Join(home, "wss"), nil)
		t.Setenv("XDG_CONFIG_HOME", home)
		t.Setenv("HOME", home)
		config, err := os.UserConfigDir()
		if err != nil || config != home {
			t.Skip("the configuration is elsewhere here: ", config)
		}
		if d := mustDevelopment(t, DevOptions{}); d.Fallback() == nil {
			t.Error("no fallback")
		}
		if d, err := Development(DevOptions{Dir: filepath.Join(home, "wss")}); err == nil {
			t.Errorf("got %v", d)
		}
	})
}

func TestDevelopmentIsReused(t *testing.T) {
	dir := t.TempDir()
	first, second := mustDevelopment(t, DevOptions{Dir: dir}), mustDevelopment(t, DevOptions{Dir: dir})
	if !first.ca.cert.Equal(second.ca.cert) || !mustLeaf(t, first).Leaf.Equal(mustLeaf(t, second).Leaf) {
		t.Error("the second start has another authority or certificate")
	}
}

func TestDevelopmentRenewsTheLeaf(t *testing.T) {
	for _, inMemory := range []bool{false, true} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			d := mustDevelopment(t, DevOptions{Dir: dir, InMemory: inMemory})
			first := mustLeaf(t, d)
			time.Sleep(leafLife - leafRenew - time.Hour)
			if mustLeaf(t, d) != first {
				t.Error("renewed too early")
			}
			time.Sleep(2 * time.Hour)
			renewed := mustLeaf(t, d)
			if renewed.Leaf.Equal(first.Leaf) {
				t.Fatal("not renewed")
			}
			if !inMemory && !mustLeaf(t, mustDevelopment(t, DevOptions{Dir: dir})).Leaf.Equal(renewed.Leaf) {
				t.Error("the renewed certificate is not kept")
			}
			if _, err := renewed.Leaf.Verify(x509.VerifyOptions{Roots: d.Pool(), CurrentTime: time.Now(), DNSName: "localhost"}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRunningServerOutlivesItsDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "wss")
	synctest.Test(t, func(t *testing.T) {
		d := mustDevelopment(t, DevOptions{Dir: dir})
		first := mustLeaf(t, d)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		time.Sleep(leafLife)
		if mustLeaf(t, d) == first {
			t.Error("not renewed")
		}
	})
}

func TestDevelopmentByManyAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "wss")
	var wg sync.WaitGroup
	all := make([]*DevCA, 16)
	for i := range all {
		wg.Go(func() { all[i] = mustDevelopment(t, DevOptions{Dir: dir}) })
	}
	wg.Wait()
	for _, d := range all {
		if !d.ca.cert.Equal(all[0].ca.cert) {
			t.Error("two authorities")
		}
		if _, err := mustLeaf(t, d).Leaf.Verify(x509.VerifyOptions{Roots: all[0].Pool(), DNSName: "localhost"}); err != nil {
			t.Error(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "ca-key.pem ca.pem localhost.pem" {
		t.Errorf("files left: %s", got)
	}
}
