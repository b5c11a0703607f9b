package nats

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/conntest"
	"github.com/seed-c4549abd/wss/pubsub"
	"github.com/seed-c4549abd/wss/test/ports"
)

// startTest starts an engine that ends with the test.
func startTest(t *testing.T, o Options) *Engine {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(newWriter(t), nil))
	}
	e, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// writer logs until the test ends: goroutines of NATS may have something to say later.
type writer struct {
	mu   sync.Mutex
	t    *testing.T
	over bool
}

func newWriter(t *testing.T) *writer {
	w := &writer{t: t}
	t.Cleanup(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.over = true
	})
	return w
}

func (w *writer) Write(p []byte) (int, error) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		w.t.Log(strings.TrimSpace(string(p)))
	}
	return len(p), nil
}

func ready(t *testing.T, engines ...*Engine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, e := range engines {
		if err := e.Ready(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// startNATS starts a server for engines by URL.
func startNATS(t *testing.T, change func(*server.Options)) (s *server.Server, url string) {
	t.Helper()
	o := &server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true}
	if change != nil {
		change(o)
	}
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("the server does not start")
	}
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s, s.ClientURL()
}

// freeAddresses returns addresses that nobody listens at.
func freeAddresses(t testing.TB, n int) (all []string) {
	t.Helper()
	for range n {
		port, err := ports.Free()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("127.0.0.1:%d", port))
	}
	return all
}

// hub is one with an engine, and its server.
type hub struct {
	*pubsub.Hub
	engine *Engine
	server *conntest.Server
}

func newHub(t *testing.T, e *Engine, o pubsub.TopicOptions) hub {
	t.Helper()
	h := pubsub.New(&pubsub.Options{
		Engine: e, Authorize: pubsub.Anyone, Topic: func(string) pubsub.TopicOptions { return o }, RequestRate: -1,
		Member: func(c *conn.Conn) pubsub.Member {
			name, _ := c.Context().Value(userKey{}).(string)
			return pubsub.Member{ID: name}
		},
	})
	s := conntest.NewServer(t, h.Handler(&conn.AcceptOptions{ConnContext: withUser}), &conntest.Options{NoTranscript: true})
	return hub{h, e, s}
}

// client collects what it is sent.
type client struct {
	*conntest.Client
	t       *testing.T
	replies chan frame

	mu       sync.Mutex
	messages []frame
	events   []string
	changed  chan struct{}
}

type frame struct {
	Type, Topic, Epoch, Code string
	ID                       int
	Offset                   uint64
	Recovered                *bool
	Data                     json.RawMessage
	Member                   struct{ ID string }
	Members                  []struct{ ID string }
	Messages                 []struct{ Offset uint64 }
}

func (h hub) connect(t *testing.T, user string) *client {
	t.Helper()
	c := &client{Client: h.server.Connect("/?user="+user, nil), t: t, replies: make(chan frame, 100), changed: make(chan struct{})}
	go func() {
		defer close(c.replies)
		for {
			_, p, err := c.Read(context.Background())
			if err != nil {
				return
			}
			var f frame
			if err := json.Unmarshal(p, &f); err != nil {
				t.Error(err)
				return
			}
			c.take(f)
		}
	}()
	return c
}

func (c *client) take(f frame) {
	if f.ID != 0 {
		c.replies <- f
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch f.Type {
	case "message":
		c.messages = append(c.messages, f)
	case "join", "leave":
		c.events = append(c.events, f.Type+" "+f.Member.ID)
	default:
		c.events = append(c.events, f.Type)
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

// ask sends a request and returns its answer.
func (c *client) ask(format string, args ...any) frame {
	c.t.Helper()
	if err := c.Write(context.Background(), conn.Text, []byte(`{"id":1,`+fmt.Sprintf(format, args...)+`}`)); err != nil {
		c.t.Fatal(err)
	}
	select {
	case f := <-c.replies:
		return f
	case <-time.After(time.Minute):
		c.t.Fatal("no answer")
		return frame{}
	}
}

// wait waits until the data of the messages is as it should be: "1 2 3".
func (c *client) wait(want string) {
	c.t.Helper()
	c.until("messages", want, func() string {
		var all []string
		for _, m := range c.messages {
			all = append(all, string(m.Data))
		}
		return strings.Join(all, " ")
	})
}

func (c *client) waitEvents(want string) {
	c.t.Helper()
	c.until("events", want, func() string { return strings.Join(c.events, ", ") })
}

func (c *client) until(what, want string, get func() string) {
	c.t.Helper()
	for timeout := time.After(time.Minute); ; {
		c.mu.Lock()
		got, changed := get(), c.changed
		c.mu.Unlock()
		if got == want {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			c.t.Fatalf("%s: %.2000s; want %.2000s", what, got, want)
		}
	}
}

func publish(t *testing.T, h hub, topic, data string) pubsub.Position {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	at, err := h.Publish(ctx, topic, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return at
}
