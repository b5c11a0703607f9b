package reconnect_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/reconnect"
)

// A client of a feed counts the messages that it has received, and asks for the rest when it comes back.
func Example() {
	var visits atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, nil)
		if err != nil {
			return
		}
		_, from, _ := c.Read(context.Background())
		_ = c.Write(context.Background(), conn.Text, append([]byte("news from "), from...))
		code := conn.StatusServiceRestart
		if visits.Add(1) == 3 {
			code = conn.StatusNormalClosure
		}
		_ = c.Close(code, "")
	}))
	defer srv.Close()

	received := 0
	o := &reconnect.Options{
		MaxDelay: 50 * time.Millisecond, // thirty seconds in production
		MinDelay: time.Millisecond,
		Resume: func(ctx context.Context, c *conn.Conn, a reconnect.Attempt) error {
			fmt.Println("back after", conn.CloseStatus(a.Lost))
			return nil
		},
	}
	err := reconnect.Run(context.Background(), "ws"+strings.TrimPrefix(srv.URL, "http"), o, func(ctx context.Context, c *conn.Conn) error {
		if err := c.Write(ctx, conn.Text, fmt.Append(nil, received)); err != nil {
			return err
		}
		for m, err := range c.Messages(ctx) {
			if err != nil {
				return err
			}
			received++
			fmt.Println(string(m.Data))
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// news from 0
	// back after 1012 (service restart)
	// news from 1
	// back after 1012 (service restart)
	// news from 2
	// <nil>
}

// Credentials are fetched before each dial.
func ExampleOptions_prepare() {
	token := func(ctx context.Context) (string, error) { return "secret", nil } // asks an identity provider
	o := &reconnect.Options{
		Prepare: func(ctx context.Context, a *reconnect.Attempt) error {
			t, err := token(ctx)
			if err != nil {
				return reconnect.Again(err) // the provider may be down, too
			}
			a.Dial.Header.Set("Authorization", "Bearer "+t)
			return nil
		},
		OnState: func(s reconnect.State) { log.Println(s) },
	}
	_ = o
}

// Close codes of the application.
func ExampleOptions_classify() {
	o := &reconnect.Options{
		Classify: func(err error) reconnect.Verdict {
			switch conn.CloseStatus(err) {
			case 4000: // the room moves to another node
				return reconnect.ComeBack
			case 4001: // the token has expired
				return reconnect.Refresh
			}
			return reconnect.Undecided
		},
	}
	_ = o
}

// If a feed is silent for too long, the client dials again.
func ExampleAgain() {
	errSilent := errors.New("nothing for a minute")
	handle := func(ctx context.Context, c *conn.Conn) error {
		for {
			silence, cancel := context.WithTimeoutCause(ctx, time.Minute, errSilent)
			_, _, err := c.Read(silence)
			cancel()
			if context.Cause(silence) == errSilent {
				return reconnect.Again(errSilent)
			}
			if err != nil {
				return err
			}
		}
	}
	_ = handle
}

// A feed that is to go on until the program ends.
func ExampleRun() {
	follow := func(ctx context.Context) error {
		return reconnect.Run(ctx, "wss://example.com/feed", nil, func(ctx context.Context, c *conn.Conn) error {
			return c.Serve(ctx, func(_ *conn.Conn, m conn.Message) error {
				log.Printf("%s", m.Data)
				return nil
			})
		})
	}
	_ = follow
}

// A Client is for programs that look at the connection from elsewhere.
func ExampleNew() {
	client := reconnect.New("wss://example.com/feed", &reconnect.Options{MaxDelay: time.Minute})
	fmt.Println(client.State().Phase)
	// Output: idle
}

// What happens after an error, without options.
func ExampleClassify() {
	for _, code := range []conn.StatusCode{conn.StatusNormalClosure, conn.StatusServiceRestart, conn.StatusPolicyViolation} {
		fmt.Println(code, reconnect.Classify(&conn.CloseError{Code: code, Remote: true}))
	}
	// Output:
	// 1000 (normal closure) finished
	// 1012 (service restart) come back
	// 1008 (policy violation) stop
}
