package client_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/pubsub"
	"github.com/seed-c4549abd/wss/pubsub/client"
)

// The server of a page that uses topics.
func ExampleScript() {
	mux := http.NewServeMux()
	mux.Handle("GET /pubsub.js", client.Script())
	mux.Handle("/topics", pubsub.New(nil).Handler(nil))

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/pubsub.js", nil))
	fmt.Println(w.Code, w.Header().Get("Content-Type"), strings.Contains(w.Body.String(), "export class PubSub"))
	// Output: 200 text/javascript; charset=utf-8 true
}

// TestBrowsersKeepTheScript until it has changed.
func TestBrowsersKeepTheScript(t *testing.T) {
	first := httptest.NewRecorder()
	client.Script().ServeHTTP(first, httptest.NewRequest("GET", "/pubsub.js", nil))
	r := httptest.NewRequest("GET", "/pubsub.js", nil)
	r.Header.Set("If-None-Match", first.Header().Get("ETag"))
	again := httptest.NewRecorder()
	client.Script().ServeHTTP(again, r)
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("%d with %d bytes", again.Code, again.Body.Len())
	}
}
