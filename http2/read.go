package http2

import (
	"errors"
	"fmt"
	"io"
	"time"

	xhttp2 "golang.org/x/net/http2"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/hostpool"
)

// errSilent ends a connection whose PING was not answered.
var errSilent = errors.New("http2: the server has not answered a PING")

// errTooMany says that the server sends more frames than they are worth.
var errTooMany = broken(xhttp2.ErrCodeEnhanceYourCalm, "too many frames that carry nothing")

// errHeaderTooLarge is the error of a dial whose response has too long a head.
var errHeaderTooLarge = &conn.HandshakeError{Token: "header_too_large", Reason: "the response's header exceeds MaxHeaderBytes"}

// maxControl is the most frames of the connection's that wait to be written.
const maxControl = 1000

// read handles frames until the connection is over.
func (c *clientConn) read() {
	first := true
	var err error
	for err == nil {
		var f xhttp2.Frame
		c.in.n = 0
		if f, err = c.framer.ReadFrame(); err != nil {
			err = c.readError(err)
			continue
		}
		if _, isSettings := f.(*xhttp2.SettingsFrame); first && !isSettings {
			err = broken(xhttp2.ErrCodeProtocol, "the first frame is not SETTINGS")
			continue
		}
		first = false
		err = c.handle(f)
	}
	c.Shutdown(err)
	<-c.written
	if c.forget != nil {
		c.forget(c)
	}
	close(c.ended)
}

