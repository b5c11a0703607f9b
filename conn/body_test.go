package conn

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/pipe"
)

// response reads a head as Dial does.
func response(t *testing.T, head string) *http.Response {
	t.Helper()
	var p handshake.ResponseReader
	if _, done, err := p.Feed([]byte("HTTP/1.1 " + head + "\r\n\r\n")); !done || err != nil {
		t.Fatal(done, err)
	}
	return p.Response()
}

// TestABodyIsReadToItsEnd: bodies whose end can be known take no time, although the
// connection stays open (RFC 9112 §6.3); those that go on are cut off at 4,096 bytes.
func TestABodyIsReadToItsEnd(t *testing.T) {
	const long = 5000
	chunk := func(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }
	for _, tt := range []struct{ name, head, here, coming, want string }{
		{"a length, all of it came with the head", "404 X\r\nContent-Length: 5", "hello, and more", "", "hello"},
		{"a length, some of it is to come", "404 X\r\nContent-Length: 10", "hello", "world...", "helloworld"},
		{"a length of nothing", "404 X\r\nContent-Length: 0", "more", "", ""},
		{"a length above the bound", "404 X\r\nContent-Length: 1000000", strings.Repeat("x", long), "", strings.Repeat("x", 4096)},
		{"a length above the bound, to come", "404 X\r\nContent-Length: 1000000", "", strings.Repeat("x", long), strings.Repeat("x", 4096)},
		{"no length, above the bound", "404 X", "", strings.Repeat("x", long), strings.Repeat("x", 4096)},
		{"204", "204 No Content", "", "", ""},
		{"204 that announces a body", "204 No Content\r\nContent-Length: 5", "", "", ""},
		{"304", "304 Not Modified\r\nContent-Length: 5", "", "", ""},
		{"chunks", "404 X\r\nTransfer-Encoding: chunked", chunk("hello"), chunk(" world") + "0\r\n\r\n", "hello world"},
		{"chunks with extensions and a trailer", "404 X\r\nTransfer-Encoding: chunked",
			"5;a=b\r\nhello\r\n0;c\r\nX-Trailer: d\r\n\r\n", "", "hello"},
		{"chunks beside a length that is wrong", "404 X\r\nTransfer-Encoding: chunked\r\nContent-Length: 2",
			chunk("hello") + "0\r\n\r\n", "", "hello"},
		{"chunks above the bound", "404 X\r\nTransfer-Encoding: chunked",
			chunk(strings.Repeat("x", 3000)), chunk(strings.Repeat("x", 3000)), strings.Repeat("x", 4096)},
		{"chunks of one byte, above 16 KiB with their framing", "404 X\r\nTransfer-Encoding: chunked",
			"", strings.Repeat(chunk("x"), 10_000), strings.Repeat("x", 2731)},
		{"chunks that are malformed", "404 X\r\nTransfer-Encoding: chunked", chunk("hello") + "zz\r\n", "", "hello"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := pipe.New(1 << 20)
				defer a.Close()
				_, _ = io.WriteString(a, tt.coming)
				resp, start := response(t, tt.head), time.Now()
				readBody(t.Context(), b, resp, []byte(tt.here))
				if got, err := io.ReadAll(resp.Body); string(got) != tt.want || err != nil {
					t.Errorf("%d bytes %.40q, %v, want %d", len(got), got, err, len(tt.want))
				}
				if waited := time.Since(start); waited != 0 {
					t.Errorf("waited %v", waited)
				}
			})
		})
	}
}

// TestABodyWithoutAnEndIsBoundedInTime: by a second, and by the context.
func TestABodyWithoutAnEndIsBoundedInTime(t *testing.T) {
	for _, tt := range []struct {
		name, head, here, want string
		within, takes          time.Duration
	}{
		{"no length", "404 X", "so far", "so far", time.Minute, time.Second},
		{"a length", "404 X\r\nContent-Length: 100", "so far", "so far", time.Minute, time.Second},
		{"chunks", "404 X\r\nTransfer-Encoding: chunked", "6\r\nso far\r\n", "so far", time.Minute, time.Second},
		{"an unfinished chunk", "404 X\r\nTransfer-Encoding: chunked", "60\r\nso far", "so far", time.Minute, time.Second},
		{"no length, and little time", "404 X", "so far", "so far", time.Millisecond, time.Millisecond},
		{"no length, and no time", "404 X", "so far", "so far", 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := pipe.New(1 << 16)
				defer a.Close()
				ctx, cancel := context.WithTimeout(t.Context(), tt.within)
				defer cancel()
				stop := interruptBy(ctx, b)
				defer stop()
				synctest.Wait()
				resp, start := response(t, tt.head), time.Now()
				readBody(ctx, b, resp, []byte(tt.here))
				if got, err := io.ReadAll(resp.Body); string(got) != tt.want || err != nil {
					t.Errorf("%q, %v", got, err)
				}
				if waited := time.Since(start); waited != tt.takes {
					t.Errorf("waited %v, want %v", waited, tt.takes)
				}
			})
		})
	}
	t.Run("the end of the stream", func(t *testing.T) {
		for head, want := range map[string]string{
			"404 X": "cut off", "404 X\r\nContent-Length: 100": "cut off",
			"404 X\r\nTransfer-Encoding: chunked": "",
		} {
			a, b := pipe.New(1 << 16)
			_, _ = io.WriteString(a, " off")
			_ = a.Close()
			resp := response(t, head)
			readBody(bg, b, resp, []byte("cut"))
			if got, err := io.ReadAll(resp.Body); string(got) != want || err != nil {
				t.Errorf("%q: %q, %v", head, got, err)
			}
		}
	})
}
