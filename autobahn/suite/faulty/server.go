package faulty

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/mask"
)

// Serve serves connections until the listener is closed, and then waits for those that there are.
func Serve(ln net.Listener, f Fault) error {
	var sessions sync.WaitGroup
	defer sessions.Wait()
	for {
		conn, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		sessions.Go(func() {
			defer conn.Close()
			s := &session{fault: f, conn: conn, in: bufio.NewReader(conn)}
			if s.open() == nil {
				s.serve()
			}
		})
	}
}

// session is one connection.
type session struct {
	fault Fault
	conn  net.Conn
	in    *bufio.Reader
	// client is the role: the other side is the server, and masks nothing.
	client bool

	deflate   *compression // nil: not agreed on
	inMessage bool
	deflated  bool         // the message is compressed
	opcode    frame.Opcode // of the message
	message   []byte
	text      frame.UTF8
	pongs     []string // that wait, with LatePongs
	closing   bool     // a close frame was sent
}

// open answers the opening handshake.
func (s *session) open() error {
	r, err := http.ReadRequest(s.in)
	if err != nil {
		return err
	}
	agreement, err := handshake.Accept(r, &handshake.ServerOptions{
		Header: http.Header{"Server": {"faulty"}}, Extensions: s.negotiate,
	})
	if err != nil {
		return err
	}
	_, err = s.conn.Write(agreement.AppendResponse(nil))
	return err
}

// errEnd says that the connection has been closed as it should.
var errEnd = errors.New("closed")

// serve handles frames until the connection ends, and ends it after our close frame.
func (s *session) serve() {
	if s.fault == PongsUnasked && s.send(frame.Pong, []byte("nobody asked")) != nil {
		return
	}
	for {
		if err := s.frame(); err != nil {
			s.streamEnds(err)
			break
		}
	}
	if s.fault == Aborts {
		s.abort()
		return
	}
	if !s.closing || s.client && s.fault == EndsFirst {
		return
	}
	if s.client {
		s.awaitEnd()
		return
	}
	if s.fault == StaysConnected {
		_, _ = io.Copy(io.Discard, s.in)
		return
	}
	// A socket with unread bytes would be reset, and our close frame lost.
	if half, ok := s.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_ = s.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	_, _ = io.Copy(io.Discard, s.in)
}

// streamEnds is for the faults of those who read no more, but not because they have closed the connection.
func (s *session) streamEnds(why error) {
	switch {
	case errors.Is(why, errEnd):
	case s.fault == EndsMessages && s.inMessage:
		_ = s.endMessage(true)
	case s.fault == IgnoresEnd:
		time.Sleep(5 * time.Second)
	}
}

// abort ends the connection as one should not.
func (s *session) abort() {
	if secured, ok := s.conn.(*tls.Conn); ok {
		_ = secured.NetConn().Close()
		return
	}
	if socket, ok := s.conn.(*net.TCPConn); ok {
		_ = socket.SetLinger(0)
	}
}

// frame handles one.
func (s *session) frame() error {
	h, err := s.header()
	if err != nil {
		return err
	}
	if c := s.headerRule(&h); c != 0 {
		return s.fail(c)
	}
	if h.Opcode.IsControl() || h.Opcode.IsReserved() {
		payload, err := s.payload(&h)
		if err != nil {
			return err
		}
		return s.control(h.Opcode, payload)
	}
	if h.Opcode != frame.Continuation {
		s.inMessage, s.opcode, s.message = true, h.Opcode, nil
		s.deflated = s.deflate != nil && h.RSV == frame.RSV1
		s.text.Reset()
	}
	if err := s.data(&h); err != nil {
		return err
	}
	if s.inMessage && (h.Fin || s.fault == EchoesFragments) {
		return s.endMessage(h.Fin)
	}
	return nil
}

func (s *session) header() (h frame.Header, err error) {
	for size := 2; ; size++ {
		b, err := s.in.Peek(size)
		if err != nil {
			return h, err
		}
		n, err := h.Parse(b)
		if err != nil {
			if n, err = s.longForm(&h, b, err); err != nil {
				return h, err
			}
		}
		if n > 0 {
			_, err = s.in.Discard(n)
			return h, err
		}
	}
}

