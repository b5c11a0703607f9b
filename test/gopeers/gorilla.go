package main

import (
	"crypto/tls"
	"errors"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

func gorillaClient(url string, cfg *tls.Config) (end, error) {
	d := websocket.Dialer{TLSClientConfig: cfg, Subprotocols: []string{"unknown", "echo"}, EnableCompression: true}
	c, _, err := d.Dial(url, nil)
	if err != nil {
		return end{}, err
	}
	return gorillaEcho(c), nil
}

func gorillaServer(w http.ResponseWriter, r *http.Request) end {
	u := websocket.Upgrader{Subprotocols: []string{"echo"}, EnableCompression: true, CheckOrigin: func(*http.Request) bool { return true }}
	c, err := u.Upgrade(w, r, nil)
	if err != nil {
		return end{}
	}
	return gorillaEcho(c)
}

func gorillaEcho(c *websocket.Conn) end {
	defer c.Close()
	c.SetReadLimit(limit)
	for {
		typ, data, err := c.ReadMessage()
		if err != nil {
			if e, ok := errors.AsType[*websocket.CloseError](err); ok {
				return ended(e.Code, e.Text)
			}
			return ended(1006, "")
		}
		do, ok := command{}, false
		if typ == websocket.TextMessage {
			do, ok = parseCommand(data)
		}
		switch {
		case !ok:
			_ = c.WriteMessage(typ, data)
		case do.code != 0:
			_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(do.code, do.reason), time.Now().Add(time.Second))
		default:
			_ = c.WriteMessage(websocket.BinaryMessage, do.send)
		}
	}
}
