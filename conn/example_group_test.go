package conn_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// A server whose connections are a group: limited, sent to together, and closed in an
// orderly way when the server shuts down.
func ExampleGroup() {
	room := &conn.Group{MaxConns: 10_000, MaxPerAddress: 100, MaxAge: 24 * time.Hour}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, &conn.AcceptOptions{Group: room})
		if err != nil {
			return
		}
		c.ServeInBackground(func(c *conn.Conn, m conn.Message) error {
			p, err := conn.Prepare(m.Type, m.Data)
			if err == nil {
				room.Broadcast(c.Context(), nil, p)
			}
			return err
		}, nil)
	}))
	srv.Listener = conn.NewListener(srv.Listener)
	srv.Start()
	defer srv.Close()

	ctx := context.Background()
	var clients []*conn.Conn
	for range 2 {
		c, _, err := conn.Dial(ctx, "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		clients = append(clients, c)
	}
	for room.Len() < len(clients) {
		time.Sleep(time.Millisecond)
	}
	_ = clients[0].Write(ctx, conn.Text, []byte("hello all"))
	ended := make(chan error)
	for _, c := range clients {
		_, data, _ := c.Read(ctx)
		fmt.Println(string(data))
		go func() {
			_, _, err := c.Read(ctx)
			ended <- err
		}()
	}

	patience, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	fmt.Println(room.Shutdown(patience, conn.ShutdownOptions{Reason: "back soon"}))
	fmt.Println(<-ended)
	fmt.Println(<-ended)
	stats := room.Stats()
	fmt.Println(stats.Opened, stats.Active, stats.MessagesOut, stats.Codes[conn.StatusGoingAway])
	// Output:
	// hello all
	// hello all
	// <nil>
	// websocket: closed by the peer with code 1001 (going away) and reason "back soon"
	// websocket: closed by the peer with code 1001 (going away) and reason "back soon"
	// 2 0 2 2
}

// An Observer that logs how connections end; what can be counted is in Stats.
func ExampleObserver() {
	var o conn.Observer = closedLogger{} // for AcceptOptions or DialOptions
	o.Closed(nil, &conn.CloseError{Code: 1006, Err: conn.ErrPingTimeout})
	// Output:
	// 1006 ping_timeout
}

type closedLogger struct{ conn.NopObserver }

func (closedLogger) Closed(_ *conn.Conn, why *conn.CloseError) {
	fmt.Println(int(why.Code), why.Token())
}
