package pubsub_test

import (
	"context"
	"net/http"
)

func withUser(r *http.Request) context.Context {
	return context.WithValue(context.Background(), userKey{}, r.URL.Query().Get("user"))
}
