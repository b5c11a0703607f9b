package conn

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// What goes wrong only where the peer takes little at a time, found by
// fuzz.FuzzConversation.

// narrow returns two connected ends, for a synctest bubble, between which few bytes find room.
func narrow(room int) (client, server *Conn) {
	a, b := pipe.New(room)
	set := newSettings(0, 0, -1, 0)
	return newConn(transport.New(a), frame.Client, "", set, nil, nil), newConn(transport.New(b), frame.Server, "", set, nil, nil)
}

// TestTwoThatServeAndWriteDoNotWaitForEachOther: both send more than fits, and read all the
// while, whatever is still to be sent.
func TestTwoThatServeAndWriteDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := narrow(1 << 10)
		var all sync.WaitGroup
		for _, c := range []*Conn{client, server} {
			got := 0
			all.Go(func() {
				err := c.Serve(bg, func(_ *Conn, m Message) error {
					got += len(m.Data)
					return nil
				})
				if err != nil || got != 20*70_000+20*50 {
					t.Errorf("%d bytes, %v", got, err)
				}
			})
			all.Go(func() {
				for range 20 {
					err := errors.Join(c.Write(bg, Binary, make([]byte, 70_000)), c.Write(bg, Binary, make([]byte, 50)))
					if err != nil {
						t.Error(err)
					}
				}
				if c == client {
					time.Sleep(time.Second) // the server is done, too
					_ = c.Close(StatusNormalClosure, "")
				}
			})
		}
		began := time.Now()
		all.Wait()
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// TestACloseFrameThatWaitsLeavesBeforeTheStreamEnds, though the peer's comes meanwhile.
func TestACloseFrameThatWaitsLeavesBeforeTheStreamEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, b := pipe.New(64)
		server := newConn(transport.New(b), frame.Server, "", newSettings(0, 0, -1, 0), nil, nil)
		var calls sync.WaitGroup
		calls.Go(func() { _, _, _ = server.Read(bg) })
		calls.Go(func() {
			if err := server.Write(bg, Binary, make([]byte, 1000)); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		calls.Go(func() {
			if err := server.Close(StatusGoingAway, ""); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Close}, "\x03\xe8"))
		synctest.Wait()
		if h, p := readFrame(t, peer); h.Opcode != frame.Binary || len(p) != 1000 {
			t.Errorf("%v of %d bytes", h.Opcode, len(p))
		}
		if h, p := readFrame(t, peer); h.Opcode != frame.Close || p != "\x03\xe9" {
			t.Errorf("%v %q", h.Opcode, p)
		}
		if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
			t.Error(err)
		}
		_ = peer.Close()
		calls.Wait()
	})
}

// TestCloseReadsWhileItsFrameWaits: the peer sends, and reads when it has sent.
func TestCloseReadsWhileItsFrameWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := narrow(1 << 10)
		var calls sync.WaitGroup
		calls.Go(func() { _ = client.Write(bg, Binary, make([]byte, 20_000)) })
		calls.Go(func() {
			if err := server.Write(bg, Binary, make([]byte, 20_000)); err != nil {
				t.Error(err)
			}
			if _, p, err := server.Read(bg); len(p) != 20_000 || err != nil {
				t.Error(len(p), err)
			}
			if _, _, err := server.Read(bg); CloseStatus(err) != StatusNormalClosure {
				t.Error(err)
			}
		})
		synctest.Wait()
		began := time.Now()
		if err := client.Close(StatusNormalClosure, ""); err != nil || time.Since(began) > time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		calls.Wait()
	})
}

// TestAWriterSaysHowMuchOfAPieceItTook: what it took arrives once, and nothing else.
func TestAWriterSaysHowMuchOfAPieceItTook(t *testing.T) {
	for _, size := range []int{10_000, 20_000} {
		synctest.Test(t, func(t *testing.T) {
			client, server := narrow(1 << 10)
			ctx, cancel := context.WithTimeout(bg, time.Second)
			defer cancel()
			w, err := server.Writer(ctx, Binary)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := w.Write(make([]byte, 10_000)); n != 10_000 || err != nil {
				t.Fatal(n, err)
			}
			took, err := w.Write(make([]byte, size))
			if _, later := resumable(err); later != (took == size) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%d, %v", took, err)
			}
			w.SetContext(bg)
			read := make(chan int)
			go func() {
				_, p, _ := client.Read(bg)
				read <- len(p)
			}()
			if n, err := w.Write(make([]byte, size-took)); n != size-took || err != nil {
				t.Error(n, err)
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			if n := <-read; n != 10_000+size {
				t.Errorf("%d bytes arrived of %d", n, 10_000+size)
			}
			_, _ = client.CloseNow(), server.CloseNow()
		})
	}
}

func TestAPieceThatIsInterruptedWasTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := narrow(1 << 10)
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		w, err := server.Writer(ctx, Binary)
		if err != nil {
			t.Fatal(err)
		}
		n, err := w.Write(make([]byte, 20_000))
		if _, ok := resumable(err); !ok || n != 20_000 {
			t.Errorf("%d, %v", n, err)
		}
		w.SetContext(bg)
		go func() { _ = w.Close() }()
		if _, p, err := client.Read(bg); len(p) != 20_000 || err != nil {
			t.Error(len(p), err)
		}
		_, _ = client.CloseNow(), server.CloseNow()
	})
}

// TestFlushSaysThatWhatWasBufferedIsLost when the connection has ended.
func TestFlushSaysThatWhatWasBufferedIsLost(t *testing.T) {
	_, server := pair(t, "pipe")
	err := server.Cork(func() error {
		if err := server.Write(bg, Text, []byte("buffered")); err != nil {
			t.Fatal(err)
		}
		_ = server.CloseNow()
		return server.Flush(bg)
	})
	if err == nil || err != server.life.err() {
		t.Errorf("got %v, want %v", err, server.life.err())
	}
}

// TestAStreamThatBreaksOffHoldsNoWindow: between its pieces the compressor holds one, even
// without context takeover.
func TestAStreamThatBreaksOffHoldsNoWindow(t *testing.T) {
	for _, closed := range []bool{false, true} { // the stream, before the connection
		bufpool.Track(true)
		_, server := compressedPair(t, "pipe", params["none"], Compression{Threshold: -1})
		w, err := server.Writer(bg, Text)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(make([]byte, 100))
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if closed {
			w.SetContext(soon(t))
			_ = w.Close()
		}
		_ = server.CloseNow()
		_ = w.Close()
		if n := outstanding(); n != 0 {
			t.Errorf("%d buffers held", n)
		}
		bufpool.Track(false)
	}
}
