package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
)

// start runs the server and returns its URL.
func start(t *testing.T, args ...string) (url string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"server", "-listen", "127.0.0.1:0"}, args...), in)
		_ = in.CloseWithError(err)
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "listening "))
}

func TestTheServerEchoes(t *testing.T) {
	for scheme, args := range map[string][]string{"ws": {"-compress"}, "wss": {"-tls"}} {
		url := start(t, args...)
		if !strings.HasPrefix(url, scheme+"://127.0.0.1:") {
			t.Fatalf("URL %q", url)
		}
		c, _, err := conn.Dial(t.Context(), url, &conn.DialOptions{
			TLS: &tls.Config{InsecureSkipVerify: true}, MessageLimit: messageLimit, Compression: compression(true, 0),
		})
		if err != nil {
			t.Fatal(err)
		}
		if c.Compressed() != (scheme == "ws") {
			t.Errorf("%s: compressed %v", scheme, c.Compressed())
		}
		for _, n := range []int{0, 5, 16 << 20} {
			written := make(chan error, 1)
			go func() { written <- c.Write(t.Context(), conn.Binary, make([]byte, n)) }()
			if _, p, err := c.Read(t.Context()); len(p) != n || err != nil {
				t.Errorf("%s: %d bytes, %v", scheme, len(p), err)
			}
			if err := <-written; err != nil {
				t.Error(err)
			}
		}
		if err := c.Close(conn.StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
	}
}
