package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/conntest"
	"github.com/seed-c4549abd/wss/pubsub"
)

const annsSecret = "ann's secret, long enough"

// visit connects a visitor to the shared topics.
func visit(t *testing.T, s *conntest.Server, secret, name string) *conntest.Client {
	t.Helper()
	return s.Connect("/?"+url.Values{"secret": {secret}, "name": {name}}.Encode(), nil)
}

// ask sends a request and returns the answer to it.
func ask(t *testing.T, c *conntest.Client, request string) (answer struct {
	Type, Code string
	Messages   []struct{ Data json.RawMessage }
}) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := c.Write(ctx, conn.Text, []byte(`{"id":1,`+request+`}`)); err != nil {
		t.Fatal(err)
	}
	_, p, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(p, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func newShared(t *testing.T) *conntest.Server {
	t.Helper()
	return conntest.NewServer(t, sharedHub(new(conn.Group), nil).Handler(&conn.AcceptOptions{ConnContext: withUser}), nil)
}

// TestNobodySpeaksAsSomebodyElse: the server says who has sent what.
func TestNobodySpeaksAsSomebodyElse(t *testing.T) {
	s := newShared(t)
	eve := visit(t, s, "eve's secret, long enough", "Eve")
	for _, topic := range []string{"chat/garden", "game"} {
		data := fmt.Sprintf(`{"id":%q,"name":"Ann","text":"I am Ann","x":0.5,"y":0.5}`, publicID(annsSecret))
		if a := ask(t, eve, fmt.Sprintf(`"type":"publish","topic":%q,"data":%s,"key":"x"`, topic, data)); a.Type != "published" {
			t.Errorf("%s: %+v", topic, a)
		}
	}
	a := ask(t, eve, `"type":"history","topic":"chat/garden"`)
	if len(a.Messages) != 1 || string(a.Messages[0].Data) != fmt.Sprintf(`{"id":%q,"name":"Eve","text":"I am Ann"}`, publicID("eve's secret, long enough")) {
		t.Errorf("%s", a.Messages)
	}
}

// TestVisitorsAreRefused what is not theirs, or makes no sense.
func TestVisitorsAreRefused(t *testing.T) {
	s := newShared(t)
	ann := visit(t, s, annsSecret, "Ann")
	for request, code := range map[string]string{
		`"type":"publish","topic":"game","data":[]`:                               pubsub.CodeBadData,
		`"type":"publish","topic":"game","data":{"x":2,"y":0}`:                    pubsub.CodeBadData,
		`"type":"publish","topic":"game","data":{"round":1e308}`:                  pubsub.CodeBadData,
		`"type":"publish","topic":"game","data":{"x":"here"}`:                     pubsub.CodeBadData,
		`"type":"publish","topic":"chat/garden","data":{}`:                        pubsub.CodeBadData,
		`"type":"publish","topic":"chat/garden","data":"hello"`:                   pubsub.CodeBadData,
		`"type":"publish","topic":"market","data":{"x":0}`:                        pubsub.CodeForbidden,
		`"type":"subscribe","topic":"chat/` + strings.Repeat("r", 60) + `"`:       pubsub.CodeForbidden,
		`"type":"publish","topic":"chat/garden","data":{"text":"` + long() + `"}`: pubsub.CodeBadData,
	} {
		if a := ask(t, ann, request); a.Type != "error" || a.Code != code {
			t.Errorf("%.100s: %+v; want %s", request, a, code)
		}
	}
	for name, guest := range map[string]*conntest.Client{
		"without a name":        visit(t, s, annsSecret, " "),
		"without a secret":      visit(t, s, "short", "Ann"),
		"with a long name":      visit(t, s, annsSecret, strings.Repeat("n", 41)),
		"with a name backwards": visit(t, s, annsSecret, "Ann\u202e"),
	} {
		if a := ask(t, guest, `"type":"publish","topic":"chat/garden","data":{"text":"hello"}`); a.Code != pubsub.CodeForbidden {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func long() string { return strings.Repeat("x", 2001) }
