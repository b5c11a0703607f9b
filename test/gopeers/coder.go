package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"

	"github.com/coder/websocket"
)

func coderClient(url string, cfg *tls.Config) (end, error) {
	c, _, err := websocket.Dial(context.Background(), url, &websocket.DialOptions{
		HTTPClient:   &http.Client{Transport: &http.Transport{TLSClientConfig: cfg}},
		Subprotocols: []string{"unknown", "echo"}, CompressionMode: websocket.CompressionContextTakeover,
	})
	if err != nil {
		return end{}, err
	}
	return coderEcho(c), nil
}

func coderServer(w http.ResponseWriter, r *http.Request) end {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{"echo"}, InsecureSkipVerify: true, CompressionMode: websocket.CompressionContextTakeover,
	})
	if err != nil {
		return end{}
	}
	return coderEcho(c)
}

func coderEcho(c *websocket.Conn) end {
	defer c.CloseNow()
	c.SetReadLimit(limit)
	ctx := context.Background()
	for {
		typ, data, err := c.Read(ctx)
		if err != nil {
			if e, ok := errors.AsType[websocket.CloseError](err); ok {
				return ended(int(e.Code), e.Reason)
			}
			return ended(1006, "")
		}
		do, ok := command{}, false
		if typ == websocket.MessageText {
			do, ok = parseCommand(data)
		}
		switch {
		case !ok:
			_ = c.Write(ctx, typ, data)
		case do.code != 0:
			_ = c.Close(websocket.StatusCode(do.code), do.reason)
			return ended(do.code, do.reason)
		default:
			_ = c.Write(ctx, websocket.MessageBinary, do.send)
		}
	}
}
