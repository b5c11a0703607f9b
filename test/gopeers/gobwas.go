package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

func gobwasClient(url string, cfg *tls.Config) (end, error) {
	d := ws.Dialer{TLSConfig: cfg, Protocols: []string{"unknown", "echo"}}
	nc, br, _, err := d.Dial(context.Background(), url)
	if err != nil {
		return end{}, err
	}
	var r io.Reader = nc
	if br != nil {
		r = br
	}
	return gobwasEcho(nc, r, ws.StateClientSide), nil
}

func gobwasServer(w http.ResponseWriter, r *http.Request) end {
	u := ws.HTTPUpgrader{Protocol: func(p string) bool { return p == "echo" }}
	nc, brw, _, err := u.Upgrade(r, w)
	if err != nil {
		return end{}
	}
	return gobwasEcho(nc, brw, ws.StateServerSide)
}

func gobwasEcho(nc net.Conn, r io.Reader, state ws.State) end {
	defer nc.Close()
	control := wsutil.ControlFrameHandler(nc, state)
	reader := wsutil.Reader{Source: r, State: state, CheckUTF8: true, OnIntermediate: control, MaxFrameSize: limit}
	for {
		h, err := reader.NextFrame()
		if err != nil {
			return ended(1006, "")
		}
		if h.OpCode.IsControl() {
			if err := control(h, &reader); err != nil {
				if e, ok := errors.AsType[wsutil.ClosedError](err); ok {
					return ended(int(e.Code), e.Reason)
				}
				return ended(1006, "")
			}
			continue
		}
		data, err := io.ReadAll(&reader)
		if err != nil {
			if e, ok := errors.AsType[wsutil.ClosedError](err); ok {
				return ended(int(e.Code), e.Reason)
			}
			return ended(1006, "")
		}
		do, ok := command{}, false
		if h.OpCode == ws.OpText {
			do, ok = parseCommand(data)
		}
		switch {
		case !ok:
			_ = wsutil.WriteMessage(nc, state, h.OpCode, data)
		case do.code != 0:
			_ = wsutil.WriteMessage(nc, state, ws.OpClose, ws.NewCloseFrameBody(ws.StatusCode(do.code), do.reason))
		default:
			_ = wsutil.WriteMessage(nc, state, ws.OpBinary, do.send)
		}
	}
}
