package fuzz

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/seed-c4549abd/wss/frame"
)

// streams are seeds: frames of clients, legal and not. The masking key is zero.
var streams = []string{
	"\x81\x85\x00\x00\x00\x00Hello",
	"\x01\x83\x00\x00\x00\x00Hel\x89\x81\x00\x00\x00\x00p\x80\x82\x00\x00\x00\x00lo",
	"\x82\xfe\x00\x80\x00\x00\x00\x00" + string(make([]byte, 128)),
	"\x88\x85\x00\x00\x00\x00\x03\xe8bye",
	"\x88\x81\x00\x00\x00\x00\x03",
	"\x81\x83\x00\x00\x00\x00\xed\xa0\x80",
	"\x81\x05Hello",
	"\x80\x80\x00\x00\x00\x00",
	"\xc1\x80\x00\x00\x00\x00",
	"\x83\x80\x00\x00\x00\x00",
	"\x09\x80\x00\x00\x00\x00",
	"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00",
	"\x01\x80\x00\x00\x00\x00\x00\x80\x00\x00\x00\x00\x80\x80\x00\x00\x00\x00",
}

// outcome is what a Receiver makes of a stream, with chunks joined to messages.
type outcome struct {
	messages []string
	open     int // bytes of the message that did not end
	err      error
}

// receive feeds input in pieces of the given size, as a connection does.
func receive(t *testing.T, r *frame.Receiver, input []byte, size int) (o outcome) {
	var message, buf []byte
	for len(input) > 0 {
		k := min(size, len(input))
		buf = append(buf, input[:k]...)
		input = input[k:]
		for len(buf) > 0 {
			ev, n, err := r.Next(buf)
			if err != nil {
				o.err = err
				return o
			}
			if n == 0 {
				if len(buf) >= frame.MaxHeaderSize+frame.MaxControlPayload {
					t.Fatalf("no progress with %d bytes", len(buf))
				}
				break
			}
			buf = buf[n:]
			if ev.Kind == frame.Control {
				if len(ev.Payload) > frame.MaxControlPayload {
					t.Fatalf("a control frame of %d bytes", len(ev.Payload))
				}
				o.messages = append(o.messages, fmt.Sprintf("%v %x", ev.Opcode, ev.Payload))
				continue
			}
			if ev.First != (message == nil) {
				t.Fatal("a message begins at the wrong place")
			}
			message = append(append(make([]byte, 0, 1), message...), ev.Payload...)
			if r.Limit > 0 && !ev.Compressed && int64(len(message)) > r.Limit {
				t.Fatalf("%d bytes with a limit of %d", len(message), r.Limit)
			}
			if ev.Final {
				o.messages = append(o.messages, fmt.Sprintf("%v %v %x", ev.Opcode, ev.Compressed, message))
				message = nil
			}
			o.open = len(message)
		}
	}
	return o
}

// FuzzReceiver: bytes in, events out, the same whatever the pieces; never a panic,
// never more than the limit, always progress.
func FuzzReceiver(f *testing.F) {
	for i, s := range streams {
		f.Add([]byte(s), byte(i), uint16(i*7), false)
		f.Add([]byte(s), byte(0), uint16(0), true)
	}
	f.Fuzz(func(t *testing.T, input []byte, flags byte, limit uint16, wholesale bool) {
		settings := frame.Receiver{
			Role: frame.Role(flags & 1), Compression: flags&2 != 0, Limit: int64(limit),
		}
		first := settings
		want := receive(t, &first, bytes.Clone(input), max(len(input), 1))
		if want.err != nil {
			if e, ok := errors.AsType[*frame.Error](want.err); !ok || !e.Code.Sendable() {
				t.Fatalf("error %v", want.err)
			}
		}
		sizes := []int{1, 2, 3, 7, 14, 139}
		if wholesale {
			sizes = []int{max(len(input)/2, 1)}
		}
		for _, size := range sizes {
			r := settings
			got := receive(t, &r, bytes.Clone(input), size)
			if fmt.Sprint(got.messages) != fmt.Sprint(want.messages) || got.err != want.err || got.err == nil && got.open != want.open {
				t.Fatalf("pieces of %d: %v, whole: %v", size, got, want)
			}
		}
	})
}
