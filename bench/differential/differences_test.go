package differential

import (
	"bytes"
	"compress/flate"
	"slices"
	"strings"
	"testing"
)

// difference is a known difference from another library. It excuses what begins at the
// first frame that it is about; all before that must be the same.
type difference struct {
	name    string
	library string
	about   func(f *aFrame) bool
	ours    outcome // end and code, at that frame; an end of "" stands for whatever comes
	theirs  outcome // of reading on
	zip     bool    // only with compression
	example []byte
}

var differences = []difference{
	{
		name: "gorilla leaves it to the application to check text (§8.1)", library: "gorilla",
		about: func(f *aFrame) bool { return f.badText() },
		ours:  outcome{end: refused, code: 1007}, example: client(text, "\xff"),
	},
	{
		name: "gorilla accepts lengths that are not minimal (§5.2)", library: "gorilla",
		about: (*aFrame).wasteful, ours: outcome{end: refused, code: 1002},
		example: append([]byte{text, 0xfe, 0, 5, 0, 0, 0, 0}, "Hello"...),
	},
	{
		name: "gobwas accepts lengths that are not minimal (§5.2)", library: "gobwas",
		about: (*aFrame).wasteful, ours: outcome{end: refused, code: 1002},
		example: append([]byte{text, 0xfe, 0, 5, 0, 0, 0, 0}, "Hello"...),
	},
	{
		name: "gorilla takes a close frame of one byte for an empty one (§5.5.1)", library: "gorilla",
		about: func(f *aFrame) bool { return f.opcode == 8 && f.length == 1 },
		ours:  outcome{end: refused, code: 1002}, theirs: outcome{end: closed, code: 1005},
		example: client(closing, "\x03"),
	},
	{
		name: "gorilla says 1002 of a close reason that is not UTF-8, where §8.1 means 1007", library: "gorilla",
		about: func(f *aFrame) bool { return f.opcode == 8 && len(f.payload) > 2 },
		ours:  outcome{end: refused, code: 1007}, theirs: outcome{end: refused, code: 1002},
		example: client(closing, "\x03\xe8\xff"),
	},
	{
		name: "gorilla does not know the code 1014, registered later", library: "gorilla",
		about: func(f *aFrame) bool { return f.opcode == 8 && f.closeCode() == 1014 },
		ours:  outcome{end: closed, code: 1014}, theirs: outcome{end: refused, code: 1002},
		example: client(closing, "\x03\xf6"),
	},
	{
		name: "gorilla says nothing of a length with its top bit set (§5.2)", library: "gorilla",
		about: func(f *aFrame) bool { return f.length>>63 != 0 },
		ours:  outcome{end: refused, code: 1002}, theirs: outcome{end: refused},
		example: []byte{text, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4},
	},
	{
		name: "gorilla judges the first two bytes of a header before the rest has come", library: "gorilla",
		about: func(f *aFrame) bool { return f.short },
		ours:  outcome{end: ended}, theirs: outcome{end: refused, code: 1002},
		example: client(isOver, "nothing to go on with")[:3],
	},
	{
		name: "gobwas judges a header when all of it has come", library: "gobwas",
		about: func(f *aFrame) bool { return f.short },
		ours:  outcome{end: refused, code: 1002}, theirs: outcome{end: ended},
		example: []byte{text, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0},
	},
	{
		name: "gobwas takes a message for complete when the stream ends behind a close frame's header", library: "gobwas",
		about: func(f *aFrame) bool { return f.within && f.opcode == 8 && !f.whole && len(f.payload) == 0 },
		ours:  outcome{end: ended}, example: join(client(textBegins, "abc"), client(closing, "12345678")[:6]),
	},
	{
		name: "gobwas accepts close codes above 4999, which have no meaning (§7.4.2)", library: "gobwas",
		about: func(f *aFrame) bool { return f.opcode == 8 && f.closeCode() >= 5000 },
		ours:  outcome{end: refused, code: 1002}, theirs: outcome{end: closed, anyCode: true},
		example: client(closing, "\x13\x88"),
	},
	{
		name: "gobwas does not know the code 1014, registered later", library: "gobwas",
		about: func(f *aFrame) bool { return f.opcode == 8 && f.closeCode() == 1014 },
		ours:  outcome{end: closed, code: 1014}, theirs: outcome{end: refused},
		example: client(closing, "\x03\xf6"),
	},
	{
		name: "gobwas does not check text where there is an extension (§8.1)", library: "gobwas", zip: true,
		about: func(f *aFrame) bool { return f.badText() },
		ours:  outcome{end: refused, code: 1007}, example: client(text, "\xff"),
	},
	{
		name: "gorilla says nothing of compressed data that is corrupt, where §8.1 means 1007", library: "gorilla", zip: true,
		about: func(f *aFrame) bool { return f.corrupt },
		ours:  outcome{end: refused, code: 1007}, theirs: outcome{end: refused},
		example: client(binaryData|zipped, "\xff\xff\xff"),
	},
	{
		name: "gorilla ends a compressed message at a block that calls itself the last, where RFC 7692 §7.2.3.4 goes on", library: "gorilla", zip: true,
		about: func(f *aFrame) bool { return f.lastBlock }, example: client(textBegins|zipped, "\x03\x00"),
	},
	{
		name: "gobwas ends a compressed message at a block that calls itself the last, where RFC 7692 §7.2.3.4 goes on", library: "gobwas", zip: true,
		about: func(f *aFrame) bool { return f.lastBlock }, example: client(textBegins|zipped, "\x03\x00"),
	},
	{
		name: "gorilla limits what a message takes when it is compressed", library: "gorilla", zip: true,
		about: func(f *aFrame) bool { return f.deflated > limit }, theirs: outcome{end: refused, code: 1009},
		example: client(textBegins|zipped, strings.Repeat("\x00\x00\x00\xff\xff", limit/5+1)),
	},
	{
		name: "gorilla does not limit what a compressed message becomes", library: "gorilla", zip: true,
		about: func(f *aFrame) bool { return f.inflated > limit }, ours: outcome{end: refused, code: 1009},
		example: client(binaryData|zipped, deflate(strings.Repeat("x", limit+1))),
	},
	{
		name: "gobwas limits what a message takes when it is compressed", library: "gobwas", zip: true,
		about: func(f *aFrame) bool { return f.deflated > limit }, theirs: outcome{end: refused},
		example: client(textBegins|zipped, strings.Repeat("\x00\x00\x00\xff\xff", limit/5+1)),
	},
	{
		name: "gobwas does not limit what a compressed message becomes", library: "gobwas", zip: true,
		about: func(f *aFrame) bool { return f.inflated > limit }, ours: outcome{end: refused, code: 1009},
		example: client(binaryData|zipped, deflate(strings.Repeat("x", limit+1))),
	},
	{
		name: "gorilla reports a compressed message that breaks off as if the stream did", library: "gorilla", zip: true,
		about: func(f *aFrame) bool { return f.corrupt },
		ours:  outcome{end: refused, code: 1007}, theirs: outcome{end: ended},
		example: client(text|zipped, "\xdc\xc4\xcf\xca\x94\xd5\xc3"),
	},
	{
		name: "gobwas reports a compressed message that breaks off as if the stream did", library: "gobwas", zip: true,
		about: func(f *aFrame) bool { return f.corrupt },
		ours:  outcome{end: refused, code: 1007}, theirs: outcome{end: ended},
		example: client(text|zipped, "\xdc\xc4\xcf\xca\x94\xd5\xc3"),
	},
	{
		name: "gorilla refuses a compressed message that ends between two blocks, as some senders end it (internal/deflate)", library: "gorilla", zip: true,
		about:   func(f *aFrame) bool { return f.between },
		example: client(binaryData|zipped, ""),
	},
	{
		name: "gobwas refuses a compressed message that ends between two blocks, as some senders end it (internal/deflate)", library: "gobwas", zip: true,
		about:   func(f *aFrame) bool { return f.between },
		example: client(binaryData|zipped, ""),
	},
	{
		name: "gorilla ignores RSV1 on control frames and continuations (RFC 7692 §6)", library: "gorilla", zip: true,
		about: func(f *aFrame) bool { return f.rsv == 4 && (f.opcode == 0 || f.opcode >= 8) },
		ours:  outcome{end: refused, code: 1002}, example: client(ping|zipped, "now"),
	},
	{
		name: "gobwas ignores RSV2 and RSV3 when there is an extension (§5.2)", library: "gobwas", zip: true,
		about: func(f *aFrame) bool { return f.rsv&3 != 0 },
		ours:  outcome{end: refused, code: 1002}, example: client(0xa1, "rsv2"),
	},
}

