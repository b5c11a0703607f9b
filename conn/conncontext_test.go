package conn

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/pipe"
)

// userKey is the key of a connection's user.
type userKey struct{}

// users is an option that names the user of a request by its query.
func users(r *http.Request) context.Context {
	if r.URL.Query().Get("user") == "" {
		return nil
	}
	return context.WithValue(bg, userKey{}, r.URL.Query().Get("user"))
}

// seer notes the user that an observer sees.
type seer struct {
	NopObserver
	seen chan any
}

func (s *seer) Opened(c *Conn) { s.seen <- c.Context().Value(userKey{}) }

// TestAConnectionsContextHasTheRequestsValues: for observers, handlers and the filter of a broadcast.
func TestAConnectionsContextHasTheRequestsValues(t *testing.T) {
	g, s := &Group{}, &seer{seen: make(chan any, 2)}
	url, o := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := Accept(w, r, &AcceptOptions{ConnContext: users, Group: g, Observer: s})
		if err == nil {
			c.ServeInBackground(func(c *Conn, m Message) error {
				name, _ := c.Context().Value(userKey{}).(string)
				return c.Write(c.Context(), Text, []byte(name))
			}, nil)
		}
	}), true, true)
	var conns []*Conn
	for _, query := range []string{"?user=ann", ""} {
		c, _, err := Dial(bg, url+"/"+query, o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		conns = append(conns, c)
	}
	if seen := []any{<-s.seen, <-s.seen}; seen[0] != "ann" || seen[1] != nil {
		t.Errorf("the observer saw %v", seen)
	}
	for i, want := range []string{"ann", ""} {
		if err := conns[i].Write(bg, Text, []byte("who am I?")); err != nil {
			t.Fatal(err)
		}
		if _, p, err := conns[i].Read(bg); string(p) != want || err != nil {
			t.Errorf("the handler says %q, %v, want %q", p, err, want)
		}
	}
	p := prepare(t, Text, "for ann")
	if n := g.Broadcast(bg, func(c *Conn) bool { return c.Context().Value(userKey{}) == "ann" }, p); n != 1 {
		t.Errorf("a broadcast to ann reached %d", n)
	}
	if _, p, err := conns[0].Read(bg); string(p) != "for ann" || err != nil {
		t.Errorf("%q, %v", p, err)
	}
}

// TestTheContextEndsWithTheConnectionOrItsParent: the connection outlives its parent.
func TestTheContextEndsWithTheConnectionOrItsParent(t *testing.T) {
	parent, end := context.WithCancelCause(bg)
	o := &AcceptOptions{ConnContext: func(*http.Request) context.Context { return parent }}
	client, server := upgraded(t, o)
	stop := errors.New("the server stops")
	end(stop)
	<-server.Context().Done()
	if cause := context.Cause(server.Context()); cause != stop {
		t.Errorf("the cause is %v", cause)
	}
	go func() { _ = server.Serve(bg, echoBack) }()
	if err := exchanged(client, Text, "still open"); err != nil {
		t.Error(err)
	}
	_ = client.CloseNow()
	<-server.life.Done()

	o = &AcceptOptions{ConnContext: func(*http.Request) context.Context { return bg }}
	client, server = upgraded(t, o)
	_ = server.CloseNow()
	select {
	case <-server.Context().Done():
	case <-time.After(patience):
		t.Fatal("the context did not end with the connection")
	}
	if CloseStatus(context.Cause(server.Context())) != StatusAbnormal {
		t.Errorf("the cause is %v", context.Cause(server.Context()))
	}
	_ = client.CloseNow()
}

// upgraded returns both ends of a connection in memory, made by Client and Upgrade.
func upgraded(t *testing.T, o *AcceptOptions) (client, server *Conn) {
	t.Helper()
	a, b := pipe.New(1 << 16)
	accepted := make(chan *Conn, 1)
	go func() {
		c, _ := Upgrade(bg, net.Conn(b), o)
		accepted <- c
	}()
	client, _, err := Client(bg, a, "ws://localhost/", nil)
	if server = <-accepted; err != nil || server == nil {
		t.Fatal(err)
	}
	return client, server
}

// TestTheMessageLimitCanBeRaised, in a callback too, for the next message and not for one that has begun.
func TestTheMessageLimitCanBeRaised(t *testing.T) {
	for _, compressed := range []bool{false, true} {
		o := &AcceptOptions{MessageLimit: 10}
		d := &DialOptions{}
		if compressed {
			o.Compression = Compression{Mode: CompressionTakeover, Threshold: -1}
			d.Compression = o.Compression
		}
		a, b := pipe.New(1 << 16)
		ended := make(chan error, 1)
		go func() {
			c, err := Upgrade(bg, b, o)
			if err != nil {
				ended <- err
				return
			}
			ended <- c.Serve(bg, func(c *Conn, m Message) error {
				if string(m.Data) == "login" {
					c.SetMessageLimit(1000)
				}
				return c.Write(bg, m.Type, m.Data)
			})
		}()
		client, _, err := Client(bg, a, "ws://localhost/", d)
		if err != nil {
			t.Fatal(err)
		}
		for _, message := range []string{"short", "login", strings.Repeat("long ", 200)} {
			if err := exchanged(client, Text, message); err != nil {
				t.Errorf("compressed %v: %d bytes: %v", compressed, len(message), err)
			}
		}
		if err := exchanged(client, Text, strings.Repeat("x", 1001)); CloseStatus(err) != StatusMessageTooBig {
			t.Errorf("compressed %v: above the new limit: %v", compressed, err)
		}
		if err := <-ended; !errors.Is(err, ErrMessageTooBig) {
			t.Errorf("Serve: %v", err)
		}
	}
}

// TestTheMessageLimitIsThatOfItsBeginning: a message that has begun keeps its limit.
func TestTheMessageLimitIsThatOfItsBeginning(t *testing.T) {
	t.Parallel()
	client, server := upgraded(t, &AcceptOptions{MessageLimit: 10})
	w, err := client.Writer(bg, Text)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte("begun"))
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	_, r, err := server.Reader(bg)
	if err != nil {
		t.Fatal(err)
	}
	server.SetMessageLimit(-1)
	_, _ = w.Write([]byte("and longer than ten"))
	_ = w.Close()
	if err := r.Discard(); !errors.Is(err, ErrMessageTooBig) {
		t.Errorf("%v", err)
	}
	_ = client.CloseNow()
}
