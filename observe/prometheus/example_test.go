package prometheus_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/seed-c4549abd/wss/conn"
	wssprometheus "github.com/seed-c4549abd/wss/observe/prometheus"
)

// A server with its metrics at /metrics.
func ExampleNew() {
	observer := wssprometheus.New(wssprometheus.Options{})
	registry := prometheus.NewRegistry()
	if err := registry.Register(observer); err != nil {
		fmt.Println(err)
	}
	options := &conn.AcceptOptions{Observer: observer}
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("/chat", func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, options); err == nil {
			c.ServeInBackground(func(*conn.Conn, conn.Message) error { return nil }, nil)
		}
	})

	mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/chat", nil)) // is no opening handshake
	scraped := httptest.NewRecorder()
	mux.ServeHTTP(scraped, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(scraped.Body.String()) {
		if strings.HasPrefix(line, "websocket_handshakes_refused_total") {
			fmt.Print(line)
		}
	}
	// Output: websocket_handshakes_refused_total{token="bad_method"} 1
}
