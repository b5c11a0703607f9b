package handshake

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// vector is one case of a file in testdata.
type vector struct {
	name, want string
	lines      []string // unescaped, without CRLF
	input      string   // the lines with CRLF where there is one
}

// readVectors reads a file of cases. Lines that stand in short for others are
// replaced by them.
func readVectors(t testing.TB, file string, short map[string][]string) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var list []vector
	name := ""
	for i, line := range strings.Split(string(text), "\n") {
		key, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || line[0] == '#':
		case key == "name":
			name = rest
		case key == "want":
			list = append(list, vector{name: name, want: rest})
		case line[0] == '|' || line[0] == '!':
			v := &list[len(list)-1]
			unquoted, err := strconv.Unquote(`"` + strings.ReplaceAll(line[1:], `"`, `\"`) + `"`)
			if err != nil {
				t.Fatalf("%s:%d: %v", file, i+1, err)
			}
			lines := []string{unquoted}
			if full := short[unquoted]; full != nil {
				lines = full
			}
			v.lines = append(v.lines, lines...)
			v.input += strings.Join(lines, "\r\n")
			if line[0] == '|' {
				v.input += "\r\n"
			}
		default:
			t.Fatalf("%s:%d: what is this? %q", file, i+1, line)
		}
	}
	return list
}

const (
	sampleKey    = "dGhlIHNhbXBsZSBub25jZQ==" // RFC 6455 §1.3
	sampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

var (
	keyFields = []string{"Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: " + sampleKey}

	shortRequest = map[string][]string{
		"@key": keyFields,
		"@all": append([]string{"Host: server.example.com", "Sec-WebSocket-Version: 13"}, keyFields...),
	}
	shortResponse = map[string][]string{
		"@all": {"Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: " + sampleAccept},
	}
)

// cuts are ways to hand over input: whole, byte by byte, and in pieces that end
// within lines.
var cuts = map[string]int{"whole": 1 << 30, "byte by byte": 1, "by threes": 3, "by 17": 17}

// pieces calls feed with input in pieces of size bytes until it says that it has
// enough, and returns how many bytes it took.
func pieces(input string, size int, feed func([]byte) (n int, done bool, err error)) (taken int, done bool, err error) {
	for len(input) > 0 && !done && err == nil {
		piece := input[:min(size, len(input))]
		input = input[len(piece):]
		var n int
		n, done, err = feed([]byte(piece))
		taken += n
	}
	return taken, done, err
}

// asError fails the test unless err is an *Error.
func asError(t testing.TB, err error) *Error {
	t.Helper()
	e, ok := err.(*Error)
	if !ok || e == nil {
		t.Fatalf("the error is a %T (%v), want an *Error", err, err)
	}
	return e
}
