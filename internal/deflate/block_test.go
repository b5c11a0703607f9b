package deflate

import (
	"bufio"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

var named = map[string]error{"corrupt": ErrCorrupt, "truncated": ErrTruncated}

// Beast #923 and others: last blocks, empty messages, and the context after them.
func TestMessageVectors(t *testing.T) {
	f, err := os.Open("testdata/messages.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := new(Decompressor)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		switch {
		case line == "" || line[0] == '#':
			continue
		case line[0] == '!':
			d = new(Decompressor)
			continue
		}
		before, text, _ := strings.Cut(line, "=")
		digits, name, fails := strings.Cut(before, "error ")
		z, err := hex.DecodeString(strings.TrimSpace(digits))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		got, err := d.Append(nil, z, true)
		if fails {
			if err != named[name] {
				t.Errorf("%s: %q, %v; want %s", line, got, err, name)
			}
			continue
		}
		if want := strings.TrimSpace(text); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", line, got, err)
		}
	}
}
