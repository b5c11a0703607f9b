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
	_ = c.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second))
	for err == nil {
		_, _, err = c.ReadMessage()
	}
	fmt.Println("the server:", <-ended)
	fmt.Println("the client:", err)
	// Output:
	// the server: websocket: close 1000 (normal): bye
	// the client: websocket: close 1000 (normal)
}
