package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/pubsub"
)

// user is who a visitor claims to be. A real server would know that from a session: see docs/how-to/authentication.md. Here a page
// chooses a secret, from which follows the id that others see: so nobody can speak as somebody else.
type user struct {
	id   string
	name string
}

// publicID is the id of whoever knows a secret. The page computes the same (common.js).
func publicID(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:8])
}

type userKey struct{}

// withUser returns a context for a connection, with the user that the request names.
func withUser(r *http.Request) context.Context {
	secret, name := r.URL.Query().Get("secret"), strings.TrimSpace(r.URL.Query().Get("name"))
	u := user{publicID(secret), name}
	if len(secret) < 16 || name == "" || utf8.RuneCountInString(name) > 40 || !printable(name) {
		u = user{} // a guest, who may only listen
	}
	return context.WithValue(context.Background(), userKey{}, u)
}

// printable reports whether text has no control characters, nor those that reverse the direction of text.
func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) })
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
		Group: group, Engine: engine, Member: memberOf, Publishing: stamp, MaxTopics: 500,
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

// stamp checks what a visitor publishes, and adds who has sent it.
func stamp(c *conn.Conn, topic string, m *pubsub.Message) error {
	u := userOf(c)
	if topic == gameTopic {
		var p position
		if err := json.Unmarshal(m.Data, &p); err != nil || !p.valid() {
			return &pubsub.Error{Code: pubsub.CodeBadData, Message: "this is no position"}
		}
		p.ID, p.Name = u.id, u.name
		m.Key = u.id
		return encodeInto(m, p)
	}
	var said line
	if err := json.Unmarshal(m.Data, &said); err != nil || said.Text == "" || utf8.RuneCountInString(said.Text) > 2000 {
		return &pubsub.Error{Code: pubsub.CodeBadData, Message: "say something of at most 2,000 characters"}
	}
	said.ID, said.Name = u.id, u.name
	m.Key = ""
	return encodeInto(m, said)
}

// line is what somebody says in a room.
type line struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Text string `json:"text"`
}

// position is where a player is, in parts of the field.
type position struct {
	ID    string  `json:"id"`
	Name  string  `json:"name"`
	X     float64 `json:"x"`
	Y     float64 `json:"y"`
	Score int     `json:"score"`
	Round int     `json:"round"`
	Sent  float64 `json:"sent"` // by the player's own clock
}

// valid reports whether a position can be drawn. JSON has neither infinity nor NaN.
func (p *position) valid() bool {
	within := func(v float64) bool { return v >= 0 && v <= 1 }
	return within(p.X) && within(p.Y) && p.Score >= 0 && p.Score < 1e6 && p.Round >= 0 && p.Round < 1e6
}

func encodeInto(m *pubsub.Message, v any) (err error) {
	m.Data, err = json.Marshal(v)
	return err
}
