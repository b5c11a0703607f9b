package browser

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall/js"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/pipe"
)

// MayClose reports whether a page may close a WebSocket with a code.
func MayClose(code frame.StatusCode) bool {
	return code == frame.NormalClosure || code == frame.NoStatus || code >= 3000 && code <= 4999
}

// Conn is the client's end of a WebSocket of the environment.
type Conn struct {
	*pipe.End
	Subprotocol string // what the server has chosen; "" if nothing

	url string
}

// RemoteAddr returns the URL: there is no other address here.
func (c *Conn) RemoteAddr() net.Addr { return address(c.url) }

type address string

func (address) Network() string  { return "websocket" }
func (a address) String() string { return string(a) }

const (
	pipeSize  = 64 << 10
	maxQueued = 1 << 20 // bytes that the environment may hold before writes wait
	lookAgain = 5 * time.Millisecond
	closeTime = time.Minute // until the environment must have reported the end of a failed WebSocket
)

// bridge translates between the frames of far, the other end of a Conn, and the messages of a WebSocket.
type bridge struct {
	socket  js.Value
	decoder js.Value // a TextDecoder that keeps a byte order mark, which package js would remove
	far     *pipe.End
	opened  chan struct{}
	ended   chan struct{} // closed when the environment has closed the WebSocket
	failed  chan struct{} // holds a token after an error
	funcs   []js.Func

	mu    sync.Mutex
	queue [][]byte      // frames that the client has not been given yet; guarded by mu
	more  chan struct{} // holds a token when the queue has grown, or the WebSocket has ended
}

// Dial opens a WebSocket. The environment does the opening handshake, and tells nothing of what goes wrong in it.
func Dial(ctx context.Context, url string, protocols []string) (*Conn, error) {
	socket, err := open(url, protocols)
	if err != nil {
		return nil, err
	}
	near, far := pipe.New(pipeSize)
	b := &bridge{
		socket:  socket,
		decoder: js.Global().Get("TextDecoder").New("utf-8", map[string]any{"ignoreBOM": true}),
		far:     far,
		opened:  make(chan struct{}), ended: make(chan struct{}), failed: make(chan struct{}, 1), more: make(chan struct{}, 1),
	}
	socket.Set("binaryType", "arraybuffer")
	b.on("open", func(js.Value) { close(b.opened) })
	b.on("message", b.received)
	b.on("close", b.closed)
	b.on("error", func(js.Value) {
		select {
		case b.failed <- struct{}{}:
		default:
		}
	})
	select {
	case <-b.opened:
		return b.begin(near, url), nil
	case <-b.ended:
	case <-b.failed: // Node 22 reports no end behind it
	case <-ctx.Done():
		socket.Call("close")
		err = ctx.Err()
	}
	select {
	case <-b.opened:
		if err == nil { // it was open for a moment
			return b.begin(near, url), nil
		}
	default:
	}
	go func() {
		select {
		case <-b.ended:
		case <-time.After(closeTime):
		}
		b.release()
	}()
	if err == nil {
		err = errors.New("the browser could not connect; its console may say why")
	}
	return nil, err
}

// begin starts to translate.
func (b *bridge) begin(near *pipe.End, url string) *Conn {
	go b.deliver()
	go b.send()
	return &Conn{End: near, Subprotocol: b.socket.Get("protocol").String(), url: url}
}

// open makes the WebSocket object. JavaScript's exceptions become errors.
func open(url string, protocols []string) (socket js.Value, err error) {
	class := js.Global().Get("WebSocket")
	if class.IsUndefined() {
		return js.Value{}, errors.New("this JavaScript environment has no WebSocket")
	}
	defer func() {
		switch e := recover().(type) {
		case nil:
		case js.Error:
			err = e
		default:
			panic(e)
		}
	}()
	offered := make([]any, len(protocols))
	for i, p := range protocols {
		offered[i] = p
	}
	return class.New(url, offered), nil
}

func (b *bridge) on(event string, handle func(event js.Value)) {
	f := js.FuncOf(func(_ js.Value, args []js.Value) any {
		handle(args[0])
		return nil
	})
	b.funcs = append(b.funcs, f)
	b.socket.Call("addEventListener", event, f)
}

