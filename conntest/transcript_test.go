package conntest

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c4549abd/wss/conn"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s:\n%s", file, diff)
	}
}

// conversation sends a frame of every kind.
func conversation(t *testing.T, c *Client) {
	t.Helper()
	exchanged(t, c, "hello, \"wörld\"\n")
	w, err := c.Writer(bg, conn.Text)
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range []string{"in ", "three ", "fragments"} {
		if _, err := w.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(bg); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1, 16, 17, 5000} {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(i)
		}
		if err := c.Write(bg, conn.Binary, data); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Read(bg); err != nil {
			t.Fatal(err)
		}
	}
	exchanged(t, c, strings.Repeat("long ä ", 100))
	ctx, cancel := context.WithCancel(bg)
	c.CloseRead(ctx)
	if d, err := c.Ping(bg); err != nil || d != 2*DefaultLatency {
		t.Errorf("ping: %v, %v", d, err)
	}
	cancel()
	if err := c.Close(conn.StatusNormalClosure, "bye"); err != nil {
		t.Fatal(err)
	}
}

func TestATranscriptIsTheSameEachTimeWithTLSAndWithout(t *testing.T) {
	for _, url := range []string{"ws://example.com/chat?room=1", "wss://example.com/chat?room=1"} {
		for range 3 {
			synctest.Test(t, func(t *testing.T) {
				c := Pipe(t, echo(&conn.AcceptOptions{Subprotocols: []string{"chat"}}), &Options{
					URL: url, Dial: &conn.DialOptions{Subprotocols: []string{"chat"}}, ShowHeader: []string{"Host", "sec-websocket-protocol"},
				})
				conversation(t, c)
				golden(t, "conversation.txt", c.Transcript())
			})
		}
	}
}

func TestACompressedTranscriptShowsWhatWasCompressed(t *testing.T) {
	for _, mode := range []conn.CompressionMode{conn.CompressionNoTakeover, conn.CompressionTakeover} {
		synctest.Test(t, func(t *testing.T) {
			z := conn.Compression{Mode: mode, Threshold: 5}
			c := Pipe(t, echo(&conn.AcceptOptions{Compression: z}), &Options{Dial: &conn.DialOptions{Compression: z}})
			conversation(t, c)
			golden(t, fmt.Sprintf("compressed-%d.txt", mode), c.Transcript())
		})
	}
}

func TestTimesOfATranscriptAreExactInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Pipe(t, handler(nil, func(c *conn.Conn) {
			typ, p, err := c.Read(bg)
			if err == nil {
				time.Sleep(time.Second)
				_ = c.Write(bg, typ, p)
				_, _, _ = c.Read(bg)
			}
		}), &Options{ToServer: Direction{Latency: 20 * time.Millisecond}, ToClient: Direction{Latency: 30 * time.Millisecond}})
		exchanged(t, c, "hello")
		if err := c.Close(conn.StatusGoingAway, ""); err != nil {
			t.Error(err)
		}
		want := `        0s client: GET / HTTP/1.1
      50ms server: HTTP/1.1 101 Switching Protocols
      50ms client: text "hello"
      1.1s server: text "hello"
      1.1s client: close 1001 (going away)
     1.15s server: close 1001 (going away)
`
		if diff := cmp.Diff(want, c.TranscriptWithTimes()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestWhatIsNoWebSocketIsShownAsWell, of a handler that hijacks the connection and writes arbitrary bytes.
func TestWhatIsNoWebSocketIsShownAsWell(t *testing.T) {
	accept := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
	for _, tt := range []struct{ name, frames, want string }{
		{"a length that is not minimal", "\x81\x7e\x00\x01a", "server: no frame: "},
		{"a reserved opcode", "\x83\x01a", "server: opcode(3) 61\n"},
		{"a close frame of one byte", "\x88\x01a", "server: close 61\n"},
		{"a close frame without a code", "\x88\x00", "server: close\n"},
		{"data that does not inflate", "\xc1\x02\xff\xff", "server: text, compressed (flate: corrupt input"},
		{"an end without a close frame", "\x81\x01a", "server: text \"a\"\nserver: end of stream\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := Pipe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					nc, _, err := http.NewResponseController(w).Hijack()
					if err != nil {
						t.Error(err)
						return
					}
					_, _ = nc.Write([]byte(accept + acceptKey(r.Header.Get("Sec-WebSocket-Key")) + "\r\n\r\n" + tt.frames))
					_ = nc.Close()
				}), nil)
				for {
					if _, _, err := c.Read(bg); err != nil {
						break
					}
				}
				if got := c.Transcript(); !strings.Contains(got, tt.want) {
					t.Errorf("%s", got)
				}
			})
		})
	}
}

func TestATranscriptOutsideABubble(t *testing.T) {
	t.Parallel()
	c := Pipe(t, echo(nil), &Options{URL: "wss://localhost"})
	exchanged(t, c, "hello")
	want := "client: GET / HTTP/1.1\nserver: HTTP/1.1 101 Switching Protocols\nclient: text \"hello\"\nserver: text \"hello\"\n"
	if got := c.Transcript(); got != want {
		t.Errorf("%s", got)
	}
}

func TestNoTranscript(t *testing.T) {
	t.Parallel()
	c := Pipe(t, echo(nil), &Options{NoTranscript: true})
	exchanged(t, c, "hello")
	if got := c.Transcript() + c.TranscriptWithTimes(); got != "" {
		t.Errorf("%s", got)
	}
}

func TestATranscriptFollowsRedirects(t *testing.T) {
	everyWay(t, func(t *testing.T, o Options) {
		o.URL = strings.TrimSuffix(o.URL, "chat")
		o.Dial = &conn.DialOptions{MaxRedirects: 2}
		c := Pipe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				http.Redirect(w, r, "/chat", http.StatusTemporaryRedirect)
				return
			}
			echo(nil).ServeHTTP(w, r)
		}), &o)
		exchanged(t, c, "hello")
		want := "client: GET / HTTP/1.1\nserver: HTTP/1.1 307 Temporary Redirect\nclient: GET /chat HTTP/1.1\n" +
			"server: HTTP/1.1 101 Switching Protocols\nclient: text \"hello\"\nserver: text \"hello\"\n"
		if got := c.Transcript(); got != want && !o.NoTranscript {
			t.Errorf("%s", got)
		}
	})
}

func TestMoreOfALongPayloadIsShown(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, tt := range []struct {
		show        int
		text, bytes string
	}{
		{10, `text 5000 bytes: "xxxxxxxxxx" …`, "binary 20 bytes: 61 61 61 61 61 61 61 61 61 61 …"},
		{-1, `text "` + long + `"`, "binary" + strings.Repeat(" 61", 20)},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := Pipe(t, echo(nil), &Options{ShowPayload: tt.show})
			exchanged(t, c, long)
			if err := c.Write(bg, conn.Binary, []byte(strings.Repeat("a", 20))); err != nil {
				t.Error(err)
			}
			if got := c.Transcript(); !strings.Contains(got, "server: "+tt.text+"\n") || !strings.Contains(got, "client: "+tt.bytes+"\n") {
				t.Errorf("%s", got)
			}
		})
	}
}
