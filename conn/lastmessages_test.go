package conn

import (
	"io"
	"testing"
	"testing/synctest"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// stuck returns a server in a bubble that has queued messages for a peer that has taken nothing.
func stuck(t *testing.T, messages int) (*pipe.End, *Conn) {
	t.Helper()
	peer, b := pipe.New(1 << 10)
	server := newConn(transport.New(b), frame.Server, "", newSettings(0, 0, -1, 0), nil, nil)
	long := prepare(t, Binary, string(make([]byte, 40_000)))
	for range messages {
		if err := server.Send(bg, long); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Wait()
	if n := server.send.pending() - server.transport.Pending(); n == 0 {
		t.Fatal("nothing is queued")
	}
	return peer, server
}

// TestQueuedMessagesLeaveBeforeOurCloseFrame, on every way to close in an orderly manner, and nothing behind it.
func TestQueuedMessagesLeaveBeforeOurCloseFrame(t *testing.T) {
	const messages = 6
	for _, tt := range []struct {
		name  string
		serve bool
		close func(c *Conn)
	}{
		{"Close", false, func(c *Conn) { go c.Close(StatusNormalClosure, "") }},
		{"Close while Serve runs", true, func(c *Conn) { go c.Close(StatusNormalClosure, "") }},
		{"the group's way to close", false, func(c *Conn) { c.startClose(StatusNormalClosure, "") }},
		{"the group's way to close while Serve runs", true, func(c *Conn) { c.startClose(StatusNormalClosure, "") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				peer, server := stuck(t, messages)
				served := make(chan error, 1)
				if tt.serve {
					go func() { served <- server.Serve(bg, func(*Conn, Message) error { return nil }) }()
					synctest.Wait()
				}
				tt.close(server)
				synctest.Wait()
				if err := server.Send(bg, prepare(t, Text, "late")); err == nil {
					t.Error("a message was taken behind the close frame")
				}
				for i := range messages {
					if h, _ := readFrame(t, peer); h.Opcode != frame.Binary || h.Length != 40_000 {
						t.Fatalf("message %d: %+v", i, h)
					}
				}
				if h, p := readFrame(t, peer); h.Opcode != frame.Close || p != "\x03\xe8" {
					t.Errorf("after the messages: %+v, %q", h, p)
				}
				_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Close}, "\x03\xe8"))
				if rest, err := io.ReadAll(peer); len(rest) != 0 || err != nil {
					t.Errorf("behind the close frame: %d bytes, %v", len(rest), err)
				}
				_ = peer.Close()
				<-server.Context().Done()
				if code := CloseStatus(server.life.err()); code != StatusNormalClosure {
					t.Errorf("ended with %v", server.life.err())
				}
				if tt.serve {
					<-served
				}
			})
		})
	}
}

// TestAPeerThatHalfClosesGetsWhatIsOnItsWay, however the connection is read.
func TestAPeerThatHalfClosesGetsWhatIsOnItsWay(t *testing.T) {
	const messages = 3
	for _, how := range []string{"Read", "Serve", "Go"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				peer, server := stuck(t, messages)
				ended := make(chan error, 1)
				ignore := func(*Conn, Message) error { return nil }
				switch how {
				case "Read":
					go func() {
						_, _, err := server.Read(bg)
						ended <- err
					}()
				case "Serve":
					go func() { ended <- server.Serve(bg, ignore) }()
				case "Go":
					server.ServeInBackground(ignore, func(err error) { ended <- err })
				}
				synctest.Wait()
				_ = peer.CloseWrite()
				for i := range messages {
					if h, _ := readFrame(t, peer); h.Opcode != frame.Binary || h.Length != 40_000 {
						t.Fatalf("message %d: %+v", i, h)
					}
				}
				_, _ = io.Copy(io.Discard, peer)
				if err := <-ended; CloseStatus(err) != StatusAbnormal {
					t.Errorf("ended with %v", err)
				}
				_ = peer.Close()
			})
		})
	}
}
