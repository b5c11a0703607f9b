package main

import (
	stdtls "crypto/tls"
	"errors"
	"net/http"

	"github.com/lesismal/nbio/nbhttp/websocket"
)

// nbio's own TLS and event loop are for its engine; under net/http it blocks.

func nbioUpgrader(ends chan end) *websocket.Upgrader {
	u := websocket.NewUpgrader()
	u.Subprotocols = []string{"echo"}
	u.CheckOrigin = func(*http.Request) bool { return true }
	u.MessageLengthLimit = limit
	u.EnableCompression(true)
	code, reason := 1006, ""
	u.SetCloseHandler(func(c *websocket.Conn, with int, text string) {
		code, reason = with, text
		_ = c.WriteClose(with, text)
	})
	u.OnMessage(func(c *websocket.Conn, typ websocket.MessageType, data []byte) {
		do, ok := command{}, false
		if typ == websocket.TextMessage {
			do, ok = parseCommand(data)
		}
		switch {
		case !ok:
			_ = c.WriteMessage(typ, data)
		case do.code != 0:
			_ = c.WriteClose(do.code, do.reason)
		default:
			_ = c.WriteMessage(websocket.BinaryMessage, do.send)
		}
	})
	u.OnClose(func(*websocket.Conn, error) { ends <- ended(code, reason) })
	return u
}

func nbioClient(string, *stdtls.Config) (end, error) {
	return end{}, errors.New("only its server is tried here")
}

func nbioServer(w http.ResponseWriter, r *http.Request) end {
	ends := make(chan end, 1)
	if _, err := nbioUpgrader(ends).Upgrade(w, r, nil); err != nil {
		return end{}
	}
	return <-ends
}
