package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// A visitor who is so many messages behind, or takes so long for one, is asked to
// leave: the others must not wait, nor memory grow, for somebody who does not read.
const (
	mostBehind = 64
	sendTime   = 10 * time.Second
)

// room hands what anybody says to everybody.
type room struct {
	closing context.Context
	visits  sync.WaitGroup

	mu       sync.Mutex
	visitors map[*visitor]bool
}

type visitor struct {
	c     *conn.Conn
	queue chan []byte
}

func newRoom(closing context.Context) *room {
	return &room{closing: closing, visitors: make(map[*visitor]bool)}
}

// ServeHTTP is one visit.
func (r *room) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.visits.Add(1)
	defer r.visits.Done()
	c, err := conn.Accept(w, req, &conn.AcceptOptions{MessageLimit: 4096})
	if err != nil {
		return // Accept has answered
	}
	defer c.CloseNow() // does nothing after a closing handshake
	v := &visitor{c: c, queue: make(chan []byte, mostBehind)}
	r.mu.Lock()
	r.visitors[v] = true
	r.mu.Unlock()
	defer r.leave(v)
	stop := context.AfterFunc(r.closing, func() { _ = c.Close(conn.StatusGoingAway, "the room closes") })
	defer stop()
	r.visits.Go(v.send)

	// A text that has been received is UTF-8; a name and binary data need not be.
	name := strings.ToValidUTF8(req.URL.Query().Get("name"), "?")
	for m, err := range c.Messages(c.Context()) {
		if err != nil {
			return
		}
		if m.Type != conn.Text {
			_ = c.Close(conn.StatusUnsupportedData, "only text is said here")
			return
		}
		r.say(fmt.Appendf(nil, "%.32s: %s", name, m.Data))
	}
}

// leave takes a visitor out of the room.
func (r *room) leave(v *visitor) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.visitors, v)
}

// say puts a message into every visitor's queue.
func (r *room) say(message []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for v := range r.visitors {
		select {
		case v.queue <- message:
		default:
			delete(r.visitors, v)
			r.visits.Go(func() { _ = v.c.Close(conn.StatusTryAgainLater, "too far behind") })
		}
	}
}

// send empties the queue into the connection until that ends.
func (v *visitor) send() {
	for {
		select {
		case message := <-v.queue:
			ctx, cancel := context.WithTimeout(v.c.Context(), sendTime)
			err := v.c.Write(ctx, conn.Text, message)
			cancel()
			if err != nil {
				_ = v.c.CloseNow() // it has ended, or is too slow
				return
			}
		case <-v.c.Context().Done():
			return
		}
	}
}
