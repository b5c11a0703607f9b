package reconnect

import (
	"context"
	"crypto/tls"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/conntest"
)

var bg = context.Background()

// longest is a Rand that makes every delay as long as possible.
func longest(n time.Duration) time.Duration { return n }

// script is a handler that serves the n-th request by its n-th step. After the last it refuses with 418, which stops a client.
type script struct {
	mu    sync.Mutex
	steps []http.HandlerFunc
	began []time.Time // of the requests
}

func newScript(steps ...http.HandlerFunc) *script { return &script{steps: steps} }

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.began = append(s.began, time.Now())
	n := len(s.began) - 1
	s.mu.Unlock()
	if n >= len(s.steps) {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	s.steps[n](w, r)
}

// intervals returns the times between the requests.
func (s *script) intervals() (all []time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := 1; i < len(s.began); i++ {
		all = append(all, s.began[i].Sub(s.began[i-1]))
	}
	return all
}

// refuse answers with a status and header fields: name, value, name, value.
func refuse(status int, fields ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(fields); i += 2 {
			w.Header().Add(fields[i], fields[i+1])
		}
		w.WriteHeader(status)
	}
}

// accept keeps a connection for a time, and closes it with a code; with 0 it sends no close frame.
func accept(d time.Duration, code conn.StatusCode) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		read := c.CloseRead(bg)
		select {
		case <-time.After(d):
			if code != 0 {
				_ = c.Close(code, "")
			}
		case <-read.Done():
		}
	}
}

// fast starts a server behind a network without latency, so that all delays are the client's.
func fast(t testing.TB, h http.Handler) *conntest.Server {
	return conntest.NewServer(t, h, &conntest.Options{
		ToServer: conntest.Direction{Latency: -1}, ToClient: conntest.Direction{Latency: -1},
	})
}

// reads reads until the connection ends, as most applications do.
func reads(ctx context.Context, c *conn.Conn) error {
	for {
		if _, _, err := c.Read(ctx); err != nil {
			return err
		}
	}
}

// conntestTLS starts a server with a TLS configuration.
func conntestTLS(t testing.TB, cfg *tls.Config) *conntest.Server {
	return conntest.NewServer(t, newScript(), &conntest.Options{URL: "wss://localhost/", TLS: cfg})
}
