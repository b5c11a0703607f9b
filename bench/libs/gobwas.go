package libs

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// gobwas/ws, as its README's lower-level example has it, "which allows to build your own
// logic of packet handling and buffers reuse": wsutil.Reader over a buffered reader, into
// a buffer that is kept, with UTF-8 checked and messages limited; the answer's header is
// put in front of the payload in that buffer, and both leave in one Write. That several
// answers could be gathered by hand is true, but then the gathering is the user's work and
// not the library's. Writers must be serialised by the user, so they share a mutex where
// there are several. What goes to many connections is a frame of CompileFrame. Compression would be without context takeover, and is left out: the
// helpers of wsflate compress into new memory for each message.
func gobwasLib() Lib {
	return Lib{
		Name: "gobwas", Module: "github.com/gobwas/ws", Kind: Peer,
		Setup: "wsutil.Reader over bufio (4 to 16 KiB by the size of messages) into a kept buffer, header and payload in one Write",
		Serve: func(ln net.Listener, o Options) error {
			return serveHTTP(ln, o, func(w http.ResponseWriter, r *http.Request) {
				nc, _, _, err := ws.UpgradeHTTP(r, w)
				if err != nil {
					return
				}
				go gobwasEcho(nc, o) // the handler returns, and net/http's memory is freed
			})
		},
		Prepare: func(data []byte) (func(Conn, int) error, error) {
			frame, err := ws.CompileFrame(ws.NewBinaryFrame(data))
			return times(func(c *gobwasConn) error { return c.compiled(frame) }), err
		},
		Dial: func(ctx context.Context, addr string, cfg *tls.Config) (Conn, error) {
			nc, _, _, err := ws.Dialer{TLSConfig: cfg}.Dial(ctx, "wss://"+addr+"/")
			if err != nil {
				return nil, err
			}
			return newGobwasConn(nc, true), nil
		},
	}
}

// gobwasRoom is what is kept free before a payload, for its header.
const gobwasRoom = ws.MaxHeaderSize

func gobwasEcho(nc net.Conn, o Options) {
	defer nc.Close()
	if o.Hub != nil {
		defer o.Hub.Add(newGobwasConn(nc, false))()
	}
	br := bufio.NewReaderSize(nc, bufferSize(o.Message))
	control := wsutil.ControlFrameHandler(nc, ws.StateServerSide)
	r := &wsutil.Reader{
		Source: br, State: ws.StateServerSide,
		CheckUTF8: true, MaxMessageSize: messageLimit, OnIntermediate: control,
	}
	w := &gobwasWriter{nc: nc, buf: make([]byte, gobwasRoom, gobwasRoom+512)}
	for {
		h, err := r.NextFrame()
		if err != nil {
			return
		}
		if h.OpCode.IsControl() {
			if err := control(h, r); err != nil {
				return
			}
			continue
		}
		if w.buf, err = readAll(r, w.buf[:gobwasRoom]); err != nil {
			return
		}
		if err := w.send(ws.Header{Fin: true, OpCode: h.OpCode}); err != nil {
			return
		}
	}
}

// gobwasWriter sends the payload that stands in buf from gobwasRoom on.
type gobwasWriter struct {
	nc      net.Conn
	buf     []byte
	start   int
	scratch [ws.MaxHeaderSize]byte
}

// send puts a header before the payload and writes both at once.
func (w *gobwasWriter) send(h ws.Header) error {
	h.Length = int64(len(w.buf) - gobwasRoom)
	w.start = gobwasRoom - ws.HeaderSize(h)
	if err := ws.WriteHeaderBuffer(w, h, w.scratch[:]); err != nil {
		return err
	}
	_, err := w.nc.Write(w.buf[w.start:])
	return err
}

// Write takes the header.
func (w *gobwasWriter) Write(p []byte) (int, error) { return copy(w.buf[w.start:], p), nil }

type gobwasConn struct {
	mu     sync.Mutex
	w      gobwasWriter
	client bool
}

func newGobwasConn(nc net.Conn, client bool) *gobwasConn {
	return &gobwasConn{w: gobwasWriter{nc: nc, buf: make([]byte, gobwasRoom)}, client: client}
}

func (c *gobwasConn) Write(p []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.w.buf = append(c.w.buf[:gobwasRoom], p...)
	h := ws.Header{Fin: true, OpCode: ws.OpBinary}
	if c.client {
		h.Masked, h.Mask = true, ws.NewMask()
		ws.Cipher(c.w.buf[gobwasRoom:], h.Mask, 0)
	}
	return c.w.send(h)
}

// compiled writes a whole frame.
func (c *gobwasConn) compiled(frame []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.w.nc.Write(frame)
	return err
}