// deflate compresses a message (RFC 7692 §7.2.1).
func deflate(message string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestSpeed)
	_, _ = w.Write([]byte(message))
	_ = w.Flush()
	return strings.TrimSuffix(b.String(), "\x00\x00\xff\xff")
}

// closeCode returns the code of a close frame, 0 if there is none.
func (f *aFrame) closeCode() int {
	if len(f.payload) < 2 {
		return 0
	}
	return int(f.payload[0])<<8 | int(f.payload[1])
}

// wasteful reports whether a length takes more bytes than it needs.
func (f *aFrame) wasteful() bool {
	return f.measured && (f.extra == 2 && f.length < 126 || f.extra == 8 && f.length < 1<<16)
}

// excuses reports whether d explains why the outcomes differ.
func (d *difference) excuses(library string, zip bool, frames []aFrame, us, them outcome) bool {
	i := slices.IndexFunc(frames, func(f aFrame) bool { return d.about(&f) })
	if library != d.library || d.zip && !zip || i < 0 {
		return false
	}
	n := frames[i].before
	if min(len(us.messages), len(them.messages)) < n || !slices.Equal(us.messages[:n], them.messages[:n]) {
		return false
	}
	if d.ours.end != "" && (len(us.messages) != n || us.end != d.ours.end || us.code != d.ours.code) {
		return false
	}
	return d.theirs.end == "" || len(them.messages) == n && them.end == d.theirs.end && (them.code == d.theirs.code || d.theirs.anyCode)
}