// longForm reads a header whose length is in a form that it must not have, where the fault is to do so.
func (s *session) longForm(h *frame.Header, b []byte, why error) (n int, err error) {
	if !(s.fault == LongForms && errors.Is(why, frame.ErrLengthNotMinimal)) &&
		!(s.fault == IgnoresTopBit && errors.Is(why, frame.ErrLengthOverflow)) {
		return 0, s.fail(frame.ProtocolError)
	}
	n = 4
	if b[1]&0x7f == 127 {
		n = 10
		h.Length = int64(binary.BigEndian.Uint64(b[2:]) & frame.MaxLength)
	} else {
		h.Length = int64(binary.BigEndian.Uint16(b[2:]))
	}
	if h.Masked {
		if len(b) < n+4 {
			return 0, nil
		}
		h.Key = [4]byte(b[n:])
		n += 4
	}
	return n, nil
}

func (s *session) payload(h *frame.Header) ([]byte, error) {
	b := make([]byte, h.Length)
	_, err := io.ReadFull(s.in, b)
	mask.XOR(b, h.Key, 0)
	return b, err
}

// data takes the payload of a data frame as it comes, since text is to fail at the octet that breaks it.
func (s *session) data(h *frame.Header) error {
	for pos := int64(0); pos < h.Length; {
		b := make([]byte, min(h.Length-pos, 16<<10))
		n, err := s.in.Read(b)
		if err != nil {
			return err
		}
		mask.XOR(b[:n], h.Key, int(pos%4))
		pos += int64(n)
		if s.opcode == frame.Text && !s.deflated && s.fault != NoUTF8 && s.fault != LateUTF8 {
			if _, ok := s.text.Write(b[:n]); !ok {
				return s.fail(frame.InvalidPayload)
			}
		}
		s.message = append(s.message, b[:n]...)
	}
	return nil
}

func (s *session) endMessage(fin bool) error {
	s.inMessage = !fin
	if s.deflated {
		var err error
		if s.message, err = s.deflate.inflate(s.message); err != nil {
			return s.fail(frame.InvalidPayload)
		}
	}
	if s.opcode == frame.Text {
		if s.fault == LateUTF8 && !utf8.Valid(s.message) {
			return s.fail(frame.InvalidPayload)
		}
		if s.fault != NoUTF8 && s.fault != LateUTF8 && s.fault != HalfCharacters && fin && !s.text.Complete() {
			return s.fail(frame.InvalidPayload)
		}
	}
	opcode, message := s.opcode, s.message
	s.message = nil
	if s.fault == EchoesTextAsBinary {
		opcode = frame.Binary
	}
	if opcode == frame.Text && message != nil {
		message = []byte(s.altered(string(message)))
	}
	if s.fault == PongsFirst {
		if err := s.pongsFirst(); err != nil {
			return err
		}
	}
	if s.fault == ShortensLongMessages {
		message = message[:min(len(message), 65535)]
	}
	if s.fault == ShortensCompressed && s.deflate != nil {
		message = message[:len(message)/2]
	}
	if err := s.send(opcode, message); err != nil {
		return err
	}
	for _, p := range s.pongs {
		if err := s.send(frame.Pong, []byte(p)); err != nil {
			return err
		}
	}
	s.pongs = nil
	return nil
}

// altered is text as the faults about it have it.
func (s *session) altered(text string) string {
	switch s.fault {
	case StripsBOM:
		return strings.TrimPrefix(text, "\ufeff")
	case TurnsLines:
		return strings.ReplaceAll(text, "\n", "\r\n")
	case TrimsBlanks:
		return strings.TrimSpace(text)
	case CutsAtNUL:
		text, _, _ = strings.Cut(text, "\x00")
	case Composes:
		return strings.ReplaceAll(text, "e\u0301", "\u00e9")
	}
	return text
}

// pingFollows reports whether the next frame has come, and is a ping.
func (s *session) pingFollows() bool {
	_, size := s.buffered()
	return size > 0
}

// buffered returns the header of the next frame if it is a ping that has come as a whole, and its size.
func (s *session) buffered() (h frame.Header, size int) {
	b, _ := s.in.Peek(s.in.Buffered())
	n, err := h.Parse(b)
	if n == 0 || err != nil || h.Opcode != frame.Ping || !h.Fin || h.Length > frame.MaxControlPayload || len(b) < n+int(h.Length) {
		return h, 0
	}
	return h, n
}

