package nats

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/seed-c4549abd/wss/pubsub"
)

type userKey struct{}

func withUser(r *http.Request) context.Context {
	return context.WithValue(context.Background(), userKey{}, r.URL.Query().Get("user"))
}

// numbers is "1 2 3 ... n" from a first.
func numbers(first, last int) string {
	var all []string
	for i := first; i <= last; i++ {
		all = append(all, fmt.Sprint(i))
	}
	return strings.Join(all, " ")
}

var chat = pubsub.TopicOptions{History: 100, Presence: true}

// TestHubsShareTopics by one server: messages in one order, history, members, and who comes back by another hub.
func TestHubsShareTopics(t *testing.T) {
	_, url := startNATS(t, nil)
	var hubs []hub
	for range 3 {
		hubs = append(hubs, newHub(t, startTest(t, Options{URL: url}), chat))
	}
	ready(t, hubs[0].engine, hubs[1].engine, hubs[2].engine)
	const topic = "rooms/Zürich .*> 1"
	ann, bob := hubs[0].connect(t, "ann"), hubs[1].connect(t, "bob")
	ann.ask(`"type":"subscribe","topic":%q`, topic)
	if f := bob.ask(`"type":"subscribe","topic":%q`, topic); f.Type != "subscribed" {
		t.Fatalf("%+v", f)
	}
	ann.waitEvents("join bob")
	for i := range 20 {
		from := []*client{ann, bob}[i%2]
		if f := from.ask(`"type":"publish","topic":%q,"data":%d`, topic, i+1); f.Type != "published" || f.Offset == 0 {
			t.Fatalf("%+v", f)
		}
	}
	ann.wait(numbers(1, 20))
	bob.wait(numbers(1, 20))
	bob.ask(`"type":"publish","topic":%q,"data":21,"echo":false`, topic)
	ann.wait(numbers(1, 21))
	publish(t, hubs[2], topic, "22")
	ann.wait(numbers(1, 22))
	bob.wait(numbers(1, 20) + " 22")

	carl := hubs[2].connect(t, "carl")
	ann.mu.Lock()
	fifth := ann.messages[4].Offset
	ann.mu.Unlock()
	f := carl.ask(`"type":"subscribe","topic":%q,"since":{"epoch":%q,"offset":%d}`, topic, hubs[0].engine.knownEpoch(), fifth)
	if f.Recovered == nil || !*f.Recovered || len(f.Members) != 2 {
		t.Errorf("%+v", f)
	}
	carl.wait(numbers(6, 22))
	ann.waitEvents("join bob, join carl")
	_ = carl.CloseNow()
	ann.waitEvents("join bob, join carl, leave carl")
	// All that there was is kept, so the beginning is known.
	if f := hubs[2].connect(t, "").ask(`"type":"subscribe","topic":%q,"since":{}`, topic); !*f.Recovered {
		t.Errorf("%+v", f)
	}
	if s := hubs[0].engine.Status(); !s.Ready || s.Err != nil || s.Nodes != 3 || s.Topics != 1 {
		t.Errorf("%+v", s)
	}
}

// TestWhatIsLostOnTheWayIsRead from the stream: found by the next message, and without one.
func TestWhatIsLostOnTheWayIsRead(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for seconds, as the engine does")
	}
	_, url := startNATS(t, nil)
	a, b := newHub(t, startTest(t, Options{URL: url}), chat), newHub(t, startTest(t, Options{URL: url}), chat)
	ready(t, a.engine, b.engine)
	c := a.connect(t, "")
	c.ask(`"type":"subscribe","topic":"x"`)
	publish(t, b, "x", "1")
	c.wait("1")
	nc, _ := a.engine.connection()
	a.engine.mu.Lock()
	f := a.engine.followers[a.engine.storedSubject("x")]
	a.engine.mu.Unlock()
	_ = f.sub.Unsubscribe()
	for i := 2; i <= 10; i++ {
		publish(t, b, "x", fmt.Sprint(i))
	}
	var err error
	if f.sub, err = nc.ChanSubscribe(a.engine.liveSubject("x"), a.engine.queues[0]); err != nil {
		t.Fatal(err)
	}
	_ = nc.Flush()
	publish(t, b, "x", "11")
	c.wait(numbers(1, 11))
	_ = f.sub.Unsubscribe()
	publish(t, b, "x", "12")
	c.wait(numbers(1, 12))
	c.waitEvents("")
}

