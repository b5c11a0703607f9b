package websocket

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/frame"
)

// TestAWriteDeadlineIsFinal: for a peer that takes nothing.
func TestAWriteDeadlineIsFinal(t *testing.T) {
	onAll(t, func(t *testing.T, client, server *Conn) {
		_ = server.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
		var err error
		for err == nil {
			err = server.WriteMessage(BinaryMessage, make([]byte, 256<<10))
		}
		if e, ok := err.(net.Error); !ok || !e.Timeout() {
			t.Fatalf("%v, want a timeout", err)
		}
		_ = server.SetWriteDeadline(time.Time{})
		if again := server.WriteMessage(TextMessage, nil); again != err {
			t.Errorf("then %v, want the same", again)
		}
		if err := client.WriteMessage(TextMessage, []byte("up")); err != nil {
			t.Fatal(err)
		}
		if _, p, err := server.ReadMessage(); err != nil || string(p) != "up" {
			t.Errorf("a read: %q, %v", p, err)
		}
	})
}

// TestTheWriteDeadlineOfAControlMessageIsFinal, which that of WriteControl is not.
func TestTheWriteDeadlineOfAControlMessageIsFinal(t *testing.T) {
	for name, write := range map[string]func(*Conn) error{
		"ping":   func(c *Conn) error { return c.WriteMessage(PingMessage, nil) },
		"pong":   func(c *Conn) error { return c.WriteMessage(PongMessage, nil) },
		"close":  func(c *Conn) error { return c.WriteMessage(CloseMessage, FormatCloseMessage(CloseNormalClosure, "")) },
		"writer": func(c *Conn) error { return writeAll(c, PingMessage, []byte("x")) },
	} {
		t.Run(name, func(t *testing.T) {
			_, server := pair(t, "plain", Upgrader{}, Dialer{})
			_ = server.SetWriteDeadline(time.Unix(1, 0))
			err := write(server)
			e, ok := err.(interface {
				net.Error
				Temporary() bool
			})
			if !ok || !e.Timeout() || e.Temporary() {
				t.Fatalf("%v, want a timeout that is not temporary", err)
			}
			_ = server.SetWriteDeadline(time.Time{})
			if again := server.WriteMessage(TextMessage, nil); again != err {
				t.Errorf("then %v, want the same", again)
			}
		})
	}
}

// TestAControlMessageThatFindsNoRoomIsNotSent, and leaves the connection as it was.
func TestAControlMessageThatFindsNoRoomIsNotSent(t *testing.T) {
	for _, kind := range []string{"tls", "plain"} { // over a stock tls.Conn a write that is cut off is final
		t.Run(kind, func(t *testing.T) {
			client, server := pair(t, kind, Upgrader{}, Dialer{})
			sent, late := map[string]bool{}, make(chan struct{})
			written := make(chan error)
			go func() { written <- server.WriteMessage(BinaryMessage, make([]byte, 16<<20)) }()
			await("wire.(*Conn).Flush(", "TestAControlMessageThatFindsNoRoomIsNotSent") // the socket is full
			err := server.WriteControl(PingMessage, []byte("not sent"), time.Now().Add(20*time.Millisecond))
			if e, ok := err.(net.Error); !ok || !e.Timeout() {
				t.Fatalf("%v, want a timeout", err)
			}
			client.SetPingHandler(func(s string) error {
				if sent[s] = true; s == "late" {
					close(late)
				}
				return nil
			})
			defer inBackground(func() { _, _, _ = client.ReadMessage(); _, _, _ = client.ReadMessage() })()
			defer client.Close()
			if err := <-written; err != nil {
				t.Fatal(err)
			}
			if err := server.WriteControl(PingMessage, []byte("late"), time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			if <-late; sent["not sent"] {
				t.Error("it was sent")
			}
		})
	}
}

func TestNothingFollowsACloseMessage(t *testing.T) {
	onAll(t, func(t *testing.T, client, server *Conn) {
		w, err := client.NextWriter(BinaryMessage)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, 5000)); err != nil {
			t.Fatal(err)
		}
		if err := client.WriteControl(CloseMessage, FormatCloseMessage(CloseNormalClosure, "done"), time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		prepared, err := NewPreparedMessage(BinaryMessage, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, next := client.NextWriter(TextMessage)
		for what, err := range map[string]error{
			"Close of the writer": w.Close(), "NextWriter": next, "WriteMessage": client.WriteMessage(TextMessage, nil),
			"WriteJSON": client.WriteJSON(1), "WritePreparedMessage": client.WritePreparedMessage(prepared),
			"a ping": client.WriteControl(PingMessage, nil, time.Time{}), "a close": client.WriteMessage(CloseMessage, nil),
		} {
			if err != ErrCloseSent && err != errWriterClosed {
				t.Errorf("%s: %v, want ErrCloseSent", what, err)
			}
		}
		_, r, err := server.NextReader()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, r); n != 4096 || !IsCloseError(err, CloseNormalClosure) {
			t.Errorf("%d bytes, %v", n, err)
		}
		if _, _, err := client.ReadMessage(); !IsCloseError(err, CloseNormalClosure) {
			t.Errorf("the answer: %v", err)
		}
	})
}

