package expvar_test

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/seed-c4549abd/wss/conn"
	wssexpvar "github.com/seed-c4549abd/wss/observe/expvar"
)

// The value that /debug/vars shows under "websocket".
func ExampleNew() {
	observer := wssexpvar.New(wssexpvar.Options{})
	if err := observer.Publish("websocket"); err != nil {
		log.Println(err)
	}
	options := &conn.AcceptOptions{Observer: observer}
	handler := func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, options); err == nil {
			c.ServeInBackground(func(*conn.Conn, conn.Message) error { return nil }, nil)
		}
	}
	handler(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/chat", nil)) // is no opening handshake

	var shown struct {
		Active  int            `json:"connections_active"`
		Refused map[string]int `json:"handshakes_refused"`
	}
	_ = json.Unmarshal([]byte(observer.String()), &shown)
	fmt.Println(shown.Active, shown.Refused)
	// Output: 0 map[bad_method:1]
}
