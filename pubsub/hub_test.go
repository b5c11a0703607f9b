package pubsub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/conntest"
	"github.com/seed-c4549abd/wss/pubsub"
)

var bg = context.Background()

// frame is any message of the server's.
type frame struct {
	Type, ID, Topic, Epoch, Key, Code, Message string
	Offset                                     uint64
	Recovered, Complete                        *bool
	Data                                       json.RawMessage
	Member                                     struct{ ID string }
	Members                                    []struct {
		ID   string
		Info json.RawMessage
	}
	Messages []struct {
		Offset uint64
		Data   json.RawMessage
	}
}

// client speaks the protocol.
type client struct {
	*conntest.Client
	t *testing.T
}

func connect(t *testing.T, s *conntest.Server) client {
	t.Helper()
	return client{s.Connect("/", nil), t}
}

// ask sends a request and returns the next message.
func (c client) ask(format string, args ...any) frame {
	c.t.Helper()
	c.say(format, args...)
	return c.next()
}

func (c client) say(format string, args ...any) {
	c.t.Helper()
	if err := c.Write(bg, conn.Text, fmt.Appendf(nil, format, args...)); err != nil {
		c.t.Fatal(err)
	}
}

func (c client) next() (f frame) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(bg, 30*time.Second)
	defer cancel()
	_, p, err := c.Read(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := json.Unmarshal(p, &f); err != nil {
		c.t.Fatalf("%s: %v", p, err)
	}
	return f
}

// want compares the next message with "type topic offset data".
func (c client) want(want string) {
	c.t.Helper()
	f := c.next()
	if got := strings.TrimSpace(fmt.Sprintf("%s %s %d %s%s", f.Type, f.Topic, f.Offset, f.Data, f.Member.ID)); got != want {
		c.t.Errorf("%s, want %s", got, want)
	}
}

// silent reports a message that should not come.
func (c client) silent() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(bg, time.Second)
	defer cancel()
	if _, p, err := c.Read(ctx); err != context.DeadlineExceeded {
		c.t.Errorf("got %s, %v", p, err)
	}
}

// inBubble runs a test with a hub and its server, in a bubble.
func inBubble(t *testing.T, o *pubsub.Options, test func(t *testing.T, h *pubsub.Hub, s *conntest.Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := pubsub.New(o)
		test(t, h, conntest.NewServer(t, h.Handler(nil), nil))
	})
}

func publish(t *testing.T, h *pubsub.Hub, topic, data string, o ...pubsub.PublishOption) pubsub.Position {
	t.Helper()
	at, err := h.Publish(bg, topic, []byte(data), o...)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestSubscribersGetWhatIsPublished, each topic's in order, until they unsubscribe.
func TestSubscribersGetWhatIsPublished(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, h *pubsub.Hub, s *conntest.Server) {
		a, b := connect(t, s), connect(t, s)
		if f := a.ask(`{"type":"subscribe","id":"1","topic":"news"}`); f.Type != "subscribed" || f.ID != "1" || f.Offset != 0 || f.Epoch == "" {
			t.Errorf("%+v", f)
		}
		a.ask(`{"type":"subscribe","topic":"other"}`)
		b.ask(`{"type":"subscribe","topic":"news"}`)
		publish(t, h, "news", `"one"`)
		publish(t, h, "news", `{"two":2}`)
		publish(t, h, "other", `3`)
		publish(t, h, "nobody", `4`)
		for _, want := range []string{`message news 1 "one"`, `message news 2 {"two":2}`, `message other 1 3`} {
			a.want(want)
		}
		b.want(`message news 1 "one"`)
		b.want(`message news 2 {"two":2}`)
		if f := a.ask(`{"type":"unsubscribe","id":"2","topic":"news"}`); f.Type != "unsubscribed" {
			t.Errorf("%+v", f)
		}
		publish(t, h, "news", `"three"`)
		b.want(`message news 3 "three"`)
		a.silent()
		want := pubsub.Stats{Topics: 2, Subscribers: 2, Subscriptions: 2, Published: 5, Delivered: 6}
		if got := h.Stats(); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		_ = a.CloseNow()
		_ = b.CloseNow()
		time.Sleep(time.Second)
		if got := h.Stats(); got.Topics != 0 || got.Subscribers != 0 || got.Subscriptions != 0 {
			t.Errorf("when all have gone: %+v", got)
		}
	})
}