// TestWhatIsGoneIsTold: more was missed than is kept.
func TestWhatIsGoneIsTold(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for seconds, as the engine does")
	}
	_, url := startNATS(t, nil)
	o := pubsub.TopicOptions{History: 5}
	a, b := newHub(t, startTest(t, Options{URL: url, MaxHistory: 5}), o), newHub(t, startTest(t, Options{URL: url, MaxHistory: 5}), o)
	ready(t, a.engine, b.engine)
	c := a.connect(t, "")
	c.ask(`"type":"subscribe","topic":"x"`)
	publish(t, b, "x", "1")
	c.wait("1")
	nc, _ := a.engine.connection()
	a.engine.mu.Lock()
	f := a.engine.followers[a.engine.storedSubject("x")]
	a.engine.mu.Unlock()
	_ = f.sub.Unsubscribe()
	for i := 2; i <= 30; i++ {
		publish(t, b, "x", fmt.Sprint(i))
	}
	c.waitEvents("subscribed")
	var err error
	if f.sub, err = nc.ChanSubscribe(a.engine.liveSubject("x"), a.engine.queues[0]); err != nil {
		t.Fatal(err)
	}
	_ = nc.Flush()
	publish(t, b, "x", "31")
	c.wait("1 31")
	late := a.connect(t, "")
	if f := late.ask(`"type":"subscribe","topic":"x","since":{"epoch":%q,"offset":2}`, a.engine.knownEpoch()); *f.Recovered {
		t.Errorf("%+v", f)
	}
	if f := late.ask(`"type":"history","topic":"x"`); len(f.Messages) != 5 {
		t.Errorf("%+v", f)
	}
}

// TestWithoutServers an engine says so, and serves when they are there.
func TestWithoutServers(t *testing.T) {
	if testing.Short() {
		t.Skip("a subscription waits ten seconds for them")
	}
	address := freeAddresses(t, 1)[0]
	e := startTest(t, Options{URL: "nats://" + address})
	h := newHub(t, e, chat)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if _, err := h.Publish(ctx, "x", []byte("1")); !errors.Is(err, pubsub.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if s := e.Status(); s.Ready || s.Err == nil {
		t.Errorf("%+v", s)
	}
	c := h.connect(t, "ann")
	if f := c.ask(`"type":"subscribe","topic":"x"`); f.Code != pubsub.CodeUnavailable {
		t.Errorf("%+v", f)
	}
	startNATS(t, func(o *server.Options) { _, port, _ := strings.Cut(address, ":"); _, _ = fmt.Sscan(port, &o.Port) })
	ready(t, e)
	if f := c.ask(`"type":"subscribe","topic":"x"`); f.Type != "subscribed" {
		t.Errorf("%+v", f)
	}
	publish(t, h, "x", "1")
	c.wait("1")
}

// TestAServerThatStartsAgain with what it had: nothing is lost. With nothing: a new epoch, and subscribers are told.
func TestAServerThatStartsAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for seconds, as the engine does")
	}
	dir, address := t.TempDir(), freeAddresses(t, 1)[0]
	start := func(dir string) *server.Server {
		s, _ := startNATS(t, func(o *server.Options) {
			o.StoreDir = dir
			_, port, _ := strings.Cut(address, ":")
			_, _ = fmt.Sscan(port, &o.Port)
		})
		return s
	}
	s := start(dir)
	h := newHub(t, startTest(t, Options{URL: "nats://" + address}), chat)
	ready(t, h.engine)
	c := h.connect(t, "ann")
	c.ask(`"type":"subscribe","topic":"x"`)
	publish(t, h, "x", "1")
	c.wait("1")
	s.Shutdown()
	s.WaitForShutdown()
	done := make(chan struct{})
	go func() {
		defer close(done)
		publish(t, h, "x", "2") // waits
	}()
	time.Sleep(time.Second)
	s = start(dir)
	<-done
	c.wait("1 2")
	c.waitEvents("")
	s.Shutdown()
	s.WaitForShutdown()
	start(t.TempDir())
	c.waitEvents("subscribed")
	publish(t, h, "x", "3")
	c.wait("1 2 3")
}

