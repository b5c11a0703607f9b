package tlsconf

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// issueFor is issue for a certificate that is valid from now on, for some time.
func (ca *testCA) issueFor(t testing.TB, life time.Duration) tls.Certificate {
	t.Helper()
	return ca.issue(t, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Now(), time.Now().Add(life) })
}

// diary keeps the kinds of what a Reloader reports, with the day on which it did.
type diary struct {
	begin  time.Time
	lines  []string
	events []ReloadEvent
}

func (d *diary) add(e ReloadEvent) {
	d.lines = append(d.lines, string(e.Kind)+" "+time.Since(d.begin).Truncate(time.Hour).String())
	d.events = append(d.events, e)
}

const day = 24 * time.Hour

// TestExpiryIsReported: ahead of time, at the time, every day again, and no longer when it is renewed; by
// whoever notices.
func TestExpiryIsReported(t *testing.T) {
	ca := newTestCA(t, "ca")
	notices := map[string]func(*Reloader){
		"Watch":                func(*Reloader) {}, // it runs anyway
		"Reload":               func(r *Reloader) { _ = r.Reload() },
		"a handshake":          func(r *Reloader) { _, _ = r.GetCertificate(nil) },
		"a client's handshake": func(r *Reloader) { _, _ = r.GetClientCertificate(nil) },
	}
	for name, notice := range notices {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				certFile, keyFile := writePair(t, t.TempDir(), ca.issueFor(t, 5*day-time.Hour))
				d := &diary{begin: time.Now()}
				r, err := NewReloader(certFile, keyFile, ReloaderOptions{OnEvent: d.add, WarnBefore: 40 * time.Hour})
				if err != nil {
					t.Fatal(err)
				}
				if name == "Watch" {
					ctx, cancel := context.WithCancel(t.Context())
					done := make(chan struct{})
					go func() { defer close(done); r.Watch(ctx, time.Hour) }()
					defer func() { cancel(); <-done }()
				}
				pass := func(hours int) {
					for range hours {
						time.Sleep(time.Hour)
						synctest.Wait()
						notice(r)
					}
				}
				pass(24*6 + 12)
				writePair(t, filepath.Dir(certFile), ca.issueFor(t, 90*day))
				if name != "Watch" {
					_ = r.Reload()
				}
				pass(24 * 10)
				want := []string{"expiring 79h0m0s", "expiring 103h0m0s", "expired 120h0m0s", "expired 144h0m0s", "recovered 156h0m0s"}
				if name == "Watch" {
					want[4] = "recovered 157h0m0s"
				}
				if diff := cmp.Diff(want, d.lines); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestReloadReportsAnExpiredCertificateInUse, whether the files are the same or cannot be used.
func TestReloadReportsAnExpiredCertificateInUse(t *testing.T) {
	ca := newTestCA(t, "ca")
	synctest.Test(t, func(t *testing.T) {
		certFile, keyFile := writePair(t, t.TempDir(), ca.issueFor(t, day))
		r, err := NewReloader(certFile, keyFile, quiet)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(day)
		if err := r.Reload(); err != nil {
			t.Errorf("in its last second: %v", err)
		}
		time.Sleep(time.Second)
		if err := r.Reload(); reasonOf(err) != Expired || !strings.Contains(err.Error(), certFile) {
			t.Errorf("expired: %v", err)
		}
		if err := os.Remove(keyFile); err != nil {
			t.Fatal(err)
		}
		if err := r.Reload(); reasonOf(err) != Expired || !errors.Is(err, os.ErrNotExist) {
			t.Errorf("expired, and no key: %v", err)
		}
		writePair(t, filepath.Dir(certFile), ca.issueFor(t, day))
		if err := r.Reload(); err != nil {
			t.Errorf("renewed: %v", err)
		}
	})
}

// TestTheSecondOfExpiryAndARenewalInTime: the last valid second is the certificate's, and what is renewed before it has
// ended is not a recovery.
func TestTheSecondOfExpiryAndARenewalInTime(t *testing.T) {
	ca := newTestCA(t, "ca")
	synctest.Test(t, func(t *testing.T) {
		certFile, keyFile := writePair(t, t.TempDir(), ca.issueFor(t, day))
		d := &diary{begin: time.Now()}
		r, err := NewReloader(certFile, keyFile, ReloaderOptions{OnEvent: d.add})
		if err != nil {
			t.Fatal(err)
		}
		expect := func(name string, want ...string) {
			t.Helper()
			_ = r.Reload()
			if diff := cmp.Diff(want, d.lines); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			d.lines = nil
		}
		time.Sleep(16*time.Hour - time.Second)
		expect("a second before the last third of its life")
		time.Sleep(time.Second)
		expect("in the last third", "expiring 16h0m0s")
		writePair(t, filepath.Dir(certFile), ca.issueFor(t, day))
		expect("renewed in time", "reloaded 16h0m0s")
		time.Sleep(day)
		expect("its last second", "expiring 40h0m0s")
		time.Sleep(time.Second)
		expect("a second later", "expired 40h0m0s")
		writePair(t, filepath.Dir(certFile), ca.issueFor(t, day))
		expect("renewed too late", "recovered 40h0m0s")
	})
}

// TestEachChangeIsReportedOnce: success, failure and recovery.
func TestEachChangeIsReportedOnce(t *testing.T) {
	ca := newTestCA(t, "ca")
	first, second := ca.issue(t, nil), ca.issue(t, nil)
	certFile, keyFile := writePair(t, t.TempDir(), first)
	var got []ReloadEvent
	r, err := NewReloader(certFile, keyFile, ReloaderOptions{OnEvent: func(e ReloadEvent) { got = append(got, e) }})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name      string
		cert, key tls.Certificate
		kind      ReloadKind
		inUse     tls.Certificate
	}{
		{"nothing has changed", first, first, "", first},
		{"the certificate without its key", second, first, ReloadFailed, first},
		{"the same again", second, first, "", first},
		{"the old pair returns", first, first, ReloadRecovered, first},
		{"a new pair", second, second, Reloaded, second},
		{"the key without its certificate", second, first, ReloadFailed, second},
		{"the certificate, too", first, first, ReloadRecovered, first},
		{"and nothing more", first, first, "", first},
	} {
		replaceFile(t, certFile, certPEM(step.cert.Certificate[0]))
		replaceFile(t, keyFile, keyPEM(t, step.key))
		got = nil
		err := r.Reload()
		if (err == nil) != (step.cert.Leaf.Equal(step.key.Leaf)) {
			t.Errorf("%s: Reload returns %v", step.name, err)
		}
		switch {
		case step.kind == "" && len(got) == 0:
		case len(got) != 1 || got[0].Kind != step.kind || !got[0].Cert.Equal(step.inUse.Leaf) || (got[0].Err != nil) != (step.kind == ReloadFailed):
			t.Errorf("%s: reported %v, want %q", step.name, got, step.kind)
		}
	}
}

func TestWhenWarningsBegin(t *testing.T) {
	end := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name         string
		life, before time.Duration
		want         time.Duration // before the end
	}{
		{"a year, by default", 365 * day, 0, 14 * day},
		{"six weeks, by default", 42 * day, 0, 14 * day},
		{"six days, by default", 6 * day, 0, 2 * day},
		{"as long as it is told", 365 * day, 30 * day, 30 * day},
		{"longer than it lives", day, 30 * day, 30 * day},
		{"not at all ahead", 365 * day, -1, -time.Second},
		{"the longest time", 365 * day, 1<<63 - 1, (1<<63 - 1) / time.Second * time.Second},
	} {
		cert := &x509.Certificate{NotBefore: end.Add(-tt.life), NotAfter: end}
		if got := end.Unix() - (ReloaderOptions{WarnBefore: tt.before}).warnFrom(cert); got != int64(tt.want/time.Second) {
			t.Errorf("%s: %d seconds before, want %d", tt.name, got, int64(tt.want/time.Second))
		}
	}
}

