package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/seed-c4549abd/wss/conn"
)

// mostBehind is how many bytes a visitor may be behind before it is asked to leave: the
// others must not wait, nor memory grow, for somebody who does not read.
const mostBehind = 256 << 10

// room hands what anybody says to everybody.
type room struct{ visitors conn.Group }

// ServeHTTP lets a visitor in, whose visit outlives it.
func (r *room) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	c, err := conn.Accept(w, req, &conn.AcceptOptions{MessageLimit: 4096, QueueLimit: mostBehind, Group: &r.visitors})
	if err != nil {
		return // Accept has answered
	}
	// A text that has been received is UTF-8; a name and binary data need not be.
	name := strings.ToValidUTF8(req.URL.Query().Get("name"), "?")
	c.ServeInBackground(func(_ *conn.Conn, m conn.Message) error {
		if m.Type != conn.Text {
			return &conn.CloseError{Code: conn.StatusUnsupportedData, Reason: "only text is said here"}
		}
		said, err := conn.Prepare(conn.Text, fmt.Appendf(nil, "%.32s: %s", name, m.Data))
		if err == nil {
			r.visitors.Broadcast(context.Background(), nil, said)
		}
		return err
	}, nil)
}