// TestManyPublishers at three hubs, to the same topics: all subscribers see one order, with everything once.
func TestManyPublishers(t *testing.T) {
	_, url := startNATS(t, nil)
	var hubs []hub
	for range 3 {
		hubs = append(hubs, newHub(t, startTest(t, Options{URL: url}), pubsub.TopicOptions{}))
	}
	ready(t, hubs[0].engine, hubs[1].engine, hubs[2].engine)
	const topics, each = 3, 100
	var clients []*client
	for i := range 6 {
		c := hubs[i%3].connect(t, fmt.Sprint(i))
		for k := range topics {
			c.ask(`"type":"subscribe","topic":"t%d"`, k)
		}
		clients = append(clients, c)
	}
	var tasks sync.WaitGroup
	for i, c := range clients {
		tasks.Go(func() {
			for n := range each {
				if f := c.ask(`"type":"publish","topic":"t%d","data":"%d/%d"`, n%topics, i, n); f.Type != "published" {
					t.Errorf("%+v", f)
				}
			}
		})
	}
	tasks.Wait()
	all := func(c *client) string {
		byTopic := map[string][]string{}
		seen := map[string]bool{}
		for _, m := range c.messages {
			if seen[string(m.Data)] {
				return fmt.Sprintf("%s came twice", m.Data)
			}
			seen[string(m.Data)] = true
			byTopic[m.Topic] = append(byTopic[m.Topic], string(m.Data))
		}
		if len(c.messages) < each*len(clients) {
			return fmt.Sprint(len(c.messages), " messages")
		}
		return fmt.Sprint(byTopic)
	}
	clients[0].until("messages", "all", func() string {
		if len(clients[0].messages) == each*len(clients) {
			return "all"
		}
		return all(clients[0])
	})
	clients[0].mu.Lock()
	want := all(clients[0])
	clients[0].mu.Unlock()
	for _, c := range clients[1:] {
		c.until("messages", want, func() string { return all(c) })
	}
}

// TestRefusals of messages that no try would get stored.
func TestRefusals(t *testing.T) {
	_, url := startNATS(t, func(o *server.Options) { o.MaxPayload = 10_000 })
	h := newHub(t, startTest(t, Options{URL: url, MaxBytes: 50_000}), chat)
	ready(t, h.engine)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := h.Publish(ctx, "x", fmt.Appendf(nil, `"%020000d"`, 1)); !errors.Is(err, &pubsub.Error{Code: pubsub.CodeBadData}) {
		t.Errorf("a long message: %v", err)
	}
	var err error
	for range 20 {
		if _, err = h.Publish(ctx, "x", fmt.Appendf(nil, `"%08000d"`, 1)); err != nil {
			break
		}
	}
	if !errors.Is(err, &pubsub.Error{Code: pubsub.CodeTooMany}) {
		t.Errorf("more than MaxBytes: %v", err)
	}
	if _, err := h.Publish(ctx, "x", []byte("no JSON")); !errors.Is(err, pubsub.ErrBadData) {
		t.Errorf("no JSON: %v", err)
	}
}

// TestAConnectionThatNATSGivesUp is made again, and nothing is lost. Bad credentials may become good ones.
func TestAConnectionThatNATSGivesUp(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for seconds, as the engine does")
	}
	dir, address := t.TempDir(), freeAddresses(t, 1)[0]
	start := func(password string) *server.Server {
		s, _ := startNATS(t, func(o *server.Options) {
			o.StoreDir, o.Username, o.Password = dir, "chat", password
			_, port, _ := strings.Cut(address, ":")
			_, _ = fmt.Sscan(port, &o.Port)
		})
		return s
	}
	s := start("right")
	h := newHub(t, startTest(t, Options{URL: "nats://chat:right@" + address}), chat)
	ready(t, h.engine)
	c := h.connect(t, "ann")
	c.ask(`"type":"subscribe","topic":"x"`)
	publish(t, h, "x", "1")
	nc, _ := h.engine.connection()
	nc.Close()
	publish(t, h, "x", "2")
	c.wait("1 2")

	s.Shutdown()
	s.WaitForShutdown()
	s = start("another")
	for deadline := time.Now().Add(time.Minute); !strings.Contains(fmt.Sprint(h.engine.Status().Err), "uthorization"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%+v", h.engine.Status())
		}
	}
	time.Sleep(2 * time.Second) // it has tried more than twice
	s.Shutdown()
	s.WaitForShutdown()
	start("right")
	ready(t, h.engine)
	publish(t, h, "x", "3")
	c.wait("1 2 3")
	c.waitEvents("")
}

