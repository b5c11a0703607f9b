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

// longest is a Rand with which every wait is as long as it can be.
func longest(n time.Duration) time.Duration { return n }

// script is a handler that does something else for each connection; after its end it refuses with 418, which stops a client.
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

// intervals are the times between the requests.
func (s *script) intervals() (all []time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := 1; i < len(s.began); i++ {
		all = append(all, s.began[i].Sub(s.began[i-1]))
	}
	return all
}

// refuse answers with a status, and with fields if there are any: name, value, name, value.
func refuse(status int, fields ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(fields); i += 2 {
			w.Header().Add(fields[i], fields[i+1])
		}
		w.WriteHeader(status)
	}
}

// accept keeps a connection for a time, and closes it with a code; 0 is without a close frame.
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

// fast is a network without latency, so that times are those of the client alone.
func fast(t testing.TB, h http.Handler) *conntest.Server {
	return conntest.NewServer(t, h, &conntest.Options{
		ToServer: conntest.Direction{Latency: -1}, ToClient: conntest.Direction{Latency: -1},
	})
}

// reads is what most applications do.
func reads(ctx context.Context, c *conn.Conn) error {
	for {
		if _, _, err := c.Read(ctx); err != nil {
			return err
		}
	}
}

// conntestTLS is a server with a configuration of its own.
func conntestTLS(t testing.TB, cfg *tls.Config) *conntest.Server {
	return conntest.NewServer(t, newScript(), &conntest.Options{URL: "wss://localhost/", TLS: cfg})
}
