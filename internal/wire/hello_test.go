package wire

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/pipe"
)

// handed returns the records that Read hands over until the input has ended.
func handed(t *testing.T, c *Conn) (all [][]byte) {
	t.Helper()
	buf := make([]byte, 32<<10)
	for {
		n, err := c.Read(buf)
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, bytes.Clone(buf[:n]))
	}
}

// TestAClientHelloComesInSmallRecords: what they hold together is what was sent, with the same type and version.
func TestAClientHelloComesInSmallRecords(t *testing.T) {
	for size, want := range map[int][]int{
		0: {0}, 1: {1}, 512: {512}, 513: {257, 256}, 1024: {512, 512}, 1025: {257, 257, 257, 254},
		1500: {375, 375, 375, 375}, 16384: slices.Repeat([]int{512}, 32),
		16385: {16385}, // crypto/tls is to refuse it
	} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			hello := record(handshake, size)
			hello[2] = 1
			for i := range size {
				hello[headerSize+i] = byte(rand.Uint32())
			}
			next := record(20, 1)
			a, b := pipe.New(1 << 20)
			if _, err := a.Write(slices.Concat(hello, next)); err != nil {
				t.Fatal(err)
			}
			if err := a.Close(); err != nil {
				t.Fatal(err)
			}
			var content []byte
			var sizes []int
			all := handed(t, New(b))
			for _, r := range all[:len(all)-1] {
				if !bytes.Equal(r[:3], hello[:3]) || recordSize(r) != len(r) {
					t.Errorf("a record begins % x and has %d bytes", r[:headerSize], len(r))
				}
				content = append(content, r[headerSize:]...)
				sizes = append(sizes, len(r)-headerSize)
			}
			if !bytes.Equal(content, hello[headerSize:]) || !reflect.DeepEqual(sizes, want) {
				t.Errorf("records of %v, want %v; %d bytes in all", sizes, want, len(content))
			}
			if last := all[len(all)-1]; !bytes.Equal(last, next) {
				t.Errorf("the record behind them is % x", last)
			}
		})
	}
}

// TestTheRecordsOfAClientHelloFitTheirBuffer: each adds a header, and with these the next larger buffer may be the one to borrow.
func TestTheRecordsOfAClientHelloFitTheirBuffer(t *testing.T) {
	for _, tt := range []struct {
		name string
		size int // of the ClientHello's content
		want int // size of the buffer
	}{
		{"just room for all headers", bufpool.Medium - 8*headerSize, bufpool.Medium},
		{"no room for the last header", bufpool.Medium - 8*headerSize + 1, bufpool.Record},
		{"room for the first header alone", bufpool.Medium - headerSize, bufpool.Record},
	} {
		lent(t, tt.name, func(t *testing.T) {
			a, b := pipe.New(1 << 20)
			_, _ = a.Write(record(handshake, tt.size))
			_ = a.Close()
			c := New(b)
			if _, err := c.Read(make([]byte, 1)); err != nil || len(c.in) != tt.want {
				t.Errorf("a buffer of %d bytes, want %d; %v", len(c.in), tt.want, err)
			}
			handed(t, c)
		})
	}
}

// TestWhatIsEncryptedStaysWhole: a record's content is encrypted from the first on that is no message of the handshake, in
// TLS 1.2 with the type of one, and nothing of it can be moved.
func TestWhatIsEncryptedStaysWhole(t *testing.T) {
	for _, first := range []byte{20, 23} {
		records := [][]byte{record(handshake, 100), record(first, 1), record(handshake, 1000), record(23, 1000)}
		a, b := pipe.New(1 << 20)
		if _, err := a.Write(slices.Concat(records...)); err != nil {
			t.Fatal(err)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if got := handed(t, New(b)); !reflect.DeepEqual(got, records) {
			t.Errorf("after type %d: %d records, want %d as they came", first, len(got), len(records))
		}
	}
}

// TestCryptoTLSKeepsASmallBuffer: which is what the splitting is for.
func TestCryptoTLSKeepsASmallBuffer(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		p := connect(t, version, func(server, client *tls.Config) {
			client.NextProtos = slices.Repeat([]string{"some-protocol-with-a-long-name"}, 100) // a long ClientHello
			server.NextProtos = client.NextProtos[:1]
		})
		raw := reflect.ValueOf(p.server).Elem().FieldByName("rawInput").FieldByName("buf")
		if n := raw.Cap(); n == 0 || n > 1024 {
			t.Errorf("%s: crypto/tls keeps %d bytes for records", tls.VersionName(version), n)
		}
	}
}
