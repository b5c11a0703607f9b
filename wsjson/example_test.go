package wsjson_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/wsjson"
)

type Move struct {
	Player string `json:"player"`
	X, Y   int
}

func Example() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			m, err := wsjson.Read[Move](r.Context(), c, wsjson.DisallowUnknownFields())
			if wrong, ok := errors.AsType[*wsjson.Error](err); ok {
				_ = c.Close(conn.StatusPolicyViolation, wrong.Err.Error())
			}
			if err != nil {
				return
			}
			m.X++
			if err := wsjson.Write(r.Context(), c, m); err != nil {
				return
			}
		}
	}))
	defer srv.Close()

	ctx := context.Background()
	c, _, err := conn.Dial(ctx, "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.CloseNow()
	if err := wsjson.Write(ctx, c, Move{Player: "ann", X: 1}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(wsjson.Read[Move](ctx, c))
	_ = c.Write(ctx, conn.Text, []byte(`{"plyer": "ann"}`))
	_, err = wsjson.Read[Move](ctx, c)
	fmt.Println(err)
	// Output:
	// {ann 2 0} <nil>
	// websocket: closed by the peer with code 1008 (policy violation) and reason "there is no such field"
}

// A server answers a message that is not the value that it wants, and goes on.
func ExampleRead() {
	serve := func(ctx context.Context, c *conn.Conn) error {
		for {
			move, err := wsjson.Read[Move](ctx, c, wsjson.Limit(4<<10))
			if wrong, ok := errors.AsType[*wsjson.Error](err); ok {
				if err := wsjson.Write(ctx, c, map[string]string{"error": wrong.Error()}); err != nil {
					return err
				}
				continue
			}
			if err != nil {
				return err
			}
			log.Println(move.Player, "moves to", move.X, move.Y)
		}
	}
	_ = serve
}

// A value is a message of its own. What cannot be encoded is an error, and nothing is sent.
func ExampleWrite() {
	greet := func(ctx context.Context, c *conn.Conn) error {
		return wsjson.Write(ctx, c, Move{Player: "ann", X: 1})
	}
	_ = greet
}

// A value for many connections is encoded, framed and compressed once.
func ExamplePrepare() {
	tellAll := func(ctx context.Context, group *conn.Group, m Move) error {
		prepared, err := wsjson.Prepare(m)
		if err != nil {
			return err
		}
		group.Broadcast(ctx, nil, prepared)
		return nil
	}
	_ = tellAll
}
