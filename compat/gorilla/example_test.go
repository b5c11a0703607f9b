package websocket_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	websocket "github.com/seed-c4549abd/wss/compat/gorilla"
)

// A server that returns what it is sent, and a client.
func Example() {
	upgrader := websocket.Upgrader{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return // Upgrade has answered
		}
		defer c.Close()
		for {
			typ, p, err := c.ReadMessage()
			if err != nil {
				return
			}
			if err := c.WriteMessage(typ, p); err != nil {
				return
			}
		}
	}))
	defer srv.Close()

	c, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	if err := c.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
		fmt.Println(err)
		return
	}
	_, p, err := c.ReadMessage()
	fmt.Println(string(p), err)
	// Output: hello <nil>
}

// A client that goes tells the server, and waits for its answer.
func ExampleConn_WriteControl() {
	ended := make(chan error, 1)
	upgrader := websocket.Upgrader{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		for err == nil {
			_, _, err = c.ReadMessage()
		}
		ended <- err
	}))
	defer srv.Close()

	c, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "bye")
	_ = c.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Minute))
	for err == nil {
		_, _, err = c.ReadMessage()
	}
	fmt.Println("the server:", <-ended)
	fmt.Println("the client:", err)
	// Output:
	// the server: websocket: close 1000 (normal): bye
	// the client: websocket: close 1000 (normal)
}

// A message for many connections is framed once.
func ExamplePreparedMessage() {
	var upgrader websocket.Upgrader
	news, err := websocket.NewPreparedMessage(websocket.TextMessage, []byte("news"))
	if err != nil {
		fmt.Println(err)
		return
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		_ = c.WritePreparedMessage(news)
	}))
	defer srv.Close()

	for range 2 {
		c, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(srv.URL, "http"), nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		_, p, err := c.ReadMessage()
		fmt.Println(string(p), err)
		_ = c.Close()
	}
	// Output:
	// news <nil>
	// news <nil>
}

// A peer that leaves pings unanswered is noticed by the read deadline, which each pong moves.
func ExampleConn_SetPongHandler() {
	var upgrader websocket.Upgrader
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		for err == nil {
			_, _, err = c.ReadMessage() // pings are answered meanwhile
		}
	}))
	defer srv.Close()

	c, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	c.SetPongHandler(func(appData string) error {
		fmt.Println("pong", appData)
		return c.SetReadDeadline(time.Unix(1, 0)) // a program would set the next deadline
	})
	_ = c.WriteControl(websocket.PingMessage, []byte("1"), time.Now().Add(time.Minute))
	_, _, err = c.ReadMessage()
	timeout, ok := err.(interface{ Timeout() bool })
	fmt.Println(ok && timeout.Timeout())
	// Output:
	// pong 1
	// true
}