func (b *bridge) release() {
	for _, f := range b.funcs {
		f.Release()
	}
}

// received queues a message as a frame. An event must not wait, so the queue has no bound: the environment knows no
// backpressure.
func (b *bridge) received(event js.Value) {
	h := frame.Header{Fin: true, Opcode: frame.Binary}
	data := event.Get("data")
	var text string
	if data.Type() == js.TypeString {
		h.Opcode, text = frame.Text, data.String()
		h.Length = int64(len(text))
		b.enqueue(append(h.Append(nil), text...))
		return
	}
	bytes := js.Global().Get("Uint8Array").New(data)
	h.Length = int64(bytes.Length())
	f := h.Append(make([]byte, 0, h.Size()+bytes.Length()))
	n := len(f)
	f = f[:n+bytes.Length()]
	js.CopyBytesToGo(f[n:], bytes)
	b.enqueue(f)
}

// closed queues the peer's close frame, if there was a closing handshake.
func (b *bridge) closed(event js.Value) {
	if event.Get("wasClean").Bool() {
		code, reason := frame.StatusCode(event.Get("code").Int()), event.Get("reason").String()
		if body, err := frame.AppendClose(nil, code, reason); err == nil {
			h := frame.Header{Fin: true, Opcode: frame.Close, Length: int64(len(body))}
			b.enqueue(append(h.Append(nil), body...))
		}
	}
	close(b.ended)
	b.wake()
}

func (b *bridge) enqueue(f []byte) {
	b.mu.Lock()
	b.queue = append(b.queue, f)
	b.mu.Unlock()
	b.wake()
}

func (b *bridge) wake() {
	select {
	case b.more <- struct{}{}:
	default:
	}
}

// deliver gives the client what was queued, and then the end of the stream.
func (b *bridge) deliver() {
	for over := false; !over; {
		<-b.more
		select {
		case <-b.ended:
			over = true // what was queued before is in the queue by now
		default:
		}
		b.mu.Lock()
		frames := b.queue
		b.queue = nil
		b.mu.Unlock()
		for _, f := range frames {
			if _, err := b.far.Write(f); err != nil {
				break // the client has closed the connection
			}
		}
	}
	_ = b.far.CloseWrite()
	b.release()
}

// send sends the client's messages, until it closes the connection.
func (b *bridge) send() {
	defer b.socket.Call("close") // without effect if it is closing already
	receiver := frame.Receiver{Role: frame.Server}
	var ev frame.Event
	var message []byte
	buf, left := make([]byte, pipeSize), 0
	for {
		n, err := b.far.Read(buf[left:])
		if err != nil {
			return
		}
		p := buf[:left+n]
		for {
			k, err := receiver.NextInto(&ev, p)
			if err != nil {
				return
			}
			p = p[k:]
			if ev.Kind == frame.None {
				break
			}
			if ev.Kind == frame.Data {
				if message = append(message, ev.Payload...); ev.Final {
					b.sendMessage(ev.Opcode, message)
					message = message[:0]
				}
			} else if ev.Opcode == frame.Close { // a page can send neither pings nor pongs
				b.sendClose(ev.Payload)
			}
		}
		left = copy(buf, p)
	}
}

// waitForRoom waits while the environment holds much that it has not sent.
func (b *bridge) waitForRoom() {
	for b.socket.Get("bufferedAmount").Int() > maxQueued {
		select {
		case <-b.ended:
			return
		case <-time.After(lookAgain):
		}
	}
}

func (b *bridge) sendMessage(op frame.Opcode, p []byte) {
	b.waitForRoom()
	data := js.Global().Get("Uint8Array").New(len(p))
	js.CopyBytesToJS(data, p)
	if op == frame.Text {
		data = b.decoder.Call("decode", data)
	}
	b.socket.Call("send", data)
}

// sendClose starts the closing handshake. A code that a page may not send is left out.
func (b *bridge) sendClose(payload []byte) {
	code, reason, err := frame.ParseClose(payload)
	if err != nil || code == frame.NoStatus || !MayClose(code) {
		b.socket.Call("close")
		return
	}
	b.socket.Call("close", int(code), string(reason))
}
