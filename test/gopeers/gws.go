package main

import (
	"crypto/tls"
	"errors"
	"net/http"
	"sync"

	"github.com/lxzan/gws"
)

type gwsHandler struct {
	gws.BuiltinEventHandler
	once sync.Once
	end  chan end
}

func (h *gwsHandler) OnPing(c *gws.Conn, payload []byte) { _ = c.WritePong(payload) }

func (h *gwsHandler) OnClose(_ *gws.Conn, err error) {
	e := ended(1006, "")
	if c, ok := errors.AsType[*gws.CloseError](err); ok {
		e = ended(int(c.Code), string(c.Reason))
	}
	h.once.Do(func() { h.end <- e })
}

func (h *gwsHandler) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	do, ok := command{}, false
	if m.Opcode == gws.OpcodeText {
		do, ok = parseCommand(m.Bytes())
	}
	switch {
	case !ok:
		_ = c.WriteMessage(m.Opcode, m.Bytes())
	case do.code != 0:
		_ = c.WriteClose(uint16(do.code), []byte(do.reason))
		h.once.Do(func() { h.end <- ended(do.code, do.reason) })
	default:
		_ = c.WriteMessage(gws.OpcodeBinary, do.send)
	}
}

func gwsClient(url string, cfg *tls.Config) (end, error) {
	h := &gwsHandler{end: make(chan end, 1)}
	c, _, err := gws.NewClient(h, &gws.ClientOption{
		Addr: url, TlsConfig: cfg, RequestHeader: http.Header{"Sec-WebSocket-Protocol": {"unknown, echo"}},
		ReadMaxPayloadSize: limit, WriteMaxPayloadSize: limit, CheckUtf8Enabled: true,
		PermessageDeflate: gws.PermessageDeflate{Enabled: true, ServerContextTakeover: true, ClientContextTakeover: true},
	})
	if err != nil {
		return end{}, err
	}
	c.ReadLoop()
	return <-h.end, nil
}

func gwsServer(w http.ResponseWriter, r *http.Request) end {
	h := &gwsHandler{end: make(chan end, 1)}
	u := gws.NewUpgrader(h, &gws.ServerOption{
		SubProtocols: []string{"echo"}, ReadMaxPayloadSize: limit, WriteMaxPayloadSize: limit, CheckUtf8Enabled: true,
		PermessageDeflate: gws.PermessageDeflate{Enabled: true, ServerContextTakeover: true, ClientContextTakeover: true},
	})
	c, err := u.Upgrade(w, r)
	if err != nil {
		return end{}
	}
	c.ReadLoop()
	return <-h.end
}
