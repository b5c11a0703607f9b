package fuzz

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"slices"
	"testing"

	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/wire"
)

const (
	recordHeader = 5
	helloType    = 0x16
	longest      = 16384 + 2048 // no version of TLS has longer records
)

// inPieces is a stream that comes in pieces.
type inPieces struct {
	net.Conn
	rest []byte
	cuts []byte // the length of each piece, less one, over and over; none: all at once
	i    int
}

func (p *inPieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := min(len(b), len(p.rest))
	if len(p.cuts) > 0 {
		n = min(n, 1+int(p.cuts[p.i%len(p.cuts)]))
		p.i++
	}
	copy(b, p.rest[:n])
	p.rest = p.rest[n:]
	return n, nil
}

// saying is what TLS makes of records: type and version, and the bytes of those of the handshake together that come
// before the first of another type.
type saying struct{ head, data []byte }

// sayings takes a stream apart, up to a record that is too long. rest is a part of one, at the end.
func sayings(stream []byte) (all []saying, rest []byte, tooLong bool) {
	opening := true
	for len(stream) >= recordHeader {
		n := recordHeader + int(stream[3])<<8 + int(stream[4])
		if n-recordHeader > longest {
			return all, nil, true
		}
		if n > len(stream) {
			break
		}
		head, data := stream[:3], stream[recordHeader:n]
		opening = opening && head[0] == helloType
		if k := len(all) - 1; opening && k >= 0 && bytes.Equal(all[k].head, head) {
			all[k].data = slices.Concat(all[k].data, data)
		} else {
			all = append(all, saying{head, data})
		}
		stream = stream[n:]
	}
	return all, stream, false
}

// FuzzRecords gives the transport below TLS anything, in any pieces. It hands over all that has come, in order, in each
// call bytes of one record at most; only the handshake's first messages may come in other records.
func FuzzRecords(f *testing.F) {
	hello := clientHello(f)
	f.Add(hello, []byte{}, uint16(600))
	f.Add(slices.Concat(hello, []byte{20, 3, 3, 0, 1, 1, 23, 3, 3, 0, 2, 1, 2}), []byte{0}, uint16(5))
	f.Add([]byte{22, 3, 1, 0x40, 1}, []byte{1, 2}, uint16(512))
	f.Add([]byte{22, 3, 1, 0xff, 0xff, 1, 2, 3}, []byte{6}, uint16(512))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), []byte{3}, uint16(7))
	f.Fuzz(func(t *testing.T, input, cuts []byte, room uint16) {
		c := wire.New(&inPieces{rest: input, cuts: cuts})
		defer c.Drop()
		var got []byte
		left := 0     // bytes of the record that is being handed over
		lost := false // one was too long: where the next begins is anybody's guess
		buf := make([]byte, recordHeader+int(room))
		for {
			n, err := c.Read(buf)
			got = append(got, buf[:n]...)
			if err != nil {
				if err != io.EOF && err != io.ErrUnexpectedEOF {
					t.Fatal(err)
				}
				break
			}
			if c.Plaintext() || lost {
				continue
			}
			if left == 0 {
				left = recordHeader
				if n >= recordHeader {
					left += int(buf[3])<<8 + int(buf[4])
				}
				lost = left-recordHeader > longest
			}
			if left -= n; n == 0 || left < 0 && !lost {
				t.Fatalf("%d bytes at once, %d of them of the next record", n, -left)
			}
		}
		if c.Plaintext() || len(input) == 0 {
			if !bytes.Equal(got, input) {
				t.Fatalf("%d bytes without TLS, want the %d that came", len(got), len(input))
			}
			return
		}
		want, rest, tooLong := sayings(input)
		all, end, _ := sayings(got)
		if tooLong { // crypto/tls ends there, whatever follows
			all, end = all[:min(len(all), len(want))], nil
		}
		if !slices.EqualFunc(all, want, func(a, b saying) bool {
			return bytes.Equal(a.head, b.head) && bytes.Equal(a.data, b.data)
		}) || !bytes.Equal(end, rest) {
			t.Fatalf("%d records and %d bytes, want %d and %d", len(all), len(end), len(want), len(rest))
		}
	})
}

// clientHello is what a client of crypto/tls says first.
func clientHello(t testing.TB) []byte {
	a, b := pipe.New(1 << 16)
	go func() {
		_ = tls.Client(a, &tls.Config{ServerName: "localhost"}).Handshake()
		_ = a.Close()
	}()
	buf := make([]byte, 1<<16)
	n, err := b.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	_ = b.Close()
	return buf[:n]
}
