package conntest

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/mask"
)

type side int

const (
	client side = iota
	server
)

func (s side) String() string {
	if s == client {
		return "client"
	}
	return "server"
}

// transcript holds the lines of one client.
type transcript struct {
	fields []string // header fields that are shown
	kept   int      // the most bytes of a payload that are shown

	mu    sync.Mutex
	lines []line
	sides [2]decoder
	cut   bool
}

type line struct {
	at   time.Time
	text string
}

func newTranscript(o *Options) *transcript {
	t := &transcript{fields: o.ShowHeader, kept: o.ShowPayload}
	switch {
	case t.kept == 0:
		t.kept = DefaultShowPayload
	case t.kept < 0:
		t.kept = math.MaxInt
	}
	t.connected()
	return t
}

// connected resets the decoders for a new connection: the first, or that of a redirect.
func (t *transcript) connected() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cut = false
	for i := range t.sides {
		t.sides[i] = decoder{side: side(i), t: t}
	}
}

// note adds a line; t.mu is held.
func (t *transcript) note(format string, args ...any) {
	t.lines = append(t.lines, line{time.Now(), fmt.Sprintf(format, args...)})
}

func (t *transcript) sent(p []byte)     { t.feed(client, p) }
func (t *transcript) received(p []byte) { t.feed(server, p) }

func (t *transcript) feed(s side, p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sides[s].feed(p)
}

// ended adds a line for the end of a side's stream, once, unless it follows a close frame or a cut.
func (t *transcript) ended(s side) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d := &t.sides[s]
	if !d.ended && !d.closing && t.sides[server].state == frames && !t.cut {
		t.note("%v: end of stream", s)
	}
	d.ended = true
}

func (t *transcript) noteCut(how Cut) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cut = true
	t.note("network: %v", how)
}

func (t *transcript) String(times bool) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	for _, l := range t.lines {
		if times {
			fmt.Fprintf(&b, "%10v ", l.at.Sub(t.lines[0].at))
		}
		b.WriteString(l.text)
		b.WriteByte('\n')
	}
	return b.String()
}

type state int

const (
	head   state = iota // of the request or the response
	frames              // of the connection
	opaque              // not decoded: the body of a refusal, or bytes that are no frames
)

// decoder makes lines from the bytes that one side sends.
type decoder struct {
	t     *transcript
	side  side
	state state
	buf   []byte // an unfinished head or header

	header  frame.Header
	inFrame bool
	left    int64  // payload bytes of the frame that are still to come
	payload []byte // payload of the frame, as far as it is shown
	pos     int    // position in the masking key

	compressed bool   // the message in progress
	message    []byte // its compressed payload
	window     []byte // the last 32 KiB that were inflated (RFC 7692 §7.1.1)
	closing    bool   // a close frame was seen
	text       bool   // the message in progress is text
	ended      bool
}

func (d *decoder) feed(p []byte) {
	for len(p) > 0 {
		switch d.state {
		case head:
			p = d.feedHead(p)
		case frames:
			p = d.feedFrame(p)
		default:
			return
		}
	}
}

// feedHead decodes a head, and returns the bytes that follow it.
func (d *decoder) feedHead(p []byte) []byte {
	before := len(d.buf)
	d.buf = append(d.buf, p...)
	i := bytes.Index(d.buf, []byte("\r\n\r\n"))
	if i < 0 {
		return nil
	}
	lines := strings.Split(string(d.buf[:i]), "\r\n")
	d.buf = nil
	d.t.note("%v: %s", d.side, lines[0])
	for _, wanted := range d.t.fields {
		for _, l := range lines[1:] {
			name, value, _ := strings.Cut(l, ":")
			if strings.EqualFold(name, wanted) {
				d.t.note("%v: %s: %s", d.side, wanted, strings.TrimSpace(value))
			}
		}
	}
	_, rest, _ := strings.Cut(lines[0], " ")
	switch {
	case d.side == client, strings.HasPrefix(rest, "101"):
		d.state = frames
	case !strings.HasPrefix(rest, "1"):
		d.state = opaque
	}
	return p[i+4-before:]
}

// feedFrame decodes the part of a frame that p begins with, and returns the bytes that follow it.
func (d *decoder) feedFrame(p []byte) []byte {
	if !d.inFrame {
		before := len(d.buf)
		d.buf = append(d.buf, p[:min(len(p), frame.MaxHeaderSize-before)]...)
		n, err := d.header.Parse(d.buf)
		if err != nil {
			d.t.note("%v: no frame: %v", d.side, err)
			d.state = opaque
			return nil
		}
		if n == 0 {
			return nil
		}
		d.buf = d.buf[:0]
		d.inFrame, d.left, d.payload, d.pos = true, d.header.Length, nil, 0
		if !d.header.Opcode.IsControl() && d.header.Opcode != frame.Continuation {
			d.compressed, d.message = d.header.RSV&frame.RSV1 != 0, nil
		}
		p = p[n-before:]
	}
	piece := p[:min(int64(len(p)), d.left)]
	d.left -= int64(len(piece))
	d.keep(piece)
	if d.left == 0 {
		d.inFrame = false
		d.frame()
	}
	return p[len(piece):]
}

