package tlsconf

import (
	"context"
	"crypto/tls"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// quiet reports nothing.
var quiet = ReloaderOptions{OnEvent: func(ReloadEvent) {}}

func TestReloaderKeepsTheOldCertificate(t *testing.T) {
	ca := newTestCA(t, "ca")
	old, renewed := ca.issue(t, nil), ca.issue(t, nil)
	expired, weak := ca.issue(t, expiredTemplate), ca.issueWithKey(t, newRSAKey(t, 1024), nil)
	newPEM := certPEM(renewed.Certificate[0])
	tests := []struct {
		name      string
		cert, key []byte // nil: the file is removed
		taken     bool
		want      Reason
	}{
		{name: "a good pair", cert: newPEM, key: keyPEM(t, renewed), taken: true},
		{name: "a missing certificate", key: keyPEM(t, renewed)},
		{name: "a missing key", cert: newPEM},
		{name: "an empty certificate", cert: []byte{}, key: keyPEM(t, renewed)},
		{name: "a half-written certificate", cert: newPEM[:len(newPEM)/2], key: keyPEM(t, renewed)},
		{name: "a half-written key", cert: newPEM, key: keyPEM(t, renewed)[:80]},
		{name: "a mismatched pair", cert: newPEM, key: keyPEM(t, old)},
		{name: "an expired certificate", cert: certPEM(expired.Certificate[0]), key: keyPEM(t, expired), want: Expired},
		{name: "a weak key", cert: certPEM(weak.Certificate[0]), key: keyPEM(t, weak), want: WeakKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			certFile, keyFile := writePair(t, t.TempDir(), old)
			reported := 0
			r, err := NewReloader(certFile, keyFile, ReloaderOptions{OnEvent: func(e ReloadEvent) {
				if e.Kind == ReloadFailed {
					reported++
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			replaceFile(t, certFile, tt.cert)
			replaceFile(t, keyFile, tt.key)
			r.look()
			r.look()
			want, reports := old, 1
			if tt.taken {
				want, reports = renewed, 0
			}
			if got, _ := r.GetCertificate(nil); !got.Leaf.Equal(want.Leaf) {
				t.Error("the wrong certificate is in use")
			}
			if reported != reports {
				t.Errorf("%d reports", reported)
			}
			if err := r.Reload(); (err == nil) != tt.taken || reasonOf(err) != tt.want {
				t.Errorf("an explicit reload says %v", err)
			}
			_, err = NewReloader(certFile, keyFile, quiet)
			if (err == nil) != tt.taken || reasonOf(err) != tt.want {
				t.Errorf("a new start says %v", err)
			}
			writePair(t, filepath.Dir(certFile), renewed)
			if err := r.Reload(); err != nil || !r.Certificate().Leaf.Equal(renewed.Leaf) {
				t.Errorf("it does not recover: %v", err)
			}
		})
	}
}

// replaceFile removes a file, and writes it anew unless data is nil.
func replaceFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if os.Remove(path); data != nil {
		writeFile(t, path, data)
	}
}

// Kubernetes mounts a secret as links through ..data, and swaps that one link for the whole set.
func TestReloaderFollowsASwappedSymbolicLink(t *testing.T) {
	ca := newTestCA(t, "ca")
	dir := t.TempDir()
	point := func(to string) {
		tmp := filepath.Join(dir, "..data_tmp")
		if err := os.Symlink(to, tmp); err != nil {
			t.Skip("no symbolic links here: ", err)
		}
		if err := os.Rename(tmp, filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	certs := map[string]tls.Certificate{"..1": ca.issue(t, nil), "..2": ca.issue(t, nil)}
	for name, cert := range certs {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		writePair(t, filepath.Join(dir, name), cert)
	}
	point("..1")
	for _, name := range []string{"cert.pem", "key.pem"} {
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := NewReloader(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), ReloaderOptions{
		OnEvent: func(e ReloadEvent) {
			if e.Kind != Reloaded {
				t.Error(e)
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"..2", "..1"} {
		point(name)
		if r.look(); !r.Certificate().Leaf.Equal(certs[name].Leaf) {
			t.Errorf("%s is not in use", name)
		}
	}
}

func TestWatchTakesAndReports(t *testing.T) {
	ca := newTestCA(t, "ca")
	synctest.Test(t, func(t *testing.T) {
		valid := func() tls.Certificate { return ca.issueAt(t, time.Now()) }
		old, renewed := valid(), valid()
		certFile, keyFile := writePair(t, t.TempDir(), old)
		var reports []error
		r, err := NewReloader(certFile, keyFile, ReloaderOptions{OnEvent: func(e ReloadEvent) {
			if e.Kind == ReloadFailed {
				reports = append(reports, e.Err)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); r.Watch(ctx, 0) }()
		synctest.Wait() // it looks at once, and would see a file that is being written
		wait := func() { time.Sleep(DefaultInterval + time.Second); synctest.Wait() }

		writeFile(t, certFile, certPEM(renewed.Certificate[0])) // the key is still the old one
		wait()
		wait()
		if len(reports) != 1 || !r.Certificate().Leaf.Equal(old.Leaf) {
			t.Errorf("mismatched for two intervals: reports %v", reports)
		}
		writeFile(t, keyFile, keyPEM(t, renewed))
		wait()
		if len(reports) != 1 || !r.Certificate().Leaf.Equal(renewed.Leaf) {
			t.Errorf("complete: reports %v", reports)
		}
		later := ca.issueAt(t, time.Now().Add(2*time.Hour))
		writePair(t, filepath.Dir(certFile), later)
		wait()
		time.Sleep(2 * time.Hour)
		wait()
		if len(reports) != 2 || !r.Certificate().Leaf.Equal(later.Leaf) {
			t.Errorf("not valid at first: reports %v", reports)
		}
		cancel()
		<-done // or the bubble reports a goroutine left behind
	})
}

func TestLazyReload(t *testing.T) {
	ca := newTestCA(t, "ca")
	synctest.Test(t, func(t *testing.T) {
		old, renewed := ca.issueAt(t, time.Now()), ca.issueAt(t, time.Now())
		certFile, keyFile := writePair(t, t.TempDir(), old)
		r, err := NewReloader(certFile, keyFile, quiet)
		if err != nil {
			t.Fatal(err)
		}
		get := r.lazily(time.Minute)
		writePair(t, filepath.Dir(certFile), renewed)
		for _, tt := range []struct {
			after time.Duration
			want  tls.Certificate
		}{{59 * time.Second, old}, {time.Second, renewed}, {time.Hour, renewed}} {
			time.Sleep(tt.after)
			if got, err := get(nil); err != nil || !got.Leaf.Equal(tt.want.Leaf) {
				t.Errorf("%v later: the wrong certificate, or %v", tt.after, err)
			}
		}
	})
}

func TestReloadsAndHandshakesAtOnce(t *testing.T) {
	ca := newTestCA(t, "ca")
	certFile, keyFile := writePair(t, t.TempDir(), ca.issue(t, nil))
	r, err := NewReloader(certFile, keyFile, quiet)
	if err != nil {
		t.Fatal(err)
	}
	server := mustServer(t, ServerOptions{GetCertificate: r.GetCertificate})
	client := mustClient(t, ClientOptions{RootCAs: ca.pool()})
	lazy := r.lazily(0)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				if s, c := connect(t, server, client); s.err != nil || c.err != nil {
					t.Errorf("server %v, client %v", s.err, c.err)
				}
				lazy(nil)
				r.Reload() // may see a mismatched pair, which must not be used
			}
		})
	}
	for range 20 {
		writePair(t, filepath.Dir(certFile), ca.issue(t, nil))
	}
	wg.Wait()
}
