package conn

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestTextThatIsNotUTF8IsNotSent: short, long and uncompressed; what comes after it is.
func TestTextThatIsNotUTF8IsNotSent(t *testing.T) {
	for _, kind := range kinds {
		client, server := pair(t, kind)
		for _, text := range []string{"\xff", "cut \xe2\x82", strings.Repeat("x", 100_000) + "\xed\xa0\x80"} {
			if err := client.Write(bg, Text, []byte(text)); err != ErrInvalidUTF8 {
				t.Errorf("%s: Write of %d bytes: %v", kind, len(text), err)
			}
			if err := client.Write(bg, Text, []byte(text), Uncompressed); err != ErrInvalidUTF8 {
				t.Errorf("%s: Write of %d, uncompressed, bytes: %v", kind, len(text), err)
			}
		}
		if s := client.Stats(); s.MessagesOut != 0 {
			t.Errorf("%s: %d messages were counted", kind, s.MessagesOut)
		}
		if err := client.Write(bg, Text, []byte("€")); err != nil {
			t.Fatal(err)
		}
		if _, p, err := server.Read(bg); string(p) != "€" || err != nil {
			t.Errorf("%s: %q, %v", kind, p, err)
		}
	}
}

// TestAWriterTakesTextCutAnywhere, and nothing that makes it invalid: the rest goes on
// as if that had not been tried.
func TestAWriterTakesTextCutAnywhere(t *testing.T) {
	const text = "κόσμε, 😀 and €"
	for cut := range len(text) {
		client, server := pair(t, "pipe")
		w, err := client.Writer(bg, Text)
		if err != nil {
			t.Fatal(err)
		}
		read := make(chan string, 1)
		go func() {
			_, p, _ := server.Read(bg)
			read <- string(p)
		}()
		if n, err := w.Write([]byte(text[:cut])); n != cut || err != nil {
			t.Fatal(n, err)
		}
		if cut%2 == 0 {
			_ = w.Flush()
		}
		for range 2 {
			if n, err := w.Write([]byte("\xff never")); n != 0 || err != ErrInvalidUTF8 {
				t.Errorf("cut at %d: %d taken, %v", cut, n, err)
			}
			if n, err := w.ReadFrom(strings.NewReader("\xff")); n != 0 || err != ErrInvalidUTF8 {
				t.Errorf("cut at %d: %d taken, %v", cut, n, err)
			}
		}
		if n, err := io.Copy(w, iotest.OneByteReader(strings.NewReader(text[cut:]))); n != int64(len(text)-cut) || err != nil {
			t.Errorf("cut at %d: %d copied, %v", cut, n, err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got := <-read; got != text {
			t.Errorf("cut at %d: %q", cut, got)
		}
	}
}

// TestTextMayNotEndWithinACharacter: the message waits for the rest if some of it was
// sent, and is forgotten if not.
func TestTextMayNotEndWithinACharacter(t *testing.T) {
	client, server := pair(t, "tls")
	forgotten, _ := client.Writer(bg, Text)
	_, _ = forgotten.Write([]byte("never \xe2"))
	for _, want := range []error{ErrInvalidUTF8, ErrWriterClosed} {
		if err := forgotten.Close(); err != want {
			t.Errorf("%v, want %v", err, want)
		}
	}
	w, _ := client.Writer(bg, Text)
	_, _ = w.Write([]byte("10 \xe2"))
	_ = w.Flush()
	if err := w.Close(); err != ErrInvalidUTF8 {
		t.Error(err)
	}
	_, _ = w.Write([]byte("\x82\xac"))
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if _, p, err := server.Read(bg); string(p) != "10 €" || err != nil {
		t.Errorf("%q, %v", p, err)
	}
}
