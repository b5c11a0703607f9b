package differential

import (
	"strings"
	"testing"
)

// FuzzReceive gives all libraries the same stream: they deliver the same messages and end in
// the same way, but for what is listed in differences.
func FuzzReceive(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s, false, byte(0))
		f.Add(s, false, byte(1))
		f.Add(s, true, byte(0))
	}
	for _, d := range differences {
		f.Add(d.example, d.zip, byte(0))
	}
	f.Fuzz(func(t *testing.T, stream []byte, zip bool, pieces byte) {
		piece := int(pieces)
		if piece == 0 {
			piece = 1 << 16
		}
		us := ours(stream, zip, piece)
		frames := walk(stream)
		for library, receive := range peers {
			them := receive(stream, zip, piece)
			what := compare(library, us, them)
			if what == "" || excused(library, zip, frames, us, them) {
				continue
			}
			t.Errorf("%s, compression %v: %s\nours   %+v\ntheirs %+v\nframes %+v", library, zip, what, us, them, frames)
		}
	})
}

func excused(library string, zip bool, frames []aFrame, us, them outcome) bool {
	for i := range differences {
		if differences[i].excuses(library, zip, frames, us, them) {
			return true
		}
	}
	return false
}

func join(frames ...[]byte) (stream []byte) {
	for _, f := range frames {
		stream = append(stream, f...)
	}
	return stream
}

// seeds are streams of all kinds of frames, legal and not.
func seeds() [][]byte {
	bye := client(closing, "\x03\xe8bye")
	return [][]byte{
		join(client(text, "Hello"), client(binaryData, "\xff\x00"), bye),
		join(client(textBegins, "Gr\xc3"), client(ping, "now"), client(goesOn, "\xbc"), client(isOver, "\xc3\x9fe"), bye),
		join(client(text, ""), client(binaryData, strings.Repeat("x", 126)), client(binaryData, strings.Repeat("y", limit)), bye),
		join(client(binaryData, strings.Repeat("z", limit+1)), bye),
		join(client(textBegins, strings.Repeat("a", limit)), client(isOver, "b")),
		join(client(text|zipped, "\xf2\x48\xcd\xc9\xc9\x07\x00"), client(text, "plain"), bye), // RFC 7692 §7.2.3.1
		join(client(textBegins|zipped, "\xf2\x48\xcd"), client(isOver, "\xc9\xc9\x07\x00"), bye),
		join(client(binaryData|zipped, "\x00"), bye),
		join(client(text, "cut")[:7]),
		client(closing, ""), client(closing, "\x03\xed"), client(closing, "\x0b\xb8"), client(closing, "\x13\x88"),
		client(isOver, "nothing to go on with"), client(0x83, "reserved"), client(0x09, "fragment"), client(0xa1, "rsv2"),
		join(client(textBegins, "a"), client(text, "b")),
		client(ping, strings.Repeat("p", 126)), []byte("\x81\x05Hello"),
	}
}
