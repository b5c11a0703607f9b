package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/pubsub"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// server has a hub, the page with the checks, and what they ask of it.
type server struct {
	url            string // https
	client, checks []byte
	hub            *pubsub.Hub
	http           *http.Server
	done           chan struct{}

	down atomic.Bool // new connections are refused

	mu      sync.Mutex
	results []result
	ended   bool
}

// result is what the checks tell.
type result struct{ Name, Failed string }

type userKey struct{}

func userOf(c *conn.Conn) string {
	user, _ := c.Context().Value(userKey{}).(string)
	return user
}

const page = `<!doctype html><meta charset="utf-8"><title>topics</title><script type="module">
import { PubSub } from "/pubsub.js";
import { run } from "/checks.mjs";
await run(location.origin, PubSub);
</script>`

func serve(ca *tlsconf.DevCA, client []byte) (*server, error) {
	checks, err := os.ReadFile(filepath.Join(here(), "checks.mjs"))
	if err != nil {
		return nil, err
	}
	config, err := tlsconf.Server(tlsconf.ServerOptions{GetCertificate: ca.GetCertificate})
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		return nil, err
	}
	s := &server{url: "https://localhost:" + port, client: client, checks: checks, done: make(chan struct{})}
	s.hub = pubsub.New(&pubsub.Options{
		Authorize: func(_ *conn.Conn, _ pubsub.Action, topic string) error {
			if topic == "closed" {
				return pubsub.ErrForbidden
			}
			return nil
		},
		Topic: func(name string) pubsub.TopicOptions {
			o := pubsub.TopicOptions{History: 1000, Presence: name == "room"}
			if name == "short" {
				o.History = 5
			}
			return o
		},
		Member: func(c *conn.Conn) pubsub.Member {
			return pubsub.Member{ID: userOf(c), Info: fmt.Appendf(nil, `{"name":%q}`, strings.ToUpper(userOf(c)))}
		},
	})
	mux := http.NewServeMux()
	topics := s.hub.Handler(&conn.AcceptOptions{ConnContext: func(r *http.Request) context.Context {
		return context.WithValue(context.Background(), userKey{}, r.URL.Query().Get("user"))
	}})
	mux.HandleFunc("/topics", func(w http.ResponseWriter, r *http.Request) {
		if s.down.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		topics.ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /hangs", func(w http.ResponseWriter, r *http.Request) { // it takes everything, and says nothing
		if c, err := conn.Accept(w, r, &conn.AcceptOptions{Subprotocols: []string{pubsub.Subprotocol}, Group: s.hub.Group()}); err == nil {
			c.ServeInBackground(func(*conn.Conn, conn.Message) error { return nil }, nil)
		}
	})
	for path, content := range map[string][]byte{"/{$}": []byte(page), "/pubsub.js": client, "/checks.mjs": checks} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
			if path == "/{$}" {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
			}
			_, _ = w.Write(content)
		})
	}
	mux.HandleFunc("POST /publish", s.publish)
	mux.HandleFunc("POST /cut", func(_ http.ResponseWriter, r *http.Request) { s.cut(r.FormValue("user")) })
	mux.HandleFunc("POST /down", func(http.ResponseWriter, *http.Request) { s.down.Store(true); s.cut("") })
	mux.HandleFunc("POST /up", func(http.ResponseWriter, *http.Request) { s.down.Store(false) })
	mux.HandleFunc("POST /result", s.result)
	mux.HandleFunc("POST /done", func(http.ResponseWriter, *http.Request) { s.end() })
	s.http = &http.Server{Handler: mux, TLSConfig: config, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.http.ServeTLS(conn.NewListener(ln), "", "") }()
	return s, nil
}

// publish publishes numbers, so many, one every so often.
func (s *server) publish(w http.ResponseWriter, r *http.Request) {
	count, _ := strconv.Atoi(r.FormValue("count"))
	every, _ := time.ParseDuration(r.FormValue("every"))
	for i := range count {
		if _, err := s.hub.Publish(r.Context(), r.FormValue("topic"), strconv.AppendInt(nil, int64(i+1), 10)); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		time.Sleep(every)
	}
}

// cut ends the connections of a user, or of all with "", without a closing handshake.
func (s *server) cut(user string) {
	for c := range s.hub.Group().Conns() {
		if user == "" || userOf(c) == user {
			_ = c.CloseNow()
		}
	}
}

func (s *server) result(w http.ResponseWriter, r *http.Request) {
	var one result
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&one); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.results = append(s.results, one)
	s.mu.Unlock()
}

func (s *server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended = true
		close(s.done)
	}
}

func (s *server) all() []result {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.results
}

func (s *server) close() {
	s.cut("")
	_ = s.http.Close()
}
