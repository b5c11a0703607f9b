package streams

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/seed-c4549abd/wss/frame"
)

// end is the client's end of a connection, frame by frame. Its methods panic with a problem, which run returns.
type end struct {
	nc      net.Conn
	framer  *http2.Framer
	url     *url.URL
	timeout time.Duration
	block   bytes.Buffer
	encoder *hpack.Encoder
	note    string
}

// problem is what the server did wrong.
type problem string

func newEnd(nc net.Conn, u *url.URL, timeout time.Duration) *end {
	e := &end{nc: nc, framer: http2.NewFramer(nc, nc), url: u, timeout: timeout}
	e.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	e.framer.AllowIllegalWrites = true
	e.encoder = hpack.NewEncoder(&e.block)
	return e
}

// begin sends the preface, and looks for SETTINGS_ENABLE_CONNECT_PROTOCOL.
func (e *end) begin() error {
	_ = e.nc.SetDeadline(time.Now().Add(e.timeout))
	if _, err := io.WriteString(e.nc, http2.ClientPreface); err != nil {
		return fmt.Errorf("streams: %w", err)
	}
	if err := e.framer.WriteSettings(); err != nil {
		return fmt.Errorf("streams: %w", err)
	}
	f, err := e.framer.ReadFrame()
	if err != nil {
		return fmt.Errorf("streams: %w", err)
	}
	settings, ok := f.(*http2.SettingsFrame)
	if !ok {
		return errors.New("streams: the server's first frame is not SETTINGS")
	}
	if value, ok := settings.Value(http2.SettingEnableConnectProtocol); !ok || value != 1 {
		return ErrNotOffered
	}
	return e.framer.WriteSettingsAck()
}

// run runs a case, and returns its problem.
func (e *end) run(f func(*end)) (text string) {
	defer func() {
		if v := recover(); v != nil {
			p, ok := v.(problem)
			if !ok {
				panic(v)
			}
			text = string(p)
		}
	}()
	f(e)
	return ""
}

func fail(format string, args ...any) { panic(problem(fmt.Sprintf(format, args...))) }

func (e *end) check(err error) {
	if err != nil {
		fail("the connection broke off: %v", err)
	}
}

// request sends an extended CONNECT; fields replace the usual ones, or are added, and an empty value takes one away.
func (e *end) request(id uint32, end bool, fields map[string]string) {
	e.block.Reset()
	for _, f := range [][2]string{
		{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "https"}, {":path", e.url.RequestURI()}, {":authority", e.url.Host},
		{"sec-websocket-version", "13"},
	} {
		value, replaced := fields[f[0]]
		if !replaced {
			value = f[1]
		}
		if value != "" {
			e.check(e.encoder.WriteField(hpack.HeaderField{Name: f[0], Value: value}))
		}
	}
	for _, name := range []string{"content-length", "origin", "sec-websocket-key"} {
		if value := fields[name]; value != "" {
			e.check(e.encoder.WriteField(hpack.HeaderField{Name: name, Value: value}))
		}
	}
	e.check(e.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: e.block.Bytes(), EndHeaders: true, EndStream: end}))
}

// next returns the next frame of a stream. What belongs to the connection is dealt with on the way, and other streams are skipped.
func (e *end) next(id uint32) http2.Frame {
	for {
		_ = e.nc.SetDeadline(time.Now().Add(e.timeout))
		f, err := e.framer.ReadFrame()
		if err != nil {
			fail("no frame of the stream came: %v", err)
		}
		switch f := f.(type) {
		case *http2.GoAwayFrame:
			if f.ErrCode != http2.ErrCodeNo {
				fail("the server ends the connection: GOAWAY %v %q", f.ErrCode, f.DebugData())
			}
		case *http2.PingFrame:
			if !f.IsAck() {
				e.check(e.framer.WritePing(true, f.Data))
			}
		case *http2.SettingsFrame:
			if !f.IsAck() {
				e.check(e.framer.WriteSettingsAck())
			}
		case *http2.WindowUpdateFrame:
		default:
			if f.Header().StreamID == id {
				return f
			}
		}
	}
}

// open opens a WebSocket.
func (e *end) open(id uint32) {
	e.request(id, false, nil)
	if s := e.status(id); s/100 != 2 {
		fail("the request is answered by %d", s)
	}
}

// status returns the status of the response, or 0 if the stream was reset.
func (e *end) status(id uint32) int {
	for {
		switch f := e.next(id).(type) {
		case *http2.MetaHeadersFrame:
			status := 0
			if _, err := fmt.Sscan(f.PseudoValue("status"), &status); err != nil {
				fail("the response has no status")
			}
			if status >= 200 {
				return status
			}
		case *http2.RSTStreamFrame:
			return 0
		default:
			fail("%v comes before the response", f.Header().Type)
		}
	}
}

// refused says that the server should have refused, by a status or by RST_STREAM, and then serves another stream.
func (e *end) refused(id uint32, wanted ...int) {
	status := e.status(id)
	if status/100 == 2 {
		fail("the request is accepted with %d", status)
	}
	for _, w := range wanted {
		if status != 0 && status != w {
			fail("the request is refused with %d, not %d", status, w)
		}
	}
	e.serves(id + 2)
}

// serves opens another stream and has a message echoed there.
func (e *end) serves(id uint32) {
	e.open(id)
	e.echo(id, "another stream")
}

// message is a masked text frame. The key is zero.
func message(text string) []byte {
	h := frame.Header{Fin: true, Opcode: frame.Text, Masked: true, Length: int64(len(text))}
	return append(h.Append(nil), text...)
}

// echo sends a text and waits for it to come back.
func (e *end) echo(id uint32, text string) {
	e.check(e.framer.WriteData(id, false, message(text)))
	e.comesBack(id, text, nil)
}

// comesBack waits for an unmasked text frame. got is called with the size of each DATA frame.
func (e *end) comesBack(id uint32, text string, got func(n int)) {
	h := frame.Header{Fin: true, Opcode: frame.Text, Length: int64(len(text))}
	want := append(h.Append(nil), text...)
	var p []byte
	for len(p) < len(want) {
		switch f := e.next(id).(type) {
		case *http2.DataFrame:
			p = append(p, f.Data()...)
			if f.StreamEnded() && len(p) < len(want) {
				fail("the stream ends behind %d of %d bytes", len(p), len(want))
			}
			if got != nil {
				got(len(f.Data()))
			}
		default:
			fail("%v comes in place of the message", f.Header().Type)
		}
	}
	if !bytes.Equal(p, want) {
		fail("another message comes back: %q", p)
	}
}

// ends waits for the end of a stream, and returns the DATA before: by END_STREAM, or by RST_STREAM if reset says that this will do.
func (e *end) ends(id uint32, reset bool) (p []byte) {
	for {
		switch f := e.next(id).(type) {
		case *http2.DataFrame:
			p = append(p, f.Data()...)
			if f.StreamEnded() {
				return p
			}
		case *http2.MetaHeadersFrame:
			if f.StreamEnded() {
				return p
			}
		case *http2.RSTStreamFrame:
			if !reset && f.ErrCode != http2.ErrCodeNo {
				fail("the stream is reset: %v", f.ErrCode)
			}
			return p
		}
	}
}