// TestACertificateWithoutAnEndIsNotReported: nanoseconds since 1970 overflow in 2262.
func TestACertificateWithoutAnEndIsNotReported(t *testing.T) {
	ca := newTestCA(t, "ca")
	endless := ca.issue(t, func(c *x509.Certificate) { c.NotAfter = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) })
	certFile, keyFile := writePair(t, t.TempDir(), endless)
	r, err := NewReloader(certFile, keyFile, ReloaderOptions{OnEvent: func(e ReloadEvent) { t.Error(e) }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.GetCertificate(nil); err != nil {
		t.Error(err)
	}
	if err := r.Reload(); err != nil {
		t.Error(err)
	}
}

// TestNothingIsSilentWithoutAHook: package log has it then.
func TestNothingIsSilentWithoutAHook(t *testing.T) {
	var out bytes.Buffer
	defer log.SetOutput(log.Writer())
	log.SetOutput(&out)
	ca := newTestCA(t, "ca")
	synctest.Test(t, func(t *testing.T) {
		certFile, keyFile := writePair(t, t.TempDir(), ca.issueFor(t, 3*day))
		config := mustServer(t, ServerOptions{CertFile: certFile, KeyFile: keyFile})
		handshake := func(after time.Duration, want string) {
			t.Helper()
			out.Reset()
			time.Sleep(after)
			if cert, err := config.GetCertificate(nil); cert == nil || err != nil {
				t.Error(err)
			}
			if got := out.String(); !strings.Contains(got, want) || want == "" && got != "" || strings.Count(got, "\n") > 1 {
				t.Errorf("logged %q, want %q", got, want)
			}
		}
		handshake(time.Hour, "")
		handshake(2*day, "expires soon, and has not been renewed: certificate")
		handshake(time.Hour, "")
		handshake(day, "has expired")
		writeFile(t, keyFile, nil)
		handshake(time.Hour, "still in use: certificate")
		writePair(t, filepath.Dir(certFile), ca.issueFor(t, 100*day))
		handshake(time.Hour, "certificate recovered: certificate")
		writePair(t, filepath.Dir(certFile), ca.issueFor(t, 100*day))
		handshake(time.Hour, "")
	})
}

// TestAHookMayCallTheReloader: no lock is held while it runs.
func TestAHookMayCallTheReloader(t *testing.T) {
	ca := newTestCA(t, "ca")
	certFile, keyFile := writePair(t, t.TempDir(), ca.issue(t, nil))
	var r *Reloader
	calls := 0
	r, err := NewReloader(certFile, keyFile, ReloaderOptions{OnEvent: func(ReloadEvent) {
		calls++
		_ = r.Reload()
		_, _ = r.GetCertificate(nil)
	}})
	if err != nil {
		t.Fatal(err)
	}
	replaceFile(t, keyFile, nil)
	if err := r.Reload(); err == nil || calls != 1 {
		t.Errorf("%v, %d calls", err, calls)
	}
}

func TestWatchLooksAtOnceAndEndsWithItsContext(t *testing.T) {
	ca := newTestCA(t, "ca")
	certFile, keyFile := writePair(t, t.TempDir(), ca.issue(t, nil))
	events := make(chan ReloadEvent, 1)
	r, err := NewReloader(certFile, keyFile, ReloaderOptions{OnEvent: func(e ReloadEvent) { events <- e }})
	if err != nil {
		t.Fatal(err)
	}
	writePair(t, filepath.Dir(certFile), ca.issue(t, nil))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.Watch(ctx, time.Hour) }()
	if e := <-events; e.Kind != Reloaded {
		t.Error(e)
	}
	cancel()
	<-done
	r.Watch(ctx, time.Hour) // its context has ended: it looks no more
	if len(events) != 0 {
		t.Error("looked")
	}
}
