package observe_test

import (
	"fmt"
	"log/slog"
	"net/http"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/observe"
	wssexpvar "github.com/seed-c4549abd/wss/observe/expvar"
	wssslog "github.com/seed-c4549abd/wss/observe/slog"
)

// Two observers for the same connections. Log lines show host and path of the request.
func Example() {
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
