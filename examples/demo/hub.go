package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/pubsub"
)

// user is who a visitor claims to be. A real server would know that from a session: see docs/how-to/authentication.md.
type user struct {
	id   string
	name string
}

type userKey struct{}

// withUser returns a context for a connection, with the user that the request names.
func withUser(r *http.Request) context.Context {
	u := user{id: r.URL.Query().Get("id"), name: strings.TrimSpace(r.URL.Query().Get("name"))}
	if len(u.id) > 64 || !utf8.ValidString(u.id) || u.name == "" || utf8.RuneCountInString(u.name) > 40 || !utf8.ValidString(u.name) {
		u = user{} // a guest, who may only listen
	}
	return context.WithValue(context.Background(), userKey{}, u)
}

// userOf returns the user of a connection; the zero user for a guest.
func userOf(c *conn.Conn) user {
	u, _ := c.Context().Value(userKey{}).(user)
	return u
}

// memberOf returns the member that other visitors see.
func memberOf(c *conn.Conn) pubsub.Member {
	u := userOf(c)
	info, err := json.Marshal(map[string]string{"name": u.name})
	if err != nil {
		return pubsub.Member{}
	}
	return pubsub.Member{ID: u.id, Info: info}
}

// The topics of rooms and of the game are shared by all nodes. Those of the market and of the monitor are each node's own.
const (
	roomPrefix   = "chat/"
	gameTopic    = "game"
	marketTopic  = "market"
	monitorTopic = "monitor"
)

// sharedHub makes the hub of the chat's rooms and of the game. engine is nil for a single node.
func sharedHub(group *conn.Group, engine pubsub.Engine) *pubsub.Hub {
	return pubsub.New(&pubsub.Options{
		Group: group, Engine: engine, Member: memberOf,
		Topic: func(name string) pubsub.TopicOptions {
			if name == gameTopic {
				return pubsub.TopicOptions{Presence: true}
			}
			return pubsub.TopicOptions{History: 200, HistoryAge: 24 * time.Hour, Presence: true}
		},
		Authorize: func(c *conn.Conn, a pubsub.Action, topic string) error {
			if topic != gameTopic && (!strings.HasPrefix(topic, roomPrefix) || len(topic) > 60) {
				return pubsub.ErrForbidden
			}
			if a == pubsub.Publish && userOf(c).id == "" {
				return &pubsub.Error{Code: pubsub.CodeForbidden, Message: "choose a name first"}
			}
			return nil
		},
	})
}

// localHub makes the hub of the market and of the monitor. Visitors may only listen.
func localHub(group *conn.Group) *pubsub.Hub {
	return pubsub.New(&pubsub.Options{
		Group: group,
		Topic: func(name string) pubsub.TopicOptions {
			if name == monitorTopic {
				return pubsub.TopicOptions{History: 120} // two minutes, for the plots of a new page
			}
			return pubsub.TopicOptions{}
		},
		Authorize: func(_ *conn.Conn, a pubsub.Action, topic string) error {
			if a == pubsub.Publish || topic != marketTopic && topic != monitorTopic {
				return pubsub.ErrForbidden
			}
			return nil
		},
	})
}
