package slog_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/observe"
	wssslog "github.com/seed-c4549abd/wss/observe/slog"
)

// A request that is no opening handshake makes a line, without its query.
func ExampleNew() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	options := &conn.AcceptOptions{
		Observer: wssslog.New(wssslog.Options{
			Logger:     logger,
			Attributes: wssslog.Path | wssslog.Host,
		}),
		ConnContext: observe.ConnContext,
	}
	handler := func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, options); err == nil {
			c.ServeInBackground(func(*conn.Conn, conn.Message) error { return nil }, nil)
		}
	}
	handler(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "https://example.com/chat?token=secret", nil))
	// Output:
	// level=WARN msg="websocket handshake refused" request.host=example.com request.path=/chat refusal.status=405 refusal.token=bad_method
}