// compare describes how the outcomes differ, "" if they are the same.
func compare(library string, us, them outcome) string {
	switch {
	case !slices.Equal(us.messages, them.messages):
		return "other messages"
	case us.end != them.end:
		return "another end"
	case us.code != them.code && (library != "gobwas" || us.end == closed):
		return "another code"
	}
	return ""
}

var peers = map[string]peer{"gorilla": gorilla, "gobwas": gobwas}

// TestTheDifferencesAreReal, and each is needed: nothing else excuses its example.
func TestTheDifferencesAreReal(t *testing.T) {
	for i, d := range differences {
		t.Run(d.name, func(t *testing.T) {
			// A message before it, so that the place counts, too.
			stream := append(client(binaryData, "before"), d.example...)
			us, them := ours(stream, d.zip, len(stream)), peers[d.library](stream, d.zip, len(stream))
			if compare(d.library, us, them) == "" {
				t.Fatalf("there is no difference: %v", us)
			}
			if len(us.messages) == 0 || us.messages[0].data != "before" {
				t.Errorf("not even the first message arrived: %v", us)
			}
			for j := range differences {
				if differences[j].excuses(d.library, d.zip, walk(stream), us, them) != (i == j) {
					t.Errorf("%q excuses it: %v; ours %v, theirs %v", differences[j].name, i != j, us, them)
				}
			}
		})
	}
}