// TestMisuse of engines and their options.
func TestMisuse(t *testing.T) {
	dir := t.TempDir()
	e := startTest(t, Options{Dir: dir})
	ready(t, e)
	if _, err := Start(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "another engine") {
		t.Errorf("a folder for two: %v", err)
	}
	first, second := newHub(t, e, chat), newHub(t, e, chat)
	first.connect(t, "ann").ask(`"type":"subscribe","topic":"x"`)
	if f := second.connect(t, "bob").ask(`"type":"subscribe","topic":"x"`); f.Code != pubsub.CodeInternal {
		t.Errorf("two hubs: %+v", f)
	}
	if _, err := first.Publish(t.Context(), "x", []byte("1"), pubsub.Key(strings.Repeat("k", 256))); !errors.Is(err, pubsub.ErrBadKey) {
		t.Errorf("a long key: %v", err)
	}
	long := first.connect(t, strings.Repeat("m", 300))
	if f := long.ask(`"type":"subscribe","topic":"y"`); f.Code != pubsub.CodeBadRequest {
		t.Errorf("a long name: %+v", f)
	}
	longest := first.connect(t, strings.Repeat("%C3%BC", 127))
	if f := longest.ask(`"type":"subscribe","topic":%q`, strings.Repeat("ü", 127)); f.Type != "subscribed" {
		t.Errorf("the longest names: %+v", f)
	}
	if f := first.connect(t, "carl").ask(`"type":"subscribe","topic":"x","since":{"epoch":%q,"offset":99}`, e.knownEpoch()); *f.Recovered {
		t.Errorf("a position that the stream does not have: %+v", f)
	}
	publish(t, first, "x", "1")
	if err := e.Delete(t.Context(), "x"); err != nil {
		t.Error(err)
	}
	keeps := newHub(t, startTest(t, Options{MaxHistory: 5}), pubsub.TopicOptions{History: 2000})
	ready(t, keeps.engine)
	if f := keeps.connect(t, "").ask(`"type":"subscribe","topic":"y"`); f.Type != "subscribed" {
		t.Errorf("more history than MaxHistory: %+v", f)
	}
	if err := e.Close(); err != nil || e.Close() != nil {
		t.Errorf("closed twice: %v", err)
	}
	if _, err := first.Publish(t.Context(), "x", []byte("1")); !errors.Is(err, ErrClosed) || !errors.Is(err, pubsub.ErrUnavailable) {
		t.Errorf("after Close: %v", err)
	}
	again := startTest(t, Options{Dir: dir})
	ready(t, again)
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"Prefix":          {Prefix: "a.b"},
		"Replicas":        {Replicas: 2},
		"URL":             {URL: "nats://127.0.0.1:1", Dir: "x"},
		"Credentials":     {Credentials: "x"},
		"Cluster.Name":    {Cluster: &Cluster{Listen: "127.0.0.1:1"}},
		"Cluster":         {Cluster: &Cluster{Name: "a", Listen: "127.0.0.1", Routes: []string{"127.0.0.1:2"}}},
		"Cluster.Routes":  {Cluster: &Cluster{Name: "a", Listen: "127.0.0.1:1"}},
		"URL, scheme":     {URL: "http://127.0.0.1:1"},
		"URL, none":       {URL: ",,"},
		"Prefix, long":    {Prefix: strings.Repeat("a", 33)},
		"Dir":             {Dir: "/dev/null/folder"},
		"Cluster.TLS":     {Cluster: &Cluster{Name: "a", Listen: "127.0.0.1:1", Routes: []string{"127.0.0.1:2"}, TLS: &tls.Config{}}},
		"Cluster.TLS, 2":  {Cluster: &Cluster{Name: "a", Listen: "127.0.0.1:1", Routes: []string{"127.0.0.1:2"}, TLS: &tls.Config{}, Secret: "s"}},
		"Replicas, alone": {Replicas: 3},
		"Replicas, few":   {Replicas: 3, Cluster: &Cluster{Name: "a", Listen: "127.0.0.1:1", Routes: []string{"127.0.0.1:2"}}},
	} {
		_, err := Start(o)
		want, _, _ := strings.Cut(name, ",")
		if wrong, ok := errors.AsType[*OptionError](err); !ok || wrong.Option != want || !strings.Contains(wrong.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzToken: every text can be part of a subject, and comes back.
func FuzzToken(f *testing.F) {
	for _, s := range []string{"", "a", "=", "a.b*>", "ü\x00\n", "=41"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k := escape(s)
		if strings.Trim(k, "=-_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != "" {
			t.Fatalf("%q", k)
		}
		if got, ok := unescape(k); got != s || !ok {
			t.Fatalf("%q comes back as %q, %v", s, got, ok)
		}
		if back, ok := unescape(s); ok && len(back) > len(s) {
			t.Fatalf("%q is taken for %q", s, back)
		}
	})
}
