package conn_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/seed-c4549abd/wss/conn"
)

// A server that publishes: each connection is served on a goroutine of its own, the
// handler returns, and one prepared message goes to all of them.
func ExampleConn_Send() {
	var mu sync.Mutex
	subscribers := map[*conn.Conn]bool{}
	publish := func(text string) {
		m, err := conn.Prepare(conn.Text, []byte(text))
		if err != nil {
			return // not UTF-8
		}
		mu.Lock()
		defer mu.Unlock()
		for c := range subscribers {
			_ = c.Send(context.Background(), m) // does not wait: a subscriber that is too slow is closed
		}
	}

	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, &conn.AcceptOptions{QueueLimit: 256 << 10})
		if err != nil {
			return
		}
		mu.Lock()
		subscribers[c] = true
		mu.Unlock()
		c.ServeInBackground(func(c *conn.Conn, m conn.Message) error {
			publish(string(m.Data))
			return nil
		}, func(error) {
			mu.Lock()
			delete(subscribers, c)
			mu.Unlock()
		})
	}))
	srv.Listener = conn.NewListener(srv.Listener)
	srv.Start()
	defer srv.Close()

	ctx := context.Background()
	var clients []*conn.Conn
	for range 3 {
		c, _, err := conn.Dial(ctx, "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		clients = append(clients, c)
	}
	for {
		mu.Lock()
		n := len(subscribers)
		mu.Unlock()
		if n == len(clients) {
			break
		}
	}
	_ = clients[0].Write(ctx, conn.Text, []byte("for all"))
	for i, c := range clients {
		_, data, err := c.Read(ctx)
		fmt.Println(i, string(data), err)
		_ = c.Close(conn.StatusNormalClosure, "")
	}
	// Output:
	// 0 for all <nil>
	// 1 for all <nil>
	// 2 for all <nil>
}

func ExampleConn_ServeInBackground() {
	ended := make(chan error, 1)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, nil); err == nil {
			c.ServeInBackground(func(c *conn.Conn, m conn.Message) error {
				return c.Write(c.Context(), m.Type, m.Data)
			}, func(err error) { ended <- err })
		} // and the handler returns
	}))
	srv.Listener = conn.NewListener(srv.Listener)
	srv.Start()
	defer srv.Close()

	ctx := context.Background()
	c, _, err := conn.Dial(ctx, "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = c.Write(ctx, conn.Text, []byte("still served"))
	_, data, err := c.Read(ctx)
	fmt.Println(string(data), err)
	fmt.Println(c.Close(conn.StatusNormalClosure, ""), <-ended)
	// Output:
	// still served <nil>
	// <nil> <nil>
}

// Messages that belong together share a TLS record and a system call.
func ExampleConn_Cork() {
	srv, url, options := echoServer()
	defer srv.Close()
	ctx := context.Background()
	c, _, err := conn.Dial(ctx, url, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()
	fmt.Println(c.Cork(func() error {
		for i := range 3 {
			if err := c.Write(ctx, conn.Text, fmt.Appendf(nil, "update %d", i)); err != nil {
				return err
			}
		}
		return nil
	}))
	for range 3 {
		_, data, _ := c.Read(ctx)
		fmt.Println(string(data))
	}
	// Output:
	// <nil>
	// update 0
	// update 1
	// update 2
}
