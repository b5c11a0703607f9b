//go:build unix

package conn

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/testtls"
)

// TestAFullDescriptorTable has a process of its own run out of descriptors: the limit
// would be everybody's.
func TestAFullDescriptorTable(t *testing.T) {
	if os.Getenv("WSS_FAULTS_CHILD") == "descriptors" {
		accounted(t, "http", func(t *testing.T) { outOfDescriptors(t, httpServer) })
		accounted(t, "upgrade", func(t *testing.T) { outOfDescriptors(t, upgradeServer) })
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestAFullDescriptorTable$", "-test.v", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), "WSS_FAULTS_CHILD=descriptors")
	out, err := cmd.CombinedOutput()
	if strings.Contains(string(out), "--- SKIP") {
		t.Skipf("%s", out)
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: TestAFullDescriptorTable/upgrade") {
		t.Errorf("%v\n%s", err, out)
	}
}

// refusals is a log of a server that tells when an accept has failed.
type refusals chan struct{}

func (r refusals) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "too many open files") {
		select {
		case r <- struct{}{}:
		default:
		}
	}
	return len(p), nil
}

// httpServer echoes under net/http, which goes on after temporary errors of accept.
func httpServer(t *testing.T, ln net.Listener, cfg *tls.Config, failed refusals) (stop func()) {
	srv := &http.Server{Handler: echoHandler(nil), TLSConfig: cfg, ErrorLog: log.New(failed, "", 0)}
	done := make(chan error, 1)
	go func() { done <- srv.ServeTLS(NewListener(ln), "", "") }()
	return func() {
		_ = srv.Close()
		if err := <-done; err != http.ErrServerClosed {
			t.Error(err)
		}
	}
}

// upgradeServer is the loop that one writes around Upgrade. Errors of accept must come
// through our listener as they are, so that it can tell those that will pass.
func upgradeServer(t *testing.T, inner net.Listener, cfg *tls.Config, failed refusals) (stop func()) {
	ln := tls.NewListener(NewListener(inner), cfg)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if errors.Is(err, syscall.EMFILE) {
				_, _ = failed.Write([]byte(err.Error()))
				time.Sleep(time.Millisecond) // as net/http does
				continue
			}
			if err != nil {
				return
			}
			wg.Go(func() {
				if c, err := Upgrade(bg, nc, nil); err == nil {
					<-echo(c)
				}
			})
		}
	})
	return func() { _ = ln.Close(); wg.Wait() }
}

// hoard takes all descriptors that are left, and returns how to give them back: some
// number, or all if negative.
func hoard(t *testing.T) (give func(n int)) {
	t.Helper()
	var fds []int
	for {
		fd, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if err != nil {
			break
		}
		fds = append(fds, fd)
	}
	if len(fds) < 4 {
		t.Fatalf("only %d descriptors were left", len(fds))
	}
	return func(n int) {
		for ; n != 0 && len(fds) > 0; n-- {
			_ = syscall.Close(fds[len(fds)-1])
			fds = fds[:len(fds)-1]
		}
	}
}

// lowLimit allows a few more descriptors than are in use, until the test ends.
func lowLimit(t *testing.T) {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Skipf("no limit of descriptors to be had: %v", err)
	}
	low := before
	low.Cur = 64
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Skipf("the limit of descriptors cannot be set: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before) })
}

func talks(t *testing.T, c *Conn, when string) {
	t.Helper()
	if err := errors.Join(exchanged(c, Text, when), exchanged(c, Binary, when)); err != nil {
		t.Errorf("%s: %v", when, err)
	}
}

func outOfDescriptors(t *testing.T, start func(*testing.T, net.Listener, *tls.Config, refusals) func()) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sc, cc := testtls.Configs(tls.VersionTLS13)
	failed := make(refusals, 1)
	defer start(t, ln, sc, failed)()
	url, o := "wss://"+ln.Addr().String(), &DialOptions{TLS: cc, HandshakeTimeout: patience, CloseTimeout: patience}
	before, _, err := Dial(bg, url, o)
	if err != nil {
		t.Fatal(err)
	}
	talks(t, before, "before")
	lowLimit(t)
	give := hoard(t)
	defer give(-1)

	// Nothing is left for a socket.
	_, _, err = Dial(bg, url, o)
	if !errors.Is(err, syscall.EMFILE) || !strings.Contains(err.Error(), url) {
		t.Errorf("Dial says %v", err)
	}
	talks(t, before, "meanwhile")

	// One is left, for the client's: the server has none to accept with.
	give(1)
	for len(failed) > 0 {
		<-failed
	}
	ctx, cancel := context.WithTimeout(bg, patience)
	defer cancel()
	type dialed struct {
		c   *Conn
		err error
	}
	later := make(chan dialed, 1)
	go func() {
		c, _, err := Dial(ctx, url, o)
		later <- dialed{c, err}
	}()
	select {
	case <-failed:
	case <-ctx.Done():
		t.Fatal("no accept has failed")
	}
	talks(t, before, "while the server cannot accept")
	give(-1)
	d := <-later
	if d.err != nil {
		t.Fatal(d.err)
	}
	talks(t, d.c, "when there are descriptors again")
	for _, c := range []*Conn{before, d.c} {
		if err := c.Close(StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
	}
}
