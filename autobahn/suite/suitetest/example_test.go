package suitetest_test

import (
	"context"
	"testing"

	"github.com/seed-c4549abd/wss/autobahn/suite/suitetest"
)

// In a test of a server that echoes messages one line is enough.
func ExampleServer() {
	test := func(t *testing.T) {
		suitetest.Server(t, "ws://localhost:8080/echo", suitetest.Cases("1.*", "7.*"))
	}
	_ = test
}

// A client is tested by a function that connects it, and echoes what it is sent until the connection has ended.
func ExampleClient() {
	test := func(t *testing.T) {
		suitetest.Client(t, func(ctx context.Context, url string) error {
			return nil // connect to url and echo
		})
	}
	_ = test
}