// pongsFirst answers the pings that have come behind a message.
func (s *session) pongsFirst() error {
	for {
		h, n := s.buffered()
		if n == 0 || h.RSV != 0 {
			return nil
		}
		_, _ = s.in.Discard(n)
		payload, err := s.payload(&h)
		if err == nil {
			err = s.send(frame.Pong, payload)
		}
		if err != nil {
			return err
		}
	}
}

func (s *session) control(o frame.Opcode, payload []byte) error {
	switch {
	case o == frame.Close:
		return s.closeFrame(payload)
	case o == frame.Pong && s.fault == AnswersPongs:
		return s.send(frame.Pong, payload)
	case o != frame.Ping || s.fault == NoPongs:
		return nil
	case s.fault == EmptyPongs:
		return s.send(frame.Pong, nil)
	case s.fault == LatestPong && s.pingFollows():
		return nil
	case s.fault == LatePongs && s.inMessage:
		s.pongs = append(s.pongs, string(payload))
		return nil
	}
	return s.send(frame.Pong, payload)
}

// closeFrame answers a close frame with its own code.
func (s *session) closeFrame(body []byte) error {
	if s.fault == NoCloseFrame {
		return errEnd
	}
	normal := []byte{0x03, 0xe8} // 1000
	_, _, err := frame.ParseClose(body)
	switch {
	case s.fault == ShortClose && errors.Is(err, frame.ErrCloseLength), s.fault == AnyReason && errors.Is(err, frame.ErrCloseReason):
		err, body = nil, normal
	case s.fault == AnyCode && errors.Is(err, frame.ErrCloseCode):
		err = nil
	}
	if broken, ok := errors.AsType[*frame.Error](err); ok {
		return s.fail(broken.Code)
	}
	if len(body) > 2 {
		body = body[:2]
	}
	if s.fault == TalksOn {
		return s.talkOn(body)
	}
	s.closing = true
	if err := s.send(frame.Close, body); err != nil {
		return err
	}
	if s.fault == AddsMessage {
		_ = s.send(frame.Text, []byte("more"))
	}
	return errEnd
}

// talkOn answers what comes within a twentieth of a second, and the close frame then.
func (s *session) talkOn(body []byte) error {
	_ = s.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	s.fault = None
	for s.frame() == nil {
	}
	if !s.closing {
		s.closing = true
		_ = s.send(frame.Close, body)
	}
	return errEnd
}

// fail fails the connection (RFC 6455 §7.1.7).
func (s *session) fail(c frame.StatusCode) error {
	if s.fault == WrongCode {
		c = frame.UnsupportedData
	}
	if s.fault != NoCloseFrame && s.fault != JustDrops {
		s.closing = true
		_ = s.send(frame.Close, binary.BigEndian.AppendUint16(nil, uint16(c)))
	}
	return errEnd
}

func (s *session) send(o frame.Opcode, payload []byte) error {
	h := frame.Header{Fin: true, Opcode: o}
	switch {
	case s.deflate != nil && !o.IsControl():
		return s.sendCompressed(o, payload)
	case s.deflate != nil && s.fault == MarksControl:
		h.RSV = frame.RSV1
	}
	return s.write(h, payload)
}

func (s *session) write(h frame.Header, payload []byte) error {
	h.Length, h.Masked = int64(len(payload)), s.fault == Masks
	if s.client && s.fault != NoMasks {
		h.Masked, h.Key = true, mask.NewKey()
	}
	b := h.Append(nil) // with a masking key of zeros, if a server has one
	if s.fault == LongHeaders {
		b = binary.BigEndian.AppendUint64([]byte{b[0], b[1] | 127}, uint64(len(payload)))
		if h.Masked {
			b = append(b, h.Key[:]...)
		}
	}
	from := len(b)
	b = append(b, payload...)
	if s.fault != MasksHeadersOnly {
		mask.XOR(b[from:], h.Key, 0)
	}
	if s.fault == WritesLate {
		time.Sleep(300 * time.Millisecond)
	}
	_, err := s.conn.Write(b)
	return err
}
