package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const byHandSetup = "gorilla/websocket as in its chat example: a map of connections for each topic, a channel of 256 messages and a goroutine that writes for " +
	"each connection; a PreparedMessage for each publication; WriteBufferPool; no pings"

const (
	queueLength  = 256 // messages that may wait for one connection
	writeTimeout = 10 * time.Second
)

// byHandServer is what is written without a package for topics. A connection subscribes with the text "subscribe NAME".
func byHandServer(ln net.Listener, config *tls.Config) (publisher, func() error, error) {
	r := newRooms()
	return r.publish, serveHTTP(ln, config, r), nil
}

// rooms are the connections of each topic.
type rooms struct {
	mu       sync.Mutex
	topics   map[string]map[*member]bool
	upgrader websocket.Upgrader
}

func newRooms() *rooms {
	return &rooms{
		topics:   map[string]map[*member]bool{},
		upgrader: websocket.Upgrader{WriteBufferPool: &sync.Pool{}}, // as bench has it for many connections
	}
}

// member is a connection with the messages that wait for it.
type member struct {
	conn  *websocket.Conn
	queue chan *websocket.PreparedMessage
}

// ServeHTTP accepts a connection.
func (r *rooms) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	c, err := r.upgrader.Upgrade(w, q, nil)
	if err != nil {
		return
	}
	m := &member{c, make(chan *websocket.PreparedMessage, queueLength)}
	go m.write()
	go r.read(m) // the handler returns, and net/http's memory is freed
}

// read does what the client asks for, until the connection ends.
func (r *rooms) read(m *member) {
	defer r.remove(m)
	for {
		_, text, err := m.conn.ReadMessage()
		if err != nil {
			return
		}
		if topic, ok := strings.CutPrefix(string(text), "subscribe "); ok {
			r.subscribe(m, topic)
		}
	}
}

func (r *rooms) subscribe(m *member, topic string) {
	answer, err := websocket.NewPreparedMessage(websocket.TextMessage, []byte("subscribed "+topic))
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.topics[topic] == nil {
		r.topics[topic] = map[*member]bool{}
	}
	r.topics[topic][m] = true
	m.queue <- answer
}

// remove ends the connection and its subscriptions.
func (r *rooms) remove(m *member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, members := range r.topics {
		delete(members, m)
	}
	close(m.queue)
}

// publish queues a message for all connections of a topic. One whose queue is full is closed.
func (r *rooms) publish(topic string, data []byte) error {
	text := fmt.Appendf(nil, `{"topic":%q,"data":%s}`, topic, data)
	message, err := websocket.NewPreparedMessage(websocket.TextMessage, text)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for m := range r.topics[topic] {
		select {
		case m.queue <- message:
		default:
			_ = m.conn.Close()
		}
	}
	return nil
}

// write sends what is queued.
func (m *member) write() {
	defer m.conn.Close()
	for message := range m.queue {
		_ = m.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		if err := m.conn.WritePreparedMessage(message); err != nil {
			break
		}
	}
	for range m.queue { // what is queued until the reader has noticed
	}
}