// TestClientsPublish where they may, with or without an echo.
func TestClientsPublish(t *testing.T) {
	inBubble(t, &pubsub.Options{Authorize: pubsub.Anyone}, func(t *testing.T, h *pubsub.Hub, s *conntest.Server) {
		a, b := connect(t, s), connect(t, s)
		a.ask(`{"type":"subscribe","topic":"room"}`)
		b.ask(`{"type":"subscribe","topic":"room"}`)
		if f := a.ask(`{"type":"publish","id":"7","topic":"room","data":"hi","echo":false}`); f.Type != "published" || f.ID != "7" || f.Offset != 1 {
			t.Errorf("%+v", f)
		}
		a.say(`{"type":"publish","topic":"room","data":"again"}`) // without an id there is no answer
		a.want(`message room 2 "again"`)
		b.want(`message room 1 "hi"`)
		b.want(`message room 2 "again"`)
		a.silent()
	})
}

// TestRequestsAreRefused with a code, or with 1008 where they are none.
func TestRequestsAreRefused(t *testing.T) {
	o := &pubsub.Options{
		MaxSubscriptions: 2, MaxTopics: 4,
		Topic: func(name string) pubsub.TopicOptions {
			if name == "small" {
				return pubsub.TopicOptions{MaxSubscribers: 1}
			}
			return pubsub.TopicOptions{}
		},
		Authorize: func(_ *conn.Conn, a pubsub.Action, topic string) error {
			switch topic {
			case "closed":
				return errors.New("a secret reason")
			case "later":
				return &pubsub.Error{Code: "later", Message: "it opens at eight"}
			}
			return nil
		},
	}
	long := strings.Repeat("x", pubsub.MaxTopicName+1)
	for _, tt := range []struct{ name, request, code string }{
		{"an unknown type", `{"type":"dance","topic":"a"}`, pubsub.CodeBadRequest},
		{"no type", `{}`, pubsub.CodeBadRequest},
		{"a field of the wrong type", `{"type":"subscribe","topic":5}`, pubsub.CodeBadRequest},
		{"an offset below zero", `{"type":"subscribe","topic":"a","since":{"epoch":"e","offset":-1}}`, pubsub.CodeBadRequest},
		{"an id that is an object", `{"type":"subscribe","topic":"a","id":{}}`, pubsub.CodeBadRequest},
		{"no topic", `{"type":"subscribe"}`, pubsub.CodeBadTopic},
		{"a long topic", `{"type":"subscribe","topic":"` + long + `"}`, pubsub.CodeBadTopic},
		{"a topic with a control character", `{"type":"subscribe","topic":"a\u0000b"}`, pubsub.CodeBadTopic},
		{"an unknown way to be slow", `{"type":"subscribe","topic":"a","slow":"very"}`, pubsub.CodeBadRequest},
		{"a topic that is closed", `{"type":"subscribe","topic":"closed"}`, pubsub.CodeForbidden},
		{"an error of the application's", `{"type":"publish","topic":"later","data":1}`, "later"},
		{"no data", `{"type":"publish","topic":"a"}`, pubsub.CodeBadRequest},
		{"a second subscription", `{"type":"subscribe","topic":"mine"}`, pubsub.CodeSubscribed},
		{"no subscription to end", `{"type":"unsubscribe","topic":"theirs"}`, pubsub.CodeNotSubscribed},
		{"a topic that is full", `{"type":"subscribe","topic":"small"}`, pubsub.CodeTooMany},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, o, func(t *testing.T, h *pubsub.Hub, s *conntest.Server) {
				other, c := connect(t, s), connect(t, s)
				other.ask(`{"type":"subscribe","topic":"small"}`)
				c.ask(`{"type":"subscribe","topic":"mine"}`)
				f := c.ask("%s", tt.request)
				if f.Type != "error" || f.Code != tt.code || f.Message == "" || strings.Contains(f.Message, "secret") {
					t.Errorf("%+v", f)
				}
				if f := c.ask(`{"type":"subscribe","id":"9","topic":"b"}`); f.Type != "subscribed" || f.ID != "9" {
					t.Errorf("the connection goes on: %+v", f)
				}
				if f := c.ask(`{"type":"subscribe","topic":"c"}`); f.Code != pubsub.CodeTooMany {
					t.Errorf("a third subscription: %+v", f)
				}
			})
		})
	}
	for _, tt := range []struct {
		name string
		typ  conn.MessageType
		data string
	}{
		{"binary", conn.Binary, `{}`}, {"no JSON", conn.Text, `hello`}, {"half of it", conn.Text, `{"type":`}, {"two values", conn.Text, `{}{}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, h *pubsub.Hub, s *conntest.Server) {
				c := connect(t, s)
				_ = c.Write(bg, tt.typ, []byte(tt.data))
				if _, _, err := c.Read(bg); conn.CloseStatus(err) != conn.StatusPolicyViolation {
					t.Error(err)
				}
			})
		})
	}
	t.Run("by default clients do not publish", func(t *testing.T) {
		inBubble(t, nil, func(t *testing.T, h *pubsub.Hub, s *conntest.Server) {
			if f := connect(t, s).ask(`{"type":"publish","topic":"a","data":1}`); f.Code != pubsub.CodeForbidden {
				t.Errorf("%+v", f)
			}
		})
	})
	t.Run("data that is not JSON", func(t *testing.T) {
		h := pubsub.New(nil)
		if _, err := h.Publish(bg, "a", []byte("hello")); !errors.Is(err, pubsub.ErrBadData) {
			t.Error(err)
		}
		if at := publish(t, h, "a", "1"); at.Offset != 1 {
			t.Errorf("an offset was lost: %+v", at)
		}
	})
}

// TestRequestsAreLimited to so many a second.
func TestRequestsAreLimited(t *testing.T) {
	inBubble(t, &pubsub.Options{RequestRate: 5}, func(t *testing.T, h *pubsub.Hub, s *conntest.Server) {
		c := connect(t, s)
		refused := func(n int) (count int) {
			for range n {
				c.say(`{"type":"presence","topic":"a"}`)
			}
			for range n {
				if f := c.next(); f.Code == pubsub.CodeTooFast {
					count++
				}
			}
			return count
		}
		if n := refused(15); n != 5 {
			t.Errorf("%d of 15 at once were refused", n)
		}
		time.Sleep(time.Second)
		if n := refused(6); n != 1 {
			t.Errorf("%d of 6 a second later were refused", n)
		}
	})
}

// TestPublishing changes what clients publish, and refuses some of it.
func TestPublishing(t *testing.T) {
	o := &pubsub.Options{Authorize: pubsub.Anyone, Publishing: func(_ *conn.Conn, topic string, m *pubsub.Message) error {
		switch string(m.Data) {
		case `"secret"`:
			return errors.New("not for clients")
		case `"long"`:
			return &pubsub.Error{Code: "too_long", Message: "be brief"}
		}
		m.Data, m.Key = fmt.Appendf(nil, `[%q,%s]`, topic, m.Data), m.Key+"!"
		return nil
	}}
	inBubble(t, o, func(t *testing.T, h *pubsub.Hub, s *conntest.Server) {
		c := connect(t, s)
		c.ask(`{"type":"subscribe","topic":"a"}`)
		c.say(`{"type":"publish","topic":"a","data":1,"key":"k"}`)
		if f := c.next(); string(f.Data) != `["a",1]` || f.Key != "k!" {
			t.Errorf("%+v", f)
		}
		if f := c.ask(`{"type":"publish","topic":"a","data":"secret"}`); f.Code != pubsub.CodeForbidden {
			t.Errorf("%+v", f)
		}
		if f := c.ask(`{"type":"publish","topic":"a","data":"long"}`); f.Code != "too_long" || f.Message != "be brief" {
			t.Errorf("%+v", f)
		}
		publish(t, h, "a", `"secret"`) // the server may
		c.want(`message a 2 "secret"`)
	})
}

// TestPresence counts members once, whatever the number of their connections.
func TestPresence(t *testing.T) {
	o := &pubsub.Options{
		Topic: func(string) pubsub.TopicOptions { return pubsub.TopicOptions{Presence: true} },
		Member: func(c *conn.Conn) pubsub.Member {
			return pubsub.Member{ID: userOf(c), Info: []byte(`{"name":"` + userOf(c) + `"}`)}
		},
	}
	synctest.Test(t, func(t *testing.T) {
		h := pubsub.New(o)
		s := conntest.NewServer(t, h.Handler(&conn.AcceptOptions{ConnContext: withUser}), nil)
		join := func(name string) client {
			c := client{s.Connect("/?user="+name, nil), t}
			return c
		}
		ann, bob, bob2 := join("ann"), join("bob"), join("bob")
		nobody := client{s.Connect("/", nil), t}
		if f := ann.ask(`{"type":"subscribe","topic":"room"}`); len(f.Members) != 0 {
			t.Errorf("%+v", f)
		}
		if f := bob.ask(`{"type":"subscribe","topic":"room"}`); len(f.Members) != 1 || f.Members[0].ID != "ann" || string(f.Members[0].Info) != `{"name":"ann"}` {
			t.Errorf("%+v", f)
		}
		ann.want("join room 0 bob")
		bob2.ask(`{"type":"subscribe","topic":"room"}`)
		nobody.ask(`{"type":"subscribe","topic":"room"}`)
		if f := ann.ask(`{"type":"presence","topic":"room"}`); len(f.Members) != 2 || f.Members[1].ID != "bob" {
			t.Errorf("%+v", f)
		}
		_ = bob.CloseNow()
		time.Sleep(time.Second)
		ann.silent()
		bob2.ask(`{"type":"unsubscribe","topic":"room"}`)
		ann.want("leave room 0 bob")
		nobody.want("leave room 0 bob")
		if m, err := h.Presence(bg, "room"); len(m) != 1 || m[0].ID != "ann" || err != nil {
			t.Errorf("%v, %v", m, err)
		}
	})
}

// TestHistory is asked for, and ends with its number and its age.
func TestHistory(t *testing.T) {
	o := &pubsub.Options{Topic: func(name string) pubsub.TopicOptions {
		return map[string]pubsub.TopicOptions{"three": {History: 3}, "minute": {History: 100, HistoryAge: time.Minute}}[name]
	}}
	inBubble(t, o, func(t *testing.T, h *pubsub.Hub, s *conntest.Server) {
		for i := range 5 {
			for _, topic := range []string{"none", "three", "minute"} {
				publish(t, h, topic, fmt.Sprint(i+1))
			}
			time.Sleep(10 * time.Second)
		}
		c := connect(t, s)
		offsets := func(f frame) (all []uint64) {
			for _, m := range f.Messages {
				all = append(all, m.Offset)
			}
			return all
		}
		for _, tt := range []struct {
			topic    string
			limit    int
			offsets  []uint64
			complete bool
		}{
			{"none", 0, nil, true}, {"three", 0, []uint64{3, 4, 5}, false}, {"three", 2, []uint64{3, 4}, false}, {"minute", 0, []uint64{1, 2, 3, 4, 5}, true},
		} {
			f := c.ask(`{"type":"history","topic":%q,"limit":%d}`, tt.topic, tt.limit)
			if got := offsets(f); !slices.Equal(got, tt.offsets) || f.Complete == nil || *f.Complete != tt.complete {
				t.Errorf("%s: %+v", tt.topic, f)
			}
		}
		time.Sleep(30 * time.Second)
		if f := c.ask(`{"type":"history","topic":"minute"}`); !slices.Equal(offsets(f), []uint64{4, 5}) || *f.Complete {
			t.Errorf("after a while: %+v", f)
		}
		time.Sleep(time.Minute)
		publish(t, h, "other", "1") // nothing is kept of it
		if n := h.Stats().Topics; n > 2 {
			t.Errorf("%d topics", n)
		}
	})
}

// TestTopicsAreLimited, and those whose history has become too old make room for others.
func TestTopicsAreLimited(t *testing.T) {
	o := &pubsub.Options{MaxTopics: 2, Topic: func(string) pubsub.TopicOptions { return pubsub.TopicOptions{History: 5, HistoryAge: 10 * time.Second} }}
	inBubble(t, o, func(t *testing.T, h *pubsub.Hub, s *conntest.Server) {
		publish(t, h, "a", "1")
		publish(t, h, "b", "1")
		for range 3 {
			_, err := h.Publish(bg, "c", []byte("1"))
			if e, ok := errors.AsType[*pubsub.Error](err); !ok || e.Code != pubsub.CodeTooMany {
				t.Errorf("a third topic: %v", err)
			}
		}
		time.Sleep(11 * time.Second)
		publish(t, h, "c", "1")
		if n := h.Stats().Topics; n != 1 {
			t.Errorf("%d topics", n)
		}
	})
}

// TestAClientThatComesBackMissesNothing, and gets nothing twice, however it was cut off; or it is told.
func TestAClientThatComesBackMissesNothing(t *testing.T) {
	o := &pubsub.Options{Topic: func(string) pubsub.TopicOptions { return pubsub.TopicOptions{History: 10} }}
	inBubble(t, o, func(t *testing.T, h *pubsub.Hub, s *conntest.Server) {
		c := connect(t, s)
		first := c.ask(`{"type":"subscribe","topic":"a"}`)
		publish(t, h, "a", "1")
		c.want("message a 1 1")
		_ = c.CloseNow()
		for i := range 4 {
			publish(t, h, "a", fmt.Sprint(i+2))
		}
		c = connect(t, s)
		f := c.ask(`{"type":"subscribe","topic":"a","since":{"epoch":%q,"offset":1}}`, first.Epoch)
		if f.Recovered == nil || !*f.Recovered || f.Offset != 1 || f.Epoch != first.Epoch {
			t.Errorf("%+v", f)
		}
		publish(t, h, "a", "6")
		for i := range 5 {
			c.want(fmt.Sprintf("message a %d %d", i+2, i+2))
		}
		_ = c.CloseNow()
		for i := range 20 {
			publish(t, h, "a", fmt.Sprint(i+7))
		}
		for name, since := range map[string]string{
			"too long away":    fmt.Sprintf(`{"epoch":%q,"offset":6}`, first.Epoch),
			"another epoch":    `{"epoch":"other","offset":26}`,
			"from the future":  fmt.Sprintf(`{"epoch":%q,"offset":99}`, first.Epoch),
			"only the epoch":   `{"epoch":"other"}`,
			"without an epoch": `{"offset":20}`,
		} {
			c = connect(t, s)
			if f := c.ask(`{"type":"subscribe","topic":"a","since":%s}`, since); f.Recovered == nil || *f.Recovered || f.Offset != 26 {
				t.Errorf("%s: %+v", name, f)
			}
			c.silent()
			_ = c.CloseNow()
		}
		c = connect(t, s)
		if f := c.ask(`{"type":"subscribe","topic":"a","since":{}}`); *f.Recovered || f.Offset != 16 {
			t.Errorf("from the beginning: %+v", f)
		}
		for i := range 10 {
			c.want(fmt.Sprintf("message a %d %d", i+17, i+17))
		}
	})
}

// TestWhatWasMissedIsBounded in bytes: more than that is for requests about history, part by part.
func TestWhatWasMissedIsBounded(t *testing.T) {
	o := &pubsub.Options{MaxRecovery: 10_000, Topic: func(string) pubsub.TopicOptions { return pubsub.TopicOptions{History: 100} }}
	inBubble(t, o, func(t *testing.T, h *pubsub.Hub, s *conntest.Server) {
		epoch := ""
		for range 20 {
			epoch = publish(t, h, "a", `"`+strings.Repeat("x", 900)+`"`).Epoch
		}
		for offset, recovered := range map[int]bool{15: true, 12: true, 5: false} {
			c := connect(t, s)
			f := c.ask(`{"type":"subscribe","topic":"a","since":{"epoch":%q,"offset":%d}}`, epoch, offset)
			if *f.Recovered != recovered || recovered && f.Offset != uint64(offset) || !recovered && f.Offset != 20 {
				t.Errorf("behind %d: %+v", offset, f)
			}
		}
		c := connect(t, s)
		if f := c.ask(`{"type":"subscribe","topic":"a","since":{}}`); *f.Recovered || f.Offset != 11 {
			t.Errorf("from the beginning: %+v", f)
		}
		c = connect(t, s)
		got, parts := uint64(0), 0
		for got < 20 {
			f := c.ask(`{"type":"history","topic":"a","since":{"epoch":%q,"offset":%d}}`, epoch, got)
			if parts++; len(f.Messages) == 0 || f.Messages[0].Offset != got+1 || !*f.Complete || f.Offset != 20 {
				t.Fatalf("behind %d: %+v", got, f)
			}
			got = f.Messages[len(f.Messages)-1].Offset
		}
		if parts != 3 {
			t.Errorf("%d parts", parts)
		}
	})
}

// TestSlowPeers have what their subscription says, and hold nobody up.
func TestSlowPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := pubsub.New(nil)
		small := conntest.Direction{Buffer: 4 << 10}
		s := conntest.NewServer(t, h.Handler(&conn.AcceptOptions{QueueLimit: 400 << 10}), &conntest.Options{ToClient: small})
		slow := map[string]client{}
		for _, name := range []string{"close", "drop", "newest"} {
			slow[name] = connect(t, s)
			slow[name].ask(`{"type":"subscribe","topic":"a","slow":%q}`, name)
		}
		fast := connect(t, s)
		fast.ask(`{"type":"subscribe","topic":"a"}`)
		const n = 100
		text := strings.Repeat("x", 10_000)
		for i := range n {
			publish(t, h, "a", fmt.Sprintf(`"%d %s"`, i+1, text), pubsub.Key(fmt.Sprint(i%2)))
			if f := fast.next(); f.Offset != uint64(i+1) {
				t.Fatalf("%+v", f)
			}
		}
		offsets := func(name string) (all []uint64, err error) {
			for {
				ctx, cancel := context.WithTimeout(bg, 5*time.Second)
				_, p, err := slow[name].Read(ctx)
				cancel()
				if err != nil {
					return all, err
				}
				var f frame
				_ = json.Unmarshal(p, &f)
				all = append(all, f.Offset)
			}
		}
		if got, err := offsets("close"); conn.CloseStatus(err) != conn.StatusTryAgainLater || len(got) == n {
			t.Errorf("close: %v, %v", got, err)
		}
		if got, err := offsets("drop"); err != context.DeadlineExceeded || len(got) < 20 || len(got) > 40 || !slices.IsSorted(got) || got[0] != 1 {
			t.Errorf("drop: %v, %v", got, err)
		}
		if got, err := offsets("newest"); err != context.DeadlineExceeded || len(got) > 5 || !slices.Contains(got, n-1) || !slices.Contains(got, n) {
			t.Errorf("newest: %v, %v", got, err)
		}
		if s := h.Stats(); s.Dropped == 0 || s.Published != n {
			t.Errorf("%+v", s)
		}
	})
}

// TestManyPublishersAndComingsAndGoings: each subscriber sees each topic's offsets without a gap, from where it began.
func TestManyPublishersAndComingsAndGoings(t *testing.T) {
	// All of it is kept and sent, however long a reader is away or waits for a processor.
	h := pubsub.New(&pubsub.Options{RequestRate: -1, MaxRecovery: 1 << 28, Topic: func(string) pubsub.TopicOptions { return pubsub.TopicOptions{History: 1 << 20} }})
	s := conntest.NewServer(t, h.Handler(&conn.AcceptOptions{QueueLimit: 1 << 29}), nil)
	topics := []string{"a", "b", "c"}
	var publishers, readers sync.WaitGroup
	stop := make(chan bool)
	for i := range 3 {
		publishers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
					if _, err := h.Publish(bg, topics[(i+n)%3], []byte("1")); err != nil {
						t.Error(err)
					}
					time.Sleep(50 * time.Microsecond)
				}
			}
		})
	}
	for range 6 {
		readers.Go(func() {
			last := map[string]pubsub.Position{}
			for range 5 {
				c := connect(t, s)
				for _, topic := range topics {
					since := ""
					if at, ok := last[topic]; ok {
						since = fmt.Sprintf(`,"since":{"epoch":%q,"offset":%d}`, at.Epoch, at.Offset)
					}
					c.say(`{"type":"subscribe","topic":%q%s}`, topic, since)
				}
				for range 200 {
					f := c.next()
					at, known := last[f.Topic]
					switch {
					case f.Type == "subscribed" && !known:
						last[f.Topic] = pubsub.Position{Epoch: f.Epoch, Offset: f.Offset}
					case f.Type == "subscribed":
						if !*f.Recovered || f.Epoch != at.Epoch || f.Offset != at.Offset {
							t.Errorf("%+v", f)
						}
					case f.Type != "message" || f.Offset != at.Offset+1:
						t.Errorf("%+v behind %+v", f, at)
						return
					default:
						at.Offset++
						last[f.Topic] = at
					}
				}
				_ = c.CloseNow()
			}
		})
	}
	readers.Wait()
	close(stop)
	publishers.Wait()
}

type userKey struct{}

func userOf(c *conn.Conn) string {
	user, _ := c.Context().Value(userKey{}).(string)
	return user
}
