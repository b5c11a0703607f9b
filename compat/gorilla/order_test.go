package websocket

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestWritersOfManyGoroutines: messages of NextWriter may be cut where others end them, but each is received once at most,
// and what WriteMessage sends exactly once.
func TestWritersOfManyGoroutines(t *testing.T) {
	const each, chunks = 40, 12
	for _, compress := range []bool{false, true} {
		for _, kind := range kinds {
			t.Run(fmt.Sprintf("%s, compressed %v", kind, compress), func(t *testing.T) {
				d := Dialer{EnableCompression: compress, WriteBufferSize: 64}
				client, server := pair(t, kind, Upgrader{EnableCompression: compress}, d)
				var all sync.WaitGroup
				for g := range 3 {
					all.Go(func() {
						for n := range each {
							if err := writeChunks(client, g, n, chunks); err != nil {
								t.Errorf("writer %d: %v", g, err)
							}
						}
					})
				}
				all.Go(func() {
					for n := range each {
						if err := client.WriteMessage(TextMessage, fmt.Appendf(nil, "whole %d", n)); err != nil {
							t.Error(err)
						}
						if err := client.WriteControl(PingMessage, nil, time.Now().Add(time.Minute)); err != nil {
							t.Error(err)
						}
					}
				})
				defer inBackground(func() {
					all.Wait()
					_ = client.WriteMessage(CloseMessage, FormatCloseMessage(CloseNormalClosure, ""))
				})()
				defer client.Close()
				wholes := 0
				seen := map[string]bool{}
				for {
					_, p, err := server.ReadMessage()
					if IsCloseError(err, CloseNormalClosure) {
						break
					} else if err != nil {
						t.Fatal(err)
					}
					text := string(p)
					if text == "" {
						continue // ended before its first chunk
					}
					if text == fmt.Sprintf("whole %d", wholes) {
						wholes++
						continue
					}
					id, _, _ := strings.Cut(text, " ")
					if seen[id] {
						t.Fatalf("%s was received twice", id)
					}
					seen[id] = true
					if want := strings.Repeat(id+" "+padding, chunks); !strings.HasPrefix(want, text) {
						t.Fatalf("%q is no part of message %s", text, id)
					}
				}
				if wholes != each {
					t.Errorf("%d messages of WriteMessage, want %d", wholes, each)
				}
			})
		}
	}
}

const padding = "chunks of a length that does not divide the buffer;"

// writeChunks writes a message in pieces, in three ways, until somebody else ends it.
func writeChunks(c *Conn, g, n, chunks int) error {
	w, err := c.NextWriter(TextMessage)
	if err != nil {
		return err
	}
	chunk := fmt.Sprintf("%d.%d %s", g, n, padding)
	for i := range chunks {
		switch (n + i) % 3 {
		case 0:
			_, err = w.Write([]byte(chunk))
		case 1:
			_, err = io.WriteString(w, chunk)
		default:
			_, err = io.Copy(w, bytes.NewBufferString(chunk))
		}
		if err == errWriterClosed {
			return nil
		} else if err != nil {
			return err
		}
	}
	if err := w.Close(); err != errWriterClosed {
		return err
	}
	return nil
}

// TestAWriteEndsTheWriterOfAnotherGoroutine, which is not asked to take part.
func TestAWriteEndsTheWriterOfAnotherGoroutine(t *testing.T) {
	client, server := pair(t, "plain", Upgrader{}, Dialer{WriteBufferSize: 8})
	for range 100 {
		began, written := make(chan io.WriteCloser), make(chan error)
		go func() {
			w, err := client.NextWriter(TextMessage)
			if err == nil {
				_, err = io.WriteString(w, "longer than the buffer")
			}
			if err != nil {
				t.Error(err)
			}
			began <- w
			written <- client.WriteMessage(TextMessage, []byte("same goroutine"))
		}()
		w := <-began
		if err := client.WriteMessage(TextMessage, []byte("other goroutine")); err != nil {
			t.Fatal(err)
		}
		if err := <-written; err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("late")); err != errWriterClosed {
			t.Errorf("Write: %v, want %v", err, errWriterClosed)
		}
		if err := w.Close(); err != errWriterClosed {
			t.Errorf("Close: %v, want %v", err, errWriterClosed)
		}
		got := map[string]bool{}
		for range 3 {
			_, p, err := server.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			got[string(p)] = true
		}
		if !got["longer than the buffer"] || !got["same goroutine"] || !got["other goroutine"] {
			t.Fatalf("%v", got)
		}
	}
}

// TestAWriteThatWaitsForAWriter ends at its own deadline, and with Close.
func TestAWriteThatWaitsForAWriter(t *testing.T) {
	client, _ := pair(t, "plain", Upgrader{}, Dialer{})
	w, err := client.NextWriter(BinaryMessage)
	if err != nil {
		t.Fatal(err)
	}
	defer inBackground(func() { _, _ = w.Write(make([]byte, 16<<20)) })() // to a peer that takes nothing
	defer client.Close()
	await("wire.(*Conn).Flush(", "TestAWriteThatWaitsForAWriter")
	_ = client.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
	err = client.WriteMessage(BinaryMessage, nil)
	if e, ok := err.(net.Error); !ok || !e.Timeout() {
		t.Errorf("%v, want a timeout", err)
	}
	if _, again := client.NextWriter(BinaryMessage); again == nil {
		t.Error("the error is not final")
	}
}

// TestAMessageInFragmentsBeginsBehindWholeOnes: a write that found no open writer must not wait until one is closed.
func TestAMessageInFragmentsBeginsBehindWholeOnes(t *testing.T) {
	client, server := pair(t, "plain", Upgrader{}, Dialer{WriteBufferSize: 8})
	if err := client.beginWrite(TextMessage); err != nil { // a write that has come so far
		t.Fatal(err)
	}
	w, err := client.NextWriter(TextMessage)
	if err != nil {
		t.Fatal(err)
	}
	wait := inBackground(func() {
		if _, err := io.WriteString(w, "longer than the buffer"); err != nil {
			t.Error(err)
		}
	})
	await("(*writeOrder).awaitWhole(")
	if err := client.engine.Write(t.Context(), TextMessage, []byte("whole"), false); err != nil {
		t.Fatal(err)
	}
	client.order.leave()
	wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"whole", "longer than the buffer"} {
		if _, p, err := server.ReadMessage(); err != nil || string(p) != want {
			t.Errorf("%q, %v; want %q", p, err, want)
		}
	}
}