// readError explains why no frame can be read. A mistake in one stream's frame resets that stream, and the result is nil.
func (c *clientConn) readError(err error) error {
	if errors.Is(err, errTooMany) {
		return errTooMany
	}
	if e, ok := errors.AsType[xhttp2.StreamError](err); ok {
		c.mu.Lock()
		s := c.streams[e.StreamID]
		c.mu.Unlock()
		if s != nil {
			c.breakStream(s, e.Code)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.budget.spend(time.Now()) {
			return errTooMany
		}
		return nil
	}
	if e, ok := errors.AsType[xhttp2.ConnectionError](err); ok {
		reason := "a frame is not allowed here or malformed"
		if xhttp2.ErrCode(e) == xhttp2.ErrCodeCompression {
			reason = "a header block is malformed, or a field is longer than MaxHeaderBytes"
		}
		if detail := c.framer.ErrorDetail(); detail != nil {
			reason = detail.Error()
		}
		return broken(xhttp2.ErrCode(e), reason)
	}
	if errors.Is(err, xhttp2.ErrFrameTooLarge) {
		return broken(xhttp2.ErrCodeFrameSize, "a frame is larger than 16384 bytes")
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("http2: the connection broke off: %w", err)
}

// breakStream resets a stream because of a mistake of the server's.
func (c *clientConn) breakStream(s *clientStream, code xhttp2.ErrCode) {
	err := &StreamError{Code: uint32(code)}
	c.mu.Lock()
	c.reset(s, code)
	s.answer(nil, err)
	c.mu.Unlock()
	s.stream.End(err)
}

func (c *clientConn) handle(f xhttp2.Frame) error {
	if !c.mayHandle(f) {
		return errTooMany
	}
	switch f := f.(type) {
	case *xhttp2.DataFrame:
		return c.handleData(f)
	case *xhttp2.MetaHeadersFrame:
		return c.handleHeaders(f)
	case *xhttp2.RSTStreamFrame:
		return c.handleReset(f)
	case *xhttp2.SettingsFrame:
		return c.handleSettings(f)
	case *xhttp2.PingFrame:
		return c.handlePing(f)
	case *xhttp2.GoAwayFrame:
		return c.handleGoAway(f)
	case *xhttp2.WindowUpdateFrame:
		return c.handleWindow(f)
	case *xhttp2.PushPromiseFrame:
		return broken(xhttp2.ErrCodeProtocol, "PUSH_PROMISE although pushing is off")
	}
	return nil // of a type that is not known (RFC 9113 §5.5), or PRIORITY
}

// mayHandle reports whether a frame is within the bounds on frames that carry nothing.
func (c *clientConn) mayHandle(f xhttp2.Frame) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = time.Now()
	if data, ok := f.(*xhttp2.DataFrame); ok && len(data.Data()) > 0 {
		return true
	}
	return len(c.control) <= maxControl && c.budget.spend(c.heard)
}

// stream returns a stream that is open; nil if it is over. One that has not begun is an error.
func (c *clientConn) stream(id uint32) (*clientStream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.streams[id]; s != nil {
		return s, nil
	}
	if id%2 == 0 || id > c.lastID {
		return nil, broken(xhttp2.ErrCodeProtocol, fmt.Sprintf("a frame of stream %d, which is not open", id))
	}
	return nil, nil
}

func (c *clientConn) handleData(f *xhttp2.DataFrame) error {
	s, err := c.stream(f.StreamID)
	if err != nil {
		return err
	}
	size := int64(f.Length) // padding counts (RFC 9113 §6.9.1)
	if size > 0 {
		c.mu.Lock()
		if c.owed += size; c.owed == size {
			c.enqueue(c.returnWindow)
		}
		c.mu.Unlock()
	}
	if s == nil {
		return nil
	}
	c.mu.Lock()
	done, over := s.done, s.gotEnd
	s.credit -= size
	exceeded := s.credit < 0
	s.consumed += size - int64(len(f.Data()))
	s.gotEnd = s.gotEnd || f.StreamEnded()
	c.mu.Unlock()
	switch {
	case over:
		c.breakStream(s, xhttp2.ErrCodeStreamClosed)
		return nil
	case exceeded:
		c.breakStream(s, xhttp2.ErrCodeFlowControl)
		return nil
	case !done:
		c.breakStream(s, xhttp2.ErrCodeProtocol) // before the response
		return nil
	}
	if len(f.Data()) > 0 {
		s.stream.DeliverCopy(f.Data())
	}
	if f.StreamEnded() {
		c.inputEnded(s)
	}
	return nil
}

// returnWindow returns the connection's window for all that has come since the last time: one frame for many, if the writer is slower than
// the server.
func (c *clientConn) returnWindow() error {
	c.mu.Lock()
	n := c.owed
	c.owed = 0
	c.mu.Unlock()
	return c.framer.WriteWindowUpdate(0, uint32(n))
}

// inputEnded notes END_STREAM.
func (c *clientConn) inputEnded(s *clientStream) {
	s.stream.End(io.EOF)
	c.mu.Lock()
	c.checkOver(s)
	c.mu.Unlock()
}

func (c *clientConn) handleHeaders(f *xhttp2.MetaHeadersFrame) error {
	s, err := c.stream(f.StreamID)
	if err != nil || s == nil {
		return err
	}
	c.mu.Lock()
	done, over := s.done, s.gotEnd
	c.mu.Unlock()
	switch {
	case over:
		c.breakStream(s, xhttp2.ErrCodeStreamClosed)
		return nil
	case done: // trailers (RFC 9113 §8.1)
		if !f.StreamEnded() || len(f.PseudoFields()) > 0 {
			c.breakStream(s, xhttp2.ErrCodeProtocol)
			return nil
		}
		return c.headersEnded(s)
	case f.Truncated:
		c.mu.Lock()
		s.answer(nil, errHeaderTooLarge)
		c.reset(s, xhttp2.ErrCodeCancel)
		c.mu.Unlock()
		return nil
	}
	resp, problem := responseOf(f)
	if problem != nil || resp.StatusCode == 101 || resp.StatusCode < 200 && f.StreamEnded() {
		c.breakStream(s, xhttp2.ErrCodeProtocol) // 101 is not used in HTTP/2 (RFC 9113 §8.6)
		return nil
	}
	if resp.StatusCode < 200 {
		return nil // interim; the budget bounds them
	}
	c.mu.Lock()
	s.answer(resp, nil)
	c.mu.Unlock()
	if f.StreamEnded() {
		return c.headersEnded(s)
	}
	return nil
}

// headersEnded notes END_STREAM of a header block.
func (c *clientConn) headersEnded(s *clientStream) error {
	c.mu.Lock()
	s.gotEnd = true
	c.mu.Unlock()
	c.inputEnded(s)
	return nil
}

func (c *clientConn) handleReset(f *xhttp2.RSTStreamFrame) error {
	s, err := c.stream(f.StreamID)
	if err != nil || s == nil {
		return err
	}
	reset := error(&StreamError{Code: uint32(f.ErrCode), Remote: true})
	c.mu.Lock()
	delete(c.streams, s.id)
	if f.ErrCode == xhttp2.ErrCodeRefusedStream {
		s.answer(nil, hostpool.ErrNotProcessed)
	} else {
		s.answer(nil, reset)
	}
	c.checkIdle()
	c.mu.Unlock()
	s.stream.End(reset)
	return nil
}

func (c *clientConn) handlePing(f *xhttp2.PingFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.IsAck() {
		c.probing = false
		return nil
	}
	data := f.Data
	c.enqueue(func() error { return c.framer.WritePing(true, data) })
	return nil
}

func (c *clientConn) handleGoAway(f *xhttp2.GoAwayFrame) error {
	err := &ConnectionError{Code: uint32(f.ErrCode), Remote: true, Reason: string(f.DebugData())}
	c.mu.Lock()
	c.leaving = true
	var refused []*clientStream
	for id, s := range c.streams {
		if id > f.LastStreamID {
			refused = append(refused, s)
			delete(c.streams, id)
		}
	}
	refused = append(refused, c.opening...)
	c.opening = nil
	for _, s := range refused {
		s.answer(nil, hostpool.ErrNotProcessed)
	}
	c.checkIdle()
	c.mu.Unlock()
	for _, s := range refused {
		s.stream.End(err)
	}
	if f.ErrCode != xhttp2.ErrCodeNo {
		return err
	}
	return nil
}

func (c *clientConn) handleWindow(f *xhttp2.WindowUpdateFrame) error {
	if f.StreamID == 0 {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.window += int64(f.Increment); c.window > maxWindow {
			return broken(xhttp2.ErrCodeFlowControl, "the connection's window exceeds 2^31-1")
		}
		for _, s := range c.streams {
			c.unblock(s)
		}
		return nil
	}
	s, err := c.stream(f.StreamID)
	if err != nil || s == nil {
		return err
	}
	c.mu.Lock()
	s.window += int64(f.Increment)
	exceeded := s.window > maxWindow
	c.unblock(s)
	c.mu.Unlock()
	if exceeded {
		c.breakStream(s, xhttp2.ErrCodeFlowControl)
	}
	return nil
}

func (c *clientConn) handleSettings(f *xhttp2.SettingsFrame) error {
	if f.IsAck() {
		return nil
	}
	if f.HasDuplicates() {
		return broken(xhttp2.ErrCodeProtocol, "a setting stands twice in SETTINGS")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	err := f.ForeachSetting(func(s xhttp2.Setting) error {
		if err := s.Valid(); err != nil {
			return broken(xhttp2.ErrCodeProtocol, "the setting "+s.String()+" is not valid")
		}
		return c.apply(s)
	})
	if err != nil {
		return err
	}
	c.enqueue(c.framer.WriteSettingsAck)
	if !c.peer.known {
		c.peer.known = true
		close(c.settled)
	}
	return nil
}

// apply applies a setting. The lock is held.
func (c *clientConn) apply(s xhttp2.Setting) error {
	switch s.ID {
	case xhttp2.SettingMaxConcurrentStreams:
		c.peer.maxStreams = s.Val
	case xhttp2.SettingMaxFrameSize:
		c.peer.maxFrame = int(s.Val)
	case xhttp2.SettingMaxHeaderListSize:
		c.peer.headerList = s.Val
	case xhttp2.SettingHeaderTableSize:
		limit := s.Val
		c.enqueue(func() error {
			c.encoder.SetMaxDynamicTableSizeLimit(min(limit, 4096))
			return nil
		})
	case xhttp2.SettingInitialWindowSize:
		change := int64(s.Val) - c.peer.window
		c.peer.window = int64(s.Val)
		for _, st := range c.streams {
			if st.window += change; st.window > maxWindow {
				return broken(xhttp2.ErrCodeFlowControl, "a stream's window exceeds 2^31-1")
			}
			c.unblock(st)
		}
	case xhttp2.SettingEnableConnectProtocol:
		if s.Val == 0 && c.peer.webSockets {
			return broken(xhttp2.ErrCodeProtocol, "SETTINGS_ENABLE_CONNECT_PROTOCOL went back to 0 (RFC 8441 §3)")
		}
		c.peer.webSockets = s.Val == 1
	}
	return nil
}
