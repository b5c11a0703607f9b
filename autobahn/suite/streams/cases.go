package streams

import (
	"bytes"

	"golang.org/x/net/http2"
)

// closeFrame is a masked close frame with 1000.
var closeFrame = []byte{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8}

// cases are all of them, in the order of their numbers.
var cases = []struct {
	description, expectation string
	run                      func(e *end)
}{
	{"An extended CONNECT, and a message.", "It is accepted with a status of 2xx, and the message comes back (§5).", func(e *end) { e.serves(1) }},
	{"A Sec-WebSocket-Key, as a proxy may leave it.", "It is accepted (§5).", func(e *end) {
		e.request(1, false, map[string]string{"sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="})
		if s := e.status(1); s/100 != 2 {
			fail("the request is answered by %d", s)
		}
		e.echo(1, "hello")
	}},
	{"Another :protocol.", "It is refused, with 501 or 400 if by a status, and other streams go on (RFC 9220 §3).", func(e *end) {
		e.request(1, false, map[string]string{":protocol": "no-such-protocol"})
		if s := e.status(1); s != 0 && s != 501 && s != 400 && s != 404 && s != 405 {
			fail("the request is answered by %d", s)
		}
		e.serves(3)
	}},
	{"No :path.", "The stream is refused, and others go on (§4).", func(e *end) {
		e.request(1, false, map[string]string{":path": ""})
		e.refused(1)
	}},
	{"No :scheme.", "The stream is refused, which is noted if not, and others go on (§4).", func(e *end) {
		e.request(1, false, map[string]string{":scheme": ""})
		if s := e.status(1); s/100 == 2 {
			e.note = "a request without :scheme is accepted; it is malformed (RFC 9113 §8.3.1)"
		}
		e.serves(3)
	}},
	{":protocol with GET.", "The stream is refused, and others go on (§4).", func(e *end) {
		e.request(1, true, map[string]string{":method": "GET"})
		e.refused(1)
	}},
	{"No Sec-WebSocket-Version.", "It is refused, and other streams go on (RFC 6455 §4.2.1).", func(e *end) {
		e.request(1, false, map[string]string{"sec-websocket-version": ""})
		e.refused(1)
	}},
	{"Sec-WebSocket-Version 8.", "It is refused with 426 or 400, and other streams go on (RFC 6455 §4.4).", func(e *end) {
		e.request(1, false, map[string]string{"sec-websocket-version": "8"})
		if s := e.status(1); s != 426 && s != 400 && s != 0 {
			fail("the request is answered by %d", s)
		}
		e.serves(3)
	}},
	{"A CONNECT with a content length.", "It is refused, and other streams go on (RFC 9110 §9.3.6).", func(e *end) {
		e.request(1, false, map[string]string{"content-length": "5"})
		e.refused(1)
	}},
	{"A CONNECT that ends its stream.", "The server ends it too, and other streams go on.", func(e *end) {
		e.request(1, true, nil)
		if e.status(1)/100 == 2 {
			e.ends(1, true)
		}
		e.serves(3)
	}},
	{"A message, an octet in each DATA frame.", "It comes back.", func(e *end) {
		e.open(1)
		for _, b := range message("octet by octet") {
			e.check(e.framer.WriteData(1, false, []byte{b}))
		}
		e.comesBack(1, "octet by octet", nil)
	}},
	{"A message between empty DATA frames.", "It comes back.", func(e *end) {
		e.open(1)
		e.check(e.framer.WriteData(1, false, nil))
		e.check(e.framer.WriteData(1, false, message("hello")))
		e.check(e.framer.WriteData(1, false, nil))
		e.comesBack(1, "hello", nil)
	}},
	{"A window of one octet, opened by one at a time.", "A message comes back, an octet in each DATA frame (RFC 9113 §6.9).", func(e *end) {
		e.check(e.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1}))
		e.open(1)
		e.check(e.framer.WriteData(1, false, message("octet by octet")))
		e.comesBack(1, "octet by octet", func(n int) {
			if n > 1 {
				fail("a frame has %d octets", n)
			}
			e.check(e.framer.WriteWindowUpdate(1, 1))
		})
	}},
	{"A stream whose window stays closed.", "Another stream goes on.", func(e *end) {
		e.check(e.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}))
		e.open(1)
		e.check(e.framer.WriteData(1, false, message("nobody reads this")))
		e.check(e.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}))
		e.open(3)
		e.check(e.framer.WriteWindowUpdate(3, 1000))
		e.echo(3, "another stream")
	}},
	{"A closing handshake.", "The close frame is answered, the stream ends in order, and others go on (§5).", func(e *end) {
		e.open(1)
		e.check(e.framer.WriteData(1, false, closeFrame))
		if p := e.ends(1, false); !bytes.HasPrefix(p, []byte{0x88}) {
			fail("the close frame is answered by %q", p)
		}
		e.serves(3)
	}},
	{"A closing handshake that ends the stream.", "The close frame is answered, and the stream ends in order.", func(e *end) {
		e.open(1)
		e.check(e.framer.WriteData(1, true, closeFrame))
		if p := e.ends(1, false); !bytes.HasPrefix(p, []byte{0x88}) {
			fail("the close frame is answered by %q", p)
		}
	}},
	{"END_STREAM without a close frame.", "The server ends the stream too, and others go on.", func(e *end) {
		e.open(1)
		e.check(e.framer.WriteData(1, true, nil))
		e.ends(1, true)
		e.serves(3)
	}},
	{"END_STREAM within a frame.", "The server ends the stream, takes nothing for whole, and others go on.", func(e *end) {
		e.open(1)
		e.check(e.framer.WriteData(1, true, message("cut off")[:9]))
		if p := e.ends(1, true); bytes.Contains(p, []byte("cut")) {
			fail("what was cut off comes back: %q", p)
		}
		e.serves(3)
	}},
	{"RST_STREAM with CANCEL within a message.", "Other streams go on (§5).", func(e *end) {
		e.open(1)
		e.check(e.framer.WriteData(1, false, message("cut off")[:9]))
		e.check(e.framer.WriteRSTStream(1, http2.ErrCodeCancel))
		e.serves(3)
	}},
	{"DATA behind END_STREAM.", "The stream is reset or over, and others go on (RFC 9113 §5.1).", func(e *end) {
		e.open(1)
		e.check(e.framer.WriteData(1, true, nil))
		e.check(e.framer.WriteData(1, false, message("late")))
		if p := e.ends(1, true); bytes.Contains(p, []byte("late")) {
			fail("what came late comes back: %q", p)
		}
		e.serves(3)
	}},
	{"A WebSocket frame that breaks a rule.", "A close frame with 1002, the end of the stream, and others go on (RFC 6455 §7.1.7).", func(e *end) {
		e.open(1)
		e.check(e.framer.WriteData(1, false, []byte{0x83, 0x80, 0, 0, 0, 0}))
		if p := e.ends(1, true); !bytes.HasPrefix(p, []byte{0x88}) || len(p) < 4 || p[2] != 0x03 || p[3] != 0xea {
			fail("it is answered by %q", p)
		}
		e.serves(3)
	}},
	{"Ten streams at once.", "All are served.", func(e *end) {
		for id := uint32(1); id < 20; id += 2 {
			e.open(id)
		}
		for id := uint32(1); id < 20; id += 2 {
			e.echo(id, "hello")
		}
	}},
}
