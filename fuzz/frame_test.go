package fuzz

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seed-c4549abd/wss/frame"
)

// FuzzHeader: what parses appends to the same bytes, every prefix of it asks for
// more, and what is refused stays refused whatever follows.
func FuzzHeader(f *testing.F) {
	for _, s := range []string{
		"\x81\x05Hello", "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "\x82\x7e\x01\x00", "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00",
		"\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00", "\x82\x7e\x00\x7d", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var h frame.Header
		n, err := h.Parse(b)
		switch {
		case err != nil:
			if e, ok := errors.AsType[*frame.Error](err); !ok || e.Code != frame.ProtocolError || n != 0 {
				t.Fatalf("%d, %v", n, err)
			}
		case n == 0:
			if len(b) >= frame.MaxHeaderSize {
				t.Fatalf("%d bytes are not enough", len(b))
			}
		default:
			if h.Length < 0 || h.Size() != n || !bytes.Equal(h.Append(nil), b[:n]) {
				t.Fatalf("% x parses as %+v, which appends as % x", b[:n], h, h.Append(nil))
			}
			for i := range n {
				var part frame.Header
				if k, err := part.Parse(b[:i]); k != 0 || err != nil {
					t.Fatalf("%d of %d bytes: %d, %v", i, n, k, err)
				}
			}
		}
	})
}

// FuzzClose: what parses without an error appends to the same body, and what
// AppendClose accepts parses back.
func FuzzClose(f *testing.F) {
	for _, s := range []string{"", "\x03", "\x03\xe8", "\x03\xe8bye", "\x03\xee", "\x03\xe8\xff", "\x13\x87\xe2\x9c\x93"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		code, reason, err := frame.ParseClose(body)
		out, appendErr := frame.AppendClose(nil, code, string(reason))
		if err == nil && len(body) <= frame.MaxControlPayload && (appendErr != nil || !bytes.Equal(out, body)) {
			t.Fatalf("% x parses as %v %q, which appends as % x, %v", body, code, reason, out, appendErr)
		}
		if err != nil && appendErr == nil && code != frame.NoStatus && len(body) != 1 {
			t.Fatalf("% x: %v, but it may be sent", body, err)
		}
		if err == nil && !utf8.Valid(reason) {
			t.Fatalf("reason %q", reason)
		}
	})
}

// FuzzUTF8 agrees with unicode/utf8 for every split of the input in two, and in
// single bytes; the offending byte is the first that nothing can mend. Text before
// the input takes it through all places of the vectors, and changes nothing.
func FuzzUTF8(f *testing.F) {
	for _, s := range []string{
		"", "plain ascii that is longer than one vector of thirty-two bytes", "κόσμε", "日本語", "😀😀", "\xc0\x80", "\xed\xa0\x80",
		"\xf4\x90\x80\x80", "a\x80", "\xe2\x82", "\xf0\x9f\x98", "0123456789abcdef0123456789abcde\xc3", "\xff",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		var byByte frame.UTF8
		first := len(p)
		for i := range p {
			if n, ok := byByte.Write(p[i : i+1]); !ok {
				if n != 0 {
					t.Fatalf("index %d in one byte", n)
				}
				first = i
				break
			}
		}
		if valid := first == len(p) && byByte.Complete(); valid != utf8.Valid(p) {
			t.Fatalf("% x: %v, unicode/utf8 disagrees", p, valid)
		}
		for cut := 0; cut <= len(p); cut++ {
			var v frame.UTF8
			n, ok := v.Write(p[:cut])
			if ok {
				var m int
				m, ok = v.Write(p[cut:])
				n += m
			}
			if n != first || ok != (first == len(p)) || ok && v.Complete() != byByte.Complete() {
				t.Fatalf("% x cut at %d: stopped at %d, want %d", p, cut, n, first)
			}
		}
		for _, fill := range []string{"a", "é", "漢", "😀"} {
			before := strings.Repeat("a", len(p)%len(fill)) + strings.Repeat(fill, len(p)%150/len(fill))
			whole := append([]byte(before), p...)
			var v frame.UTF8
			n, ok := v.Write(whole)
			if n != len(before)+first || ok != (first == len(p)) || ok && v.Complete() != byByte.Complete() {
				t.Fatalf("% x after %d bytes of %q: stopped at %d, want %d", p, len(before), fill, n, len(before)+first)
			}
			if valid := ok && v.Complete(); valid != utf8.Valid(whole) {
				t.Fatalf("% x: %v, unicode/utf8 disagrees", whole, valid)
			}
		}
	})
}
