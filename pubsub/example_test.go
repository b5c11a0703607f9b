package pubsub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/pubsub"
)

// A chat: rooms keep their last hundred messages, members of a room may write to it, and everybody sees who is there.
func Example() {
	hub := pubsub.New(&pubsub.Options{
		Authorize: func(c *conn.Conn, a pubsub.Action, topic string) error {
			if a == pubsub.Publish && userOf(c) == "" {
				return pubsub.ErrForbidden // guests only listen
			}
			return nil
		},
		Topic:  func(string) pubsub.TopicOptions { return pubsub.TopicOptions{History: 100, Presence: true} },
		Member: func(c *conn.Conn) pubsub.Member { return pubsub.Member{ID: userOf(c)} },
	})
	mux := http.NewServeMux()
	mux.Handle("/topics", hub.Handler(&conn.AcceptOptions{ConnContext: withUser}))
	srv := httptest.NewServer(mux)
	defer srv.Close()

	ctx := context.Background()
	c, _, err := conn.Dial(ctx, "ws"+strings.TrimPrefix(srv.URL, "http")+"/topics?user=ann", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()
	_ = c.Write(ctx, conn.Text, []byte(`{"type":"subscribe","topic":"garden"}`))
	_, p, _ := c.Read(ctx)
	fmt.Println(strings.Contains(string(p), `"type":"subscribed"`))
	_ = c.Write(ctx, conn.Text, []byte(`{"type":"publish","topic":"garden","data":"a rose"}`))
	_, p, _ = c.Read(ctx)
	fmt.Println(strings.Contains(string(p), `"offset":1`), strings.HasSuffix(string(p), `"data":"a rose"}`))
	// Output:
	// true
	// true true
}

// A server with messages of its own: it subscribes connections itself, and encodes what is published.
func ExampleHub_Subscribe() {
	hub := pubsub.New(&pubsub.Options{Encode: func(e pubsub.Event) (conn.MessageType, []byte, error) {
		return conn.Text, fmt.Appendf(nil, "%s: %s", e.Topic, e.Message.Data), nil
	}})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, nil)
		if err != nil {
			return
		}
		if _, err := hub.Subscribe(c, "prices", pubsub.SubscribeOptions{Slow: pubsub.NewestSlow}); err != nil {
			_ = c.Close(conn.StatusInternalError, "")
			return
		}
		_, _ = hub.Publish(context.Background(), "prices", []byte("ACME 17.20"), pubsub.Key("ACME"))
		c.CloseRead(c.Context())
	}))
	defer srv.Close()

	ctx := context.Background()
	c, _, err := conn.Dial(ctx, "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()
	_, p, err := c.Read(ctx)
	fmt.Println(string(p), err)
	// Output:
	// prices: ACME 17.20 <nil>
}

// What was published is kept as the topic's options say, and can be asked for.
func ExampleHub_History() {
	hub := pubsub.New(&pubsub.Options{Topic: func(string) pubsub.TopicOptions { return pubsub.TopicOptions{History: 2} }})
	ctx := context.Background()
	for _, data := range []string{`"one"`, `"two"`, `"three"`} {
		if _, err := hub.Publish(ctx, "news", []byte(data)); err != nil {
			fmt.Println(err)
			return
		}
	}
	messages, at, complete, err := hub.History(ctx, "news", pubsub.Position{}, 0)
	for _, m := range messages {
		fmt.Println(m.Offset, string(m.Data))
	}
	fmt.Println(at.Offset, complete, err)
	// Output:
	// 2 "two"
	// 3 "three"
	// 3 false <nil>
}

// An error's code is for programs, and its message for people; both are sent to clients.
func ExampleError() {
	_, err := pubsub.New(nil).Publish(context.Background(), "", nil)
	fmt.Println(err)
	fmt.Println(errors.Is(err, pubsub.ErrBadTopic))
	// Output:
	// pubsub: bad_topic: a topic's name is 1 to 255 bytes of UTF-8 without control characters
	// true
}

// The server adds who has sent a message, so that nobody can speak as somebody else.
func ExampleOptions_publishing() {
	hub := pubsub.New(&pubsub.Options{
		Authorize: pubsub.Anyone,
		Publishing: func(c *conn.Conn, _ string, m *pubsub.Message) error {
			var text string
			if err := json.Unmarshal(m.Data, &text); err != nil {
				return &pubsub.Error{Code: pubsub.CodeBadData, Message: "say something"}
			}
			var err error
			m.Data, err = json.Marshal(map[string]string{"from": userOf(c), "text": text})
			return err
		},
	})
	http.Handle("/topics", hub.Handler(&conn.AcceptOptions{ConnContext: withUser}))
}

// Clients subscribe at /topics; the server publishes.
func ExampleNew() {
	hub := pubsub.New(nil)
	http.Handle("/feed", hub.Handler(nil))
	receipt, err := hub.Publish(context.Background(), "news", []byte(`"hello"`))
	fmt.Println(receipt.Offset, err)
}

// Where all clients are trusted, they may publish.
func ExampleAnyone() {
	hub := pubsub.New(&pubsub.Options{Authorize: pubsub.Anyone})
	http.Handle("/whiteboard", hub.Handler(nil))
}

// A price replaces the one of the same symbol that a slow subscriber has not been sent yet.
func ExampleKey() {
	hub := pubsub.New(nil)
	_, err := hub.Publish(context.Background(), "prices", []byte(`{"symbol":"ACME","price":17.2}`), pubsub.Key("ACME"))
	fmt.Println(err)
	// Output: <nil>
}

// The sender knows already.
func ExampleExcept() {
	hub := pubsub.New(nil)
	moved := func(ctx context.Context, sender *conn.Conn, position []byte) error {
		_, err := hub.Publish(ctx, "game", position, pubsub.Except(sender))
		return err
	}
	_ = moved
}