// keep appends a copy of payload, unmasked, as far as it is shown or has to be inflated.
func (d *decoder) keep(piece []byte) {
	inMessage := d.compressed && !d.header.Opcode.IsControl()
	if !inMessage {
		kept := d.t.kept
		if d.header.Opcode.IsControl() {
			kept = max(kept, frame.MaxControlPayload)
		}
		piece = piece[:min(len(piece), max(0, kept-len(d.payload)))]
	}
	if len(piece) == 0 {
		return
	}
	piece = bytes.Clone(piece)
	if d.header.Masked {
		mask.XOR(piece, d.header.Key, d.pos)
		d.pos += len(piece)
	}
	if inMessage {
		d.message = append(d.message, piece...)
	} else {
		d.payload = append(d.payload, piece...)
	}
}

// frame adds the line of a whole frame.
func (d *decoder) frame() {
	text := ""
	switch h := &d.header; {
	case h.Opcode == frame.Close:
		d.closing = true
		text = d.describeClose()
	case h.Opcode.IsControl():
		text = h.Opcode.String()
		if len(d.payload) > 0 {
			text += " " + d.show(d.payload, h.Length, printable(d.payload))
		}
	default:
		text = d.describeData()
	}
	d.t.note("%v: %s", d.side, text)
}

func (d *decoder) describeClose() string {
	code, reason, err := frame.ParseClose(d.payload)
	switch {
	case err != nil:
		return "close " + d.show(d.payload, d.header.Length, false)
	case len(d.payload) == 0:
		return "close"
	case len(reason) == 0:
		return fmt.Sprintf("close %v", code)
	}
	return fmt.Sprintf("close %v %q", code, reason)
}

// describeData describes a frame of a message. The payload of a compressed message is shown with its last frame.
func (d *decoder) describeData() string {
	h := &d.header
	what := h.Opcode.String()
	if d.compressed && h.RSV&frame.RSV1 != 0 {
		what += ", compressed"
	}
	if !h.Fin {
		what += ", not final"
	}
	if h.Opcode == frame.Text {
		d.text = true
	} else if h.Opcode != frame.Continuation {
		d.text = false
	}
	switch {
	case d.compressed && !h.Fin: // where it is split depends on the compressor
	case d.compressed:
		data, err := d.inflate()
		if err != nil {
			what += fmt.Sprintf(" (%v)", err)
		} else {
			what += " " + d.show(data[:min(len(data), d.t.kept)], int64(len(data)), d.text)
		}
	default:
		what += " " + d.show(d.payload, h.Length, d.text)
	}
	return what
}

// inflate returns the inflated payload of the message (RFC 7692 §7.2.2).
func (d *decoder) inflate() ([]byte, error) {
	const tail = "\x00\x00\xff\xff\x01\x00\x00\xff\xff" // the octets that the sender removes, and an empty final block
	r := flate.NewReaderDict(io.MultiReader(bytes.NewReader(d.message), strings.NewReader(tail)), d.window)
	d.message = nil
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	d.window = append(d.window, data...)
	d.window = bytes.Clone(d.window[max(0, len(d.window)-32<<10):])
	return data, nil
}

// show returns the first bytes p of a payload of length bytes: text quoted, other data in hexadecimal.
func (d *decoder) show(p []byte, length int64, text bool) string {
	if text {
		for i := 0; i < utf8.UTFMax && int64(len(p)) < length && !utf8.Valid(p); i++ {
			p = p[:len(p)-1] // an incomplete character
		}
		s := strconv.Quote(string(p))
		if int64(len(p)) < length {
			s = fmt.Sprintf("%d bytes: %s …", length, s)
		}
		return s
	}
	most := 16
	if d.t.kept == math.MaxInt {
		most = len(p)
	}
	s := fmt.Sprintf("% x", p[:min(len(p), most)])
	if length > int64(most) {
		s = fmt.Sprintf("%d bytes: %s …", length, s)
	} else if length == 0 {
		s = "empty"
	}
	return s
}

// printable reports whether a payload consists of printable characters.
func printable(p []byte) bool {
	for _, r := range string(p) {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}
