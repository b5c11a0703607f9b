package otel_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/seed-c4549abd/wss/conn"
	wssotel "github.com/seed-c4549abd/wss/observe/otel"
)

// A server with metrics and spans; the metrics are read once.
func ExampleNew() {
	reader := sdkmetric.NewManualReader() // a program has an exporter
	observer, err := wssotel.New(wssotel.Options{
		MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	options := &conn.AcceptOptions{Observer: observer, ConnContext: observer.ConnContext}
	handler := func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, options); err == nil {
			c.ServeInBackground(func(*conn.Conn, conn.Message) error { return nil }, nil)
		}
	}
	handler(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/chat", nil)) // is no opening handshake

	var all metricdata.ResourceMetrics
	_ = reader.Collect(context.Background(), &all)
	for _, m := range all.ScopeMetrics[0].Metrics {
		if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == "websocket.handshakes.refused" {
			fmt.Println(m.Name, sum.DataPoints[0].Attributes.ToSlice()[0].Value.String(), sum.DataPoints[0].Value)
		}
	}
	// Output: websocket.handshakes.refused bad_method 1
}