func TestWhatMayNotBeSentIsRefused(t *testing.T) {
	client, server := pair(t, "plain", Upgrader{}, Dialer{})
	long := make([]byte, 126)
	now := time.Now().Add(time.Minute)
	for _, tt := range []struct {
		name string
		do   func() error
		want error
	}{
		{"a type that there is not", func() error { return client.WriteMessage(3, nil) }, errBadMessageType},
		{"a writer of such a type", func() error { _, err := client.NextWriter(0); return err }, errBadMessageType},
		{"a data message by WriteControl", func() error { return client.WriteControl(TextMessage, nil, now) }, errBadMessageType},
		{"a long ping", func() error { return client.WriteControl(PingMessage, long, now) }, errInvalidControlFrame},
		{"a long ping by WriteMessage", func() error { return client.WriteMessage(PingMessage, long) }, errInvalidControlFrame},
		{"a long ping by a writer", func() error { return writeAll(client, PingMessage, long) }, errInvalidControlFrame},
		{"a ping of several buffers", func() error { return writeAll(client, PingMessage, make([]byte, 9000)) }, errInvalidControlFrame},
		{"half a close code", func() error { return client.WriteMessage(CloseMessage, []byte{3}) }, errInvalidControlFrame},
		{"a close code that is only reported", func() error {
			return client.WriteMessage(CloseMessage, FormatCloseMessage(CloseAbnormalClosure, ""))
		}, frame.ErrCodeNotSendable},
		{"a reason that is not UTF-8", func() error {
			return client.WriteMessage(CloseMessage, FormatCloseMessage(CloseNormalClosure, "\xff"))
		}, frame.ErrReasonNotUTF8},
		{"text that is not UTF-8", func() error { return client.WriteMessage(TextMessage, []byte{0xff}) }, frame.ErrInvalidUTF8},
		{"such text by a writer", func() error { return writeAll(client, TextMessage, []byte{0xff}) }, frame.ErrInvalidUTF8},
		{"such text prepared", func() error { _, err := NewPreparedMessage(TextMessage, []byte{0xff}); return err }, frame.ErrInvalidUTF8},
		{"a long pong prepared", func() error { _, err := NewPreparedMessage(PongMessage, long); return err }, errInvalidControlFrame},
		{"another type prepared", func() error { _, err := NewPreparedMessage(7, nil); return err }, errBadMessageType},
		{"a level that there is not", func() error { return client.SetCompressionLevel(10) }, errAny},
		{"a deadline that has passed", func() error { return client.WriteControl(PingMessage, nil, time.Unix(1, 0)) }, errWriteTimeout},
	} {
		if err := tt.do(); err == nil || err != tt.want && tt.want != errAny {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	// None of it has done harm.
	if err := client.WriteMessage(TextMessage, []byte("fine")); err != nil {
		t.Fatal(err)
	}
	if _, p, err := server.ReadMessage(); err != nil || string(p) != "fine" {
		t.Errorf("%q, %v", p, err)
	}
}

var errAny = errors.New("any")

func writeAll(c *Conn, messageType int, p []byte) error {
	w, err := c.NextWriter(messageType)
	if err != nil {
		return err
	}
	if _, err := w.Write(p); err != nil {
		return err
	}
	return w.Close()
}

// TestTextThatTurnsOutNotToBe: a part of it has been sent, so nothing can follow.
func TestTextThatTurnsOutNotToBe(t *testing.T) {
	client, _ := pair(t, "plain", Upgrader{}, Dialer{WriteBufferSize: 16})
	w, err := client.NextWriter(TextMessage)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, strings.Repeat("fine ", 5)); err != nil {
		t.Fatal(err)
	}
	if _, err = w.Write([]byte(strings.Repeat("\xff", 40))); !errors.Is(err, frame.ErrInvalidUTF8) {
		t.Errorf("%v", err)
	}
	if again := w.Close(); again != err {
		t.Errorf("Close: %v", again)
	}
	if again := client.WriteMessage(TextMessage, nil); again != err {
		t.Errorf("a write: %v", again)
	}
}

func TestAWriterThatIsOpenIsClosed(t *testing.T) {
	client, server := pair(t, "plain", Upgrader{}, Dialer{WriteBufferSize: 8})
	for _, text := range []string{"short", "longer than the buffer"} {
		w, err := client.NextWriter(TextMessage)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		if err := client.WriteMessage(TextMessage, []byte("next")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, "late"); err != errWriterClosed {
			t.Errorf("%v, want %v", err, errWriterClosed)
		}
		for _, want := range []string{text, "next"} {
			if _, p, err := server.ReadMessage(); err != nil || string(p) != want {
				t.Errorf("%q, %v; want %q", p, err, want)
			}
		}
	}
}

// TestFragments: a buffer that is full is sent before the message ends, by each way to write.
func TestFragments(t *testing.T) {
	const text = "twenty-four bytes of it."
	for name, write := range map[string]func(io.Writer) (int64, error){
		"Write":       func(w io.Writer) (int64, error) { n, err := w.Write([]byte(text)); return int64(n), err },
		"WriteString": func(w io.Writer) (int64, error) { n, err := io.WriteString(w, text); return int64(n), err },
		"ReadFrom":    func(w io.Writer) (int64, error) { return io.Copy(w, io.LimitReader(strings.NewReader(text), 99)) },
	} {
		t.Run(name, func(t *testing.T) {
			client, server := pair(t, "plain", Upgrader{}, Dialer{WriteBufferSize: 16})
			w, err := client.NextWriter(TextMessage)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := write(w); n != int64(len(text)) || err != nil {
				t.Fatalf("%d, %v", n, err)
			}
			_, r, err := server.NextReader() // it returns with the first fragment
			if err != nil {
				t.Fatal(err)
			}
			p := make([]byte, 16)
			if _, err := io.ReadFull(r, p); err != nil || string(p) != text[:16] {
				t.Fatalf("%q, %v", p, err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if p, err := io.ReadAll(r); err != nil || string(p) != text[16:] {
				t.Errorf("%q, %v", p, err)
			}
		})
	}
}

func TestPreparedMessages(t *testing.T) {
	text := strings.Repeat("prepared ", 200)
	for _, compress := range []bool{false, true} {
		client, server := pair(t, "tls", Upgrader{EnableCompression: compress}, Dialer{EnableCompression: true})
		pings := make(chan string, 2)
		client.SetPingHandler(func(s string) error { pings <- s; return nil })
		for _, level := range []int{-2, -1, 0, 1, 9} {
			if err := server.SetCompressionLevel(level); err != nil {
				t.Fatal(err)
			}
			for _, on := range []bool{true, false} {
				server.EnableWriteCompression(on)
				data := []byte(text)
				m, err := NewPreparedMessage(TextMessage, data)
				if err != nil {
					t.Fatal(err)
				}
				clear(data) // it was copied
				ping, err := NewPreparedMessage(PingMessage, []byte("ping"))
				if err != nil {
					t.Fatal(err)
				}
				for _, err := range []error{server.WritePreparedMessage(ping), server.WritePreparedMessage(m), server.WriteMessage(TextMessage, []byte(text))} {
					if err != nil {
						t.Fatal(err)
					}
				}
				for range 2 {
					if _, p, err := client.ReadMessage(); err != nil || string(p) != text {
						t.Fatalf("%q, %v", p, err)
					}
				}
				if s := <-pings; s != "ping" {
					t.Errorf("%q", s)
				}
			}
		}
	}
}
