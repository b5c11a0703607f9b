package conn

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/handshake"
)

func prepare(t testing.TB, typ MessageType, data string) *Prepared {
	t.Helper()
	p, err := Prepare(typ, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPrepareRefusesWhatNoConnectionMaySend(t *testing.T) {
	if _, err := Prepare(Text, []byte("a\xc3")); err != ErrInvalidUTF8 {
		t.Errorf("cut text: %v", err)
	}
	if _, err := Prepare(Text, []byte("\xff")); err != ErrInvalidUTF8 {
		t.Errorf("bad text: %v", err)
	}
	if _, err := Prepare(Binary, []byte("\xff")); err != nil {
		t.Errorf("binary: %v", err)
	}
	if _, err := Prepare(9, nil, Uncompressed); err != ErrMessageType {
		t.Errorf("ping: %v", err)
	}
	data := []byte("mine")
	p, _ := Prepare(Text, data)
	data[0] = 'x'
	client, server := pair(t, "pipe")
	if err := server.Send(bg, p); err != nil || p.Len() != 4 || p.Type() != Text {
		t.Errorf("%v, %d, %v", err, p.Len(), p.Type())
	}
	if _, got, err := client.Read(bg); string(got) != "mine" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestAPreparedMessageIsCompressed on each connection, and goes as it is where that is smaller or asked for.
func TestAPreparedMessageIsCompressed(t *testing.T) {
	text := strings.Repeat("again and ", 100)
	random := string(incompressible(500))
	for _, tt := range []struct {
		name       string
		data       string
		p          *Prepared
		compressed bool
	}{
		{"text that repeats itself", text, prepare(t, Text, text), true},
		{"below the threshold", text[:100], prepare(t, Text, text[:100]), false},
		{"what does not become shorter", random, prepare(t, Binary, random), false},
		{"a secret", text, func() *Prepared { p, _ := Prepare(Text, []byte(text), Uncompressed); return p }(), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 3 {
				client, server := compressedPair(t, "plain", handshake.DeflateParams{ServerMaxWindowBits: 12, ClientMaxWindowBits: 12}, Compression{})
				for range 3 {
					before := server.Stats().WireOut
					if err := server.Send(bg, tt.p); err != nil {
						t.Fatal(err)
					}
					if _, p, err := client.Read(bg); err != nil || string(p) != tt.data {
						t.Fatalf("%d bytes, %v", len(p), err)
					}
					if n := server.Stats().WireOut - before; tt.compressed != (n < int64(tt.p.Len())) {
						t.Errorf("%d bytes for %d", n, tt.p.Len())
					}
				}
			}
		})
	}
}

func incompressible(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
