package differential

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
	"github.com/gobwas/ws/wsutil"
	"github.com/gorilla/websocket"

	"github.com/seed-c4549abd/wss/conn"
)

// limit is the longest message that all of them accept.
const limit = 2000

// outcome is what a library makes of a stream.
type outcome struct {
	messages []message
	end      end
	code     int // that was received, or sent; 0: none was

	anyCode bool // of a difference: the code does not matter
}

type message struct {
	text bool
	data string
}

// end is how a connection is over.
type end string

const (
	closed  end = "closed"  // by the peer's close frame
	refused end = "refused" // by the library, for a broken rule
	ended   end = "ended"   // the stream was over before
)

// memory is a connection whose peer has sent everything.
type memory struct {
	in    io.Reader
	piece int // a Read returns at most so many bytes
	out   bytes.Buffer
}

func (m *memory) Read(p []byte) (int, error)       { return m.in.Read(p[:min(len(p), m.piece)]) }
func (m *memory) Write(p []byte) (int, error)      { return m.out.Write(p) }
func (m *memory) Close() error                     { return nil }
func (m *memory) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (m *memory) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (m *memory) SetDeadline(time.Time) error      { return nil }
func (m *memory) SetReadDeadline(time.Time) error  { return nil }
func (m *memory) SetWriteDeadline(time.Time) error { return nil }

func request(zip bool) string {
	head := "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
	if zip { // gorilla has no context takeover, and asks for none
		head += "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
	}
	return head + "\r\n"
}

// peer receives a stream of a client's frames.
type peer func(stream []byte, zip bool, piece int) outcome

func ours(stream []byte, zip bool, piece int) (o outcome) {
	nc := &memory{in: io.MultiReader(strings.NewReader(request(zip)), bytes.NewReader(stream)), piece: piece}
	ctx := context.Background()
	c, err := conn.Upgrade(ctx, nc, &conn.AcceptOptions{
		MessageLimit: limit, PingInterval: -1, Compression: conn.Compression{Mode: conn.CompressionNoTakeover},
	})
	if err != nil {
		panic(err)
	}
	defer c.CloseNow()
	if c.Compressed() != zip {
		panic("compression was not negotiated as it should")
	}
	for {
		typ, data, err := c.Read(ctx)
		if err == nil {
			o.messages = append(o.messages, message{typ == conn.Text, string(data)})
			continue
		}
		var e *conn.CloseError
		switch {
		case !errors.As(err, &e):
			panic(err)
		case e.Remote:
			o.end, o.code = closed, int(e.Code)
		case e.Code == conn.StatusAbnormal:
			o.end = ended
		default:
			o.end, o.code = refused, int(e.Code)
		}
		return o
	}
}

// hijacked is a ResponseWriter over a connection.
type hijacked struct {
	http.ResponseWriter
	nc net.Conn
}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.nc, bufio.NewReadWriter(bufio.NewReader(h.nc), bufio.NewWriter(h.nc)), nil
}

func gorilla(stream []byte, zip bool, piece int) (o outcome) {
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(request(zip))))
	if err != nil {
		panic(err)
	}
	nc := &memory{in: bytes.NewReader(stream), piece: piece}
	c, err := (&websocket.Upgrader{EnableCompression: zip}).Upgrade(hijacked{nc: nc}, r, nil)
	if err != nil {
		panic(err)
	}
	c.SetReadLimit(limit)
	nc.out.Reset()
	for {
		typ, data, err := c.ReadMessage()
		if err == nil {
			o.messages = append(o.messages, message{typ == websocket.TextMessage, string(data)})
			continue
		}
		var e *websocket.CloseError
		switch {
		case errors.As(err, &e) && e.Code != websocket.CloseAbnormalClosure:
			o.end, o.code = closed, e.Code
		case e != nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			o.end = ended
		default:
			o.end, o.code = refused, sent(nc.out.Bytes())
		}
		return o
	}
}

// sent returns the code of the close frame among what a server has sent, 0 without one.
func sent(out []byte) int {
	for _, f := range walk(out) {
		if f.opcode == 8 && len(f.payload) >= 2 {
			return f.closeCode()
		}
	}
	return 0
}

// gobwas reads as its documentation shows, with all the checks that it has. It does not
// send a close frame when it refuses something, so codes are not compared then.
func gobwas(stream []byte, zip bool, piece int) (o outcome) {
	nc := &memory{in: bytes.NewReader(stream), piece: piece}
	var flag wsflate.MessageState
	control := wsutil.ControlFrameHandler(nc, ws.StateServerSide)
	rd := wsutil.Reader{
		Source: nc, State: ws.StateServerSide, CheckUTF8: !zip, // it would look at compressed bytes
		MaxMessageSize: limit, OnIntermediate: control,
	}
	if zip {
		rd.State |= ws.StateExtended
		rd.Extensions = []wsutil.RecvExtension{&flag}
	}
	for {
		h, err := rd.NextFrame()
		if err == nil && h.OpCode.IsControl() {
			err = control(h, &rd)
			if err == nil {
				err = rd.Discard()
			}
			if err == nil {
				continue
			}
		}
		var data []byte
		if err == nil {
			var src io.Reader = &rd
			if flag.IsCompressed() {
				src = wsflate.NewReader(src, func(r io.Reader) wsflate.Decompressor { return flate.NewReader(r) })
			}
			data, err = io.ReadAll(src)
		}
		if err == nil {
			o.messages = append(o.messages, message{h.OpCode == ws.OpText, string(data)})
			continue
		}
		var e wsutil.ClosedError
		switch {
		case errors.As(err, &e):
			o.end, o.code = closed, int(e.Code)
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			o.end = ended
		default:
			o.end = refused
		}
		return o
	}
}
