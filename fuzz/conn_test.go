package fuzz

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/pipe"
)

const opening = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

const connLimit = 2000

// compressed turns the opening handshake to one that offers permessage-deflate; it is
// a bit of the piece size.
const compressed = 1 << 15

// FuzzServer feeds a whole server connection arbitrary bytes, with a correct opening
// handshake before them or without, and with compression or without. Whatever comes,
// the server ends, answers with frames that a client accepts and, uncompressed, echoes
// just the messages that were complete.
func FuzzServer(f *testing.F) {
	if testing.Short() {
		f.Skip("waits a second for each seed that ends without a close frame")
	}
	for i, s := range streams {
		f.Add([]byte(s), true, uint16(i+1))
	}
	for _, s := range []string{
		"\xc1\x87\x00\x00\x00\x00\xf2\x48\xcd\xc9\xc9\x07\x00", // RFC 7692 §7.2.3.1
		"\xc1\x85\x00\x00\x00\x00\xf2\x00\x11\x00\x00",         // §7.2.3.2, the context taken over
		"\xc1\x81\x00\x00\x00\x00\x00", "\x41\x80\x00\x00\x00\x00\x80\x81\x00\x00\x00\x00\x00",
		"\xc2\x83\x00\x00\x00\x00\xff\xff\xff",
	} {
		f.Add([]byte(s), true, uint16(compressed|7))
	}
	f.Add([]byte(opening), false, uint16(3))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), false, uint16(0))
	f.Add([]byte("\x16\x03\x01\x00\x05hello"), false, uint16(2))
	f.Fuzz(func(t *testing.T, input []byte, opened bool, piece uint16) {
		stream := input
		zip := piece&compressed != 0
		if opened {
			head := opening
			if zip {
				head = strings.Replace(head, "\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", 1)
			}
			stream = append([]byte(head), input...)
		}
		out := converse(t, stream, int(piece&^compressed))
		if !opened {
			return
		}
		resp := handshake.NewResponseReader(handshake.Limits{})
		n, done, err := resp.Feed(out)
		if err != nil || !done || resp.Response().StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("the opening handshake was answered %q, %v", out, err)
		}
		client := frame.Receiver{Role: frame.Client, Compression: zip}
		got := receive(t, &client, out[n:], max(len(out), 1))
		if got.err != nil || got.open != 0 {
			t.Fatalf("the server sent what a client refuses: %+v", got)
		}
		if zip {
			return
		}
		server := frame.Receiver{Limit: connLimit}
		checkEcho(t, receive(t, &server, bytes.Clone(input), max(len(input), 1)), got.messages)
	})
}

// converse sends stream in pieces to a server that echoes, ends it, and returns all
// that the server sent until it closed.
func converse(t *testing.T, stream []byte, piece int) []byte {
	peer, end := pipe.New(1 << 20)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c, err := conn.Upgrade(context.Background(), end, &conn.AcceptOptions{
			MessageLimit: connLimit, PingInterval: -1,
			Compression: conn.Compression{Mode: conn.CompressionTakeover, Threshold: -1},
		})
		if err != nil {
			return
		}
		ctx := c.Context()
		_ = c.Serve(ctx, func(c *conn.Conn, m conn.Message) error { return c.Write(ctx, m.Type, m.Data) })
		_ = c.CloseNow()
	}()
	go func() {
		for len(stream) > 0 {
			k := min(piece%512+1, len(stream))
			if _, err := peer.Write(stream[:k]); err != nil {
				return
			}
			stream = stream[k:]
		}
		_ = peer.CloseWrite()
	}()
	_ = peer.SetReadDeadline(time.Now().Add(30 * time.Second))
	out, err := io.ReadAll(peer)
	if err != nil {
		t.Fatalf("the server does not end: %v", err)
	}
	<-ended
	_ = peer.Close()
	return out
}

// checkEcho: what a client sent up to its close frame comes back in order, pings as
// pongs, where the latest answer may stand for earlier ones.
func checkEcho(t *testing.T, sent outcome, got []string) {
	var want []string
	for _, m := range sent.messages {
		var op string
		if _, err := fmt.Sscan(m, &op); err != nil {
			t.Fatal(err)
		}
		if op == "close" {
			break
		}
		if op == "text" || op == "binary" {
			want = append(want, m)
		}
	}
	var echoed []string
	for _, m := range got {
		if m[0] == 't' || m[0] == 'b' {
			echoed = append(echoed, m)
		}
	}
	if fmt.Sprint(echoed) != fmt.Sprint(want) {
		t.Fatalf("echoed %q, want %q", echoed, want)
	}
}
