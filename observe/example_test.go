package observe_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/observe"
	wssexpvar "github.com/seed-c4549abd/wss/observe/expvar"
	wssslog "github.com/seed-c4549abd/wss/observe/slog"
)

// Two observers for the same connections. Log lines show host and path of the request.
func ExampleAll() {
	counts := wssexpvar.New(wssexpvar.Options{})
	lines := wssslog.New(wssslog.Options{Logger: slog.Default()})
	options := &conn.AcceptOptions{
		Observer:    observe.All(lines, counts),
		ConnContext: observe.ConnContext,
	}
	http.HandleFunc("/chat", func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, options); err == nil {
			c.ServeInBackground(func(*conn.Conn, conn.Message) error { return nil }, nil)
		}
	})
	fmt.Println(options.Validate())
	// Output: <nil>
}

// A handler and an observer both see what the request was.
func ExampleConnContext() {
	options := &conn.AcceptOptions{ConnContext: observe.ConnContext}
	http.HandleFunc("/feed", func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, options)
		if err != nil {
			return
		}
		request, ok := observe.RequestOf(c.Context())
		slog.Info("connected", "host", request.Host, "path", request.Path, "known", ok)
		c.ServeInBackground(func(*conn.Conn, conn.Message) error { return nil }, nil)
	})
}

// A ConnContext of the application's own, with the request for the observers.
func ExampleWithRequest() {
	type userKey struct{}
	options := &conn.AcceptOptions{
		ConnContext: func(r *http.Request) context.Context {
			return context.WithValue(observe.WithRequest(context.Background(), r), userKey{}, r.Header.Get("X-User"))
		},
	}
	fmt.Println(options.Validate())
	// Output: <nil>
}
