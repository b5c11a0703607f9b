package websocket

import (
	"bytes"
	"fmt"
	"testing"
)

// TestWhatIsCompressed looks at the bytes that a message takes.
func TestWhatIsCompressed(t *testing.T) {
	for _, tt := range []struct {
		name   string
		set    func(*Conn)
		wanted bool
	}{
		{"by default", func(*Conn) {}, true},
		{"switched off", func(c *Conn) { c.EnableWriteCompression(false) }, false},
		{"switched on again", func(c *Conn) { c.EnableWriteCompression(false); c.EnableWriteCompression(true) }, true},
		{"at level 0", func(c *Conn) { _ = c.SetCompressionLevel(0) }, false},
		{"at level 9 after 0", func(c *Conn) { _ = c.SetCompressionLevel(0); _ = c.SetCompressionLevel(9) }, true},
	} {
		for _, size := range []int{256, 4096} {
			testCompressed(t, tt.name+" by the server", tt.set, tt.wanted, size, false)
			testCompressed(t, tt.name+" by the client", tt.set, tt.wanted, size, true)
		}
	}
}

func testCompressed(t *testing.T, name string, set func(*Conn), wanted bool, size int, byClient bool) {
	t.Run(fmt.Sprintf("%s, %d bytes", name, size), func(t *testing.T) {
		message := bytes.Repeat([]byte("message "), size/8)
		receiver, sender := pair(t, "plain", Upgrader{EnableCompression: true}, Dialer{EnableCompression: true})
		if byClient {
			receiver, sender = sender, receiver
		}
		set(sender)
		prepared, err := NewPreparedMessage(TextMessage, message)
		if err != nil {
			t.Fatal(err)
		}
		for name, write := range map[string]func() error{
			"WriteMessage":         func() error { return sender.WriteMessage(TextMessage, message) },
			"WritePreparedMessage": func() error { return sender.WritePreparedMessage(prepared) },
			"NextWriter":           func() error { return writeAll(sender, TextMessage, message) },
		} {
			if err := write(); err != nil {
				t.Fatal(err)
			}
			p := make([]byte, 2*len(message))
			n, err := receiver.NetConn().Read(p)
			if err != nil {
				t.Fatal(err)
			}
			if compressed := n < len(message); compressed != wanted {
				t.Errorf("%s: %d bytes for %d", name, n, len(message))
			}
		}
	})
}
