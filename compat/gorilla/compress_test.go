package websocket

import (
	"bytes"
	"testing"
)

// TestWhatIsCompressed looks at the bytes that a message takes.
func TestWhatIsCompressed(t *testing.T) {
	message := bytes.Repeat([]byte("message "), 512)
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
		t.Run(tt.name, func(t *testing.T) {
			client, server := pair(t, "plain", Upgrader{EnableCompression: true}, Dialer{EnableCompression: true})
			tt.set(server)
			prepared, err := NewPreparedMessage(TextMessage, message)
			if err != nil {
				t.Fatal(err)
			}
			for name, write := range map[string]func() error{
				"WriteMessage":         func() error { return server.WriteMessage(TextMessage, message) },
				"WritePreparedMessage": func() error { return server.WritePreparedMessage(prepared) },
				"NextWriter":           func() error { return writeAll(server, TextMessage, message) },
			} {
				if err := write(); err != nil {
					t.Fatal(err)
				}
				p := make([]byte, 2*len(message))
				n, err := client.NetConn().Read(p)
				if err != nil {
					t.Fatal(err)
				}
				if compressed := n < len(message); compressed != tt.wanted {
					t.Errorf("%s: %d bytes for %d", name, n, len(message))
				}
			}
		})
	}
}
