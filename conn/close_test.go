package conn

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/internal/wheel"
)

func TestCloseFromEitherSideOnEveryTransport(t *testing.T) {
	for _, kind := range kinds {
		for _, who := range []string{"client", "server", "both"} {
			client, server := pair(t, kind)
			a, b := client, server
			if who == "server" {
				a, b = server, client
			}
			other := make(chan error, 1)
			go func() {
				if who == "both" {
					other <- b.Close(StatusGoingAway, "at once")
					return
				}
				_, _, err := b.Read(bg)
				other <- err
			}()
			if err := a.Close(4000, "bye ✓"); err != nil {
				t.Errorf("%s, %s: %v", kind, who, err)
			}
			err := <-other
			if who == "both" {
				if err != nil {
					t.Errorf("%s: the other close: %v", kind, err)
				}
				continue
			}
			e, ok := errors.AsType[*CloseError](err)
			if !ok || e.Code != 4000 || e.Reason != "bye ✓" || !e.Remote {
				t.Errorf("%s, %s: the peer saw %v", kind, who, err)
			}
			if err := a.Close(StatusNormalClosure, ""); err != nil {
				t.Errorf("a second close: %v", err)
			}
			if err := b.Close(StatusNormalClosure, ""); err != nil {
				t.Errorf("a close after the peer's: %v", err)
			}
			if err := a.CloseNow(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("CloseNow after it: %v", err)
			}
		}
	}
}

func TestCloseChecksItsArguments(t *testing.T) {
	client, server := pair(t, "pipe")
	for _, tt := range []struct {
		code   StatusCode
		reason string
	}{
		{StatusAbnormal, ""}, {1004, ""}, {999, ""}, {5000, ""}, {0, ""},
		{StatusNormalClosure, strings.Repeat("x", 124)}, {StatusNormalClosure, "\xff"},
		{StatusNoStatus, "reason"},
	} {
		if err := client.Close(tt.code, tt.reason); err == nil {
			t.Errorf("%d %q was accepted", tt.code, tt.reason)
		}
	}
	served := echo(server)
	if err := client.Write(bg, Text, []byte("open still")); err != nil {
		t.Fatal(err)
	}
	if _, p, err := client.Read(bg); string(p) != "open still" || err != nil {
		t.Fatal(p, err)
	}
	if err := client.Close(StatusNoStatus, ""); err != nil {
		t.Error(err)
	}
	if err := <-served; CloseStatus(err) != StatusNoStatus {
		t.Errorf("the server saw %v", err)
	}
}

// TestCloseFramesOfThePeer are answered as §5.5.1 and §7.4 say, whatever they hold.
func TestCloseFramesOfThePeer(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		code       StatusCode // what our side reports
		answer     string
	}{
		{"empty", "", StatusNoStatus, ""},
		{"code", "\x03\xe8", StatusNormalClosure, "\x03\xe8"},
		{"code and reason", "\x03\xe9bye", StatusGoingAway, "\x03\xe9"},
		{"one byte", "\x03", StatusProtocolError, "\x03\xea"},
		{"reserved code", "\x03\xed", StatusProtocolError, "\x03\xea"},
		{"bad reason", "\x03\xe8\xff", StatusInvalidPayload, "\x03\xef"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			peer, server := raw(t, "tls")
			ended := make(chan error, 1)
			go func() {
				_, _, err := server.Read(bg)
				ended <- err
			}()
			_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Close}, tt.body))
			h, p := readFrame(t, peer)
			if h.Opcode != frame.Close || !strings.HasPrefix(p, tt.answer) || tt.answer == "" && p != "" {
				t.Errorf("answered %v %q", h.Opcode, p)
			}
			if n, err := peer.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("behind the answer: %d bytes, %v", n, err)
			}
			_ = peer.Close()
			if err := <-ended; CloseStatus(err) != tt.code {
				t.Errorf("reported %v", err)
			}
		})
	}
}

// TestNothingFollowsACloseFrame: not a message, not a pong, and what the peer sends
// behind its own is not looked at.
func TestNothingFollowsACloseFrame(t *testing.T) {
	peer, server := raw(t, "tls")
	closed := make(chan error, 1)
	go func() { closed <- server.Close(StatusNormalClosure, "") }()
	if h, _ := readFrame(t, peer); h.Opcode != frame.Close {
		t.Fatal(h.Opcode)
	}
	if err := server.Write(bg, Text, []byte("late")); CloseStatus(err) != StatusNormalClosure {
		t.Errorf("a write behind it: %v", err)
	}
	if _, err := server.Writer(bg, Text); err == nil {
		t.Error("a writer behind it")
	}
	for _, f := range [][]byte{
		masked(frame.Header{Fin: true, Opcode: frame.Ping}, "no answer"),
		masked(frame.Header{Fin: true, Opcode: frame.Text}, "discarded"),
		masked(frame.Header{Fin: true, Opcode: frame.Close}, "\x03\xe8"),
		[]byte("\xff\xff not a frame at all"),
	} {
		_, _ = peer.Write(f)
	}
	if n, err := peer.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("behind the close frame: %d bytes, %v", n, err)
	}
	_ = peer.Close()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestClosingIsBoundedInTime(t *testing.T) {
	for _, step := range []string{"peer never answers", "peer never reads", "peer answers and stays"} {
		t.Run(step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := pipe.New(1 << 10)
				server := newConn(transport.New(b), frame.Server, "", newSettings(0, 0, -1, 0), nil, nil)
				blocked := make(chan error, 1)
				switch step {
				case "peer never reads":
					go func() { blocked <- server.Write(bg, Binary, make([]byte, 1<<20)) }()
					synctest.Wait()
				case "peer answers and stays":
					_, _ = a.Write(masked(frame.Header{Fin: true, Opcode: frame.Close}, ""))
				}
				began := time.Now()
				err := server.Close(StatusNormalClosure, "")
				took := time.Since(began)
				switch step {
				case "peer answers and stays":
					if err != nil || took > lingerTimeout {
						t.Errorf("%v after %v", err, took)
					}
				default:
					if !errors.Is(err, ErrCloseTimeout) || took != DefaultCloseTimeout {
						t.Errorf("%v after %v", err, took)
					}
				}
				if step == "peer never reads" {
					if err := <-blocked; !errors.Is(err, ErrCloseTimeout) {
						t.Errorf("the write says %v", err)
					}
				}
				if _, err := a.Write([]byte("x")); err == nil {
					t.Error("the socket is open still")
				}
				_ = a.Close()
			})
		})
	}
}

// dawdling is a net.Conn on which all else goes on before a write deadline to come is set: so the
// end of an old context falls into the closing of TLS, which sets one.
type dawdling struct{ *pipe.End }

func (d dawdling) SetWriteDeadline(t time.Time) error {
	err := d.End.SetWriteDeadline(t)
	if t.After(time.Now()) {
		synctest.Wait()
	}
	return err
}

// TestAClosingHandshakeTakesNoTime but that of the network: whoever has answered ends its stream
// at once, whatever it travels over.
func TestAClosingHandshakeTakesNoTime(t *testing.T) {
	for _, kind := range []string{"plain", "tls", "stream"} {
		for range 50 {
			synctest.Test(t, func(t *testing.T) {
				a, b := pipe.New(1 << 14)
				near, far := net.Conn(a), net.Conn(dawdling{b})
				if kind != "plain" {
					near, far = overTLS(t, near, far, kind == "tls")
				}
				server := newConn(transport.New(far), frame.Server, "", newSettings(0, 0, -1, 0), nil, nil)
				began := time.Now()
				served := make(chan error, 1)
				go func() { served <- server.Serve(bg, echoBack) }()
				for _, f := range [][]byte{
					masked(frame.Header{Fin: true, Opcode: frame.Text}, "hello"),
					masked(frame.Header{Fin: true, Opcode: frame.Close}, "\x03\xe8"),
				} {
					if _, err := near.Write(f); err != nil {
						t.Fatal(err)
					}
					readFrame(t, near)
				}
				if n, err := near.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Errorf("%s: %d bytes behind the close frame, %v", kind, n, err)
				}
				if took := time.Since(began); took != 0 {
					t.Errorf("%s: the stream ended after %v", kind, took)
				}
				_ = near.Close()
				if err := <-served; err != nil {
					t.Errorf("%s: %v", kind, err)
				}
			})
		}
	}
}

func TestMessagesOnTheirWayAreReadWhileClosing(t *testing.T) {
	client, server := pair(t, "tls")
	if err := client.Write(bg, Text, []byte("last words")); err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	go func() {
		_, p, _ := server.Read(bg)
		got <- string(p)
		_, _, _ = server.Read(bg)
	}()
	if err := client.Close(StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	if p := <-got; p != "last words" {
		t.Errorf("got %q", p)
	}
}

// TestAnAnsweredCloseIsOurOwn: the peer's frame then only answers. Another code is the
// peer's own frame, which has crossed ours.
func TestAnAnsweredCloseIsOurOwn(t *testing.T) {
	for _, tt := range []struct{ answer, code, token string }{
		{"\x0f\xa0", "4000", "local"}, {"\x0f\xa1", "4001", "peer"}, {"", "1005", "peer"},
	} {
		for _, kind := range kinds {
			peer, server := raw(t, kind)
			closed := make(chan error, 1)
			go func() { closed <- server.Close(4000, "bye") }()
			readFrame(t, peer)
			if _, err := peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Close}, tt.answer)); err != nil {
				t.Fatal(err)
			}
			go func() { // the server waits for the end of our stream
				_, _ = io.Copy(io.Discard, peer)
				_ = peer.Close()
			}()
			if err := <-closed; err != nil {
				t.Errorf("%s, answer %q: %v", kind, tt.answer, err)
			}
			_, _, err := server.Read(bg)
			why, _ := errors.AsType[*CloseError](err)
			if why == nil || fmt.Sprint(int(why.Code)) != tt.code || why.Token() != tt.token ||
				why.Remote != (tt.token == "peer") || (why.Err == net.ErrClosed) == why.Remote || !errors.Is(err, net.ErrClosed) || (why.Reason == "bye") == why.Remote {
				t.Errorf("%s, answer %q: %+v", kind, tt.answer, why)
			}
		}
	}
}

// TestTheAnswerToACloseWaitsForWhatIsBeforeIt, within CloseTimeout: a slow peer gets all that
// was sent, and then the close frame.
func TestTheAnswerToACloseWaitsForWhatIsBeforeIt(t *testing.T) {
	inBubble(t, answersACloseBehindWhatIsBeforeIt)
}

func answersACloseBehindWhatIsBeforeIt(t *testing.T) {
	a, b := pipe.New(1 << 10)
	server := newConn(transport.New(b), frame.Server, "", newSettings(0, time.Minute, -1, 0), nil, nil)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(bg, func(*Conn, Message) error { return nil }) }()
	if err := server.Send(bg, prepare(t, Binary, strings.Repeat("x", 64<<10))); err != nil {
		t.Fatal(err)
	}
	_, _ = a.Write(masked(frame.Header{Fin: true, Opcode: frame.Close}, "\x03\xe8"))
	select {
	case err := <-ended:
		t.Fatalf("ended before all was sent: %v", err)
	case <-time.After(2*lingerTimeout + lingerTimeout/4):
	}
	if h, _ := readFrame(t, a); h.Length != 64<<10 {
		t.Errorf("got %+v", h)
	}
	if h, p := readFrame(t, a); h.Opcode != frame.Close || p != "\x03\xe8" {
		t.Errorf("got %+v, %q", h, p)
	}
	_ = a.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestCloseFramesThatCross: ours is still behind a message when the peer's comes, and leaves
// all the same before our stream ends, however slow the peer is within CloseTimeout.
func TestCloseFramesThatCross(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe.New(1 << 10)
		set := newSettings(0, 0, -1, 0)
		set.wheel = new(wheel.Wheel) // of the bubble's time
		server := newConn(transport.New(b), frame.Server, "", set, nil, nil)
		ended, written := make(chan error, 1), make(chan error, 1)
		go func() { ended <- server.Serve(bg, func(*Conn, Message) error { return nil }) }()
		synctest.Wait()
		go func() { written <- server.Write(bg, Binary, make([]byte, 64<<10)) }()
		synctest.Wait()
		server.startClose(4000, "")
		_, _ = a.Write(masked(frame.Header{Fin: true, Opcode: frame.Close}, "\x0f\xa1"))
		time.Sleep(DefaultCloseTimeout / 2) // of the bubble
		if h, _ := readFrame(t, a); h.Length != 64<<10 {
			t.Errorf("got %+v", h)
		}
		if h, p := readFrame(t, a); h.Opcode != frame.Close || p != "\x0f\xa0" {
			t.Errorf("got %+v, %q", h, p)
		}
		_ = a.Close()
		if err := <-ended; CloseStatus(err) != 4001 {
			t.Error(err)
		}
		if err := <-written; err != nil {
			t.Errorf("the write says %v", err)
		}
	})
}

func TestFailingTheConnectionNamesTheRule(t *testing.T) {
	for _, tt := range []struct {
		name  string
		frame []byte
		want  *frame.Error
	}{
		{"reserved bit", masked(frame.Header{Fin: true, Opcode: frame.Text, RSV: frame.RSV2}, ""), frame.ErrReservedBits},
		{"compressed without negotiation", masked(frame.Header{Fin: true, Opcode: frame.Text, RSV: frame.RSV1}, ""), frame.ErrReservedBits},
		{"reserved opcode", masked(frame.Header{Fin: true, Opcode: 3}, ""), frame.ErrReservedOpcode},
		{"unmasked", []byte("\x81\x01x"), frame.ErrUnmasked},
		{"continuation of nothing", masked(frame.Header{Fin: true}, ""), frame.ErrNoMessage},
		{"long ping", masked(frame.Header{Fin: true, Opcode: frame.Ping}, strings.Repeat("x", 126)), frame.ErrControlTooLong},
		{"text that is not UTF-8", masked(frame.Header{Fin: true, Opcode: frame.Text}, "\xc0"), frame.ErrInvalidUTF8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			peer, server := raw(t, "tls")
			go func() { _, _ = peer.Write(tt.frame) }()
			ended := make(chan error, 1)
			go func() {
				_, _, err := server.Read(bg)
				ended <- err
			}()
			h, p := readFrame(t, peer)
			if h.Opcode != frame.Close || p[2:] != tt.want.Reason || StatusCode(p[0])<<8|StatusCode(p[1]) != tt.want.Code {
				t.Errorf("the peer was told %v %q", h.Opcode, p)
			}
			_ = peer.Close()
			if err := <-ended; !errors.Is(err, tt.want) || CloseStatus(err) != tt.want.Code {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestTheCloseFrameOfAnErrorIsAlone: our stream ends closeNotifyDelay later, whatever the peer sends meanwhile.
func TestTheCloseFrameOfAnErrorIsAlone(t *testing.T) {
	wrong := masked(frame.Header{Fin: true, Opcode: 3}, "")
	more := masked(frame.Header{Fin: true, Opcode: frame.Binary}, "more")
	for _, tt := range []struct {
		name   string
		sent   []byte
		answer time.Duration // negative: never
	}{
		{"a peer that does not answer", wrong, -1},
		{"a peer that has sent more", slices.Concat(wrong, more), -1},
		{"a peer that answers", wrong, closeNotifyDelay / 5},
		{"a peer that answers late", wrong, 2 * closeNotifyDelay},
	} {
		for name, receive := range map[string]func(*Conn){
			"Read":  func(c *Conn) { _, _, _ = c.Read(bg) },
			"Serve": func(c *Conn) { _ = c.Serve(bg, echoBack) },
		} {
			t.Run(tt.name+","+name, func(t *testing.T) {
				inTime(t, func(t *testing.T) {
					peer, server := rawBubble()
					ended := make(chan struct{})
					go func() {
						receive(server)
						close(ended)
					}()
					_, _ = peer.Write(tt.sent)
					if h, _ := readFrame(t, peer); h.Opcode != frame.Close {
						t.Errorf("got %v", h.Opcode)
					}
					began := time.Now()
					if tt.answer >= 0 {
						time.AfterFunc(tt.answer, func() { _, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Close}, "")) })
					}
					if n, err := peer.Read(make([]byte, 1)); err != io.EOF {
						t.Errorf("behind the close frame: %d bytes, %v", n, err)
					}
					if took := time.Since(began); took != closeNotifyDelay {
						t.Errorf("the stream ended %v behind the close frame, want %v", took, closeNotifyDelay)
					}
					time.Sleep(tt.answer)
					_ = peer.Close()
					<-ended
				})
			})
		}
	}
}

func TestAMaskedFrameFromTheServerIsRefused(t *testing.T) {
	cn, sn := ends(t, "tls")
	client := newConn(transport.New(cn), frame.Client, "", newSettings(0, 0, 0, 0), nil, nil)
	defer client.CloseNow()
	_, _ = sn.Write(masked(frame.Header{Fin: true, Opcode: frame.Text}, "x"))
	_ = sn.(interface{ CloseWrite() error }).CloseWrite()
	if _, _, err := client.Read(bg); !errors.Is(err, frame.ErrMasked) || CloseStatus(err) != StatusProtocolError {
		t.Errorf("got %v", err)
	}
	_ = sn.Close()
}

// TestTheConnectionsEndCountsForMoreThanTheContexts: its own context ends with it, and
// calls that use it are to say how.
func TestTheConnectionsEndCountsForMoreThanTheContexts(t *testing.T) {
	for range 100 {
		client, server := pair(t, "pipe")
		served := make(chan error, 1)
		go func() {
			served <- server.Serve(server.Context(), func(*Conn, Message) error { return nil })
		}()
		read := make(chan error, 1)
		go func() {
			_, _, err := client.Read(client.Context())
			read <- err
		}()
		if err := client.Close(StatusNormalClosure, ""); err != nil {
			t.Fatal(err)
		}
		if err := <-read; CloseStatus(err) != StatusNormalClosure {
			t.Fatalf("read: %v", err)
		}
		if err := <-served; err != nil {
			t.Fatalf("Serve: %v", err)
		}
		ctx := client.Context()
		_, _, readErr := client.Read(ctx)
		_, pingErr := client.Ping(ctx)
		_, writerErr := client.Writer(ctx, Text)
		for _, err := range []error{
			readErr, pingErr, writerErr, client.Write(ctx, Text, nil), client.Write(ctx, Text, make([]byte, 100_000)),
		} {
			if CloseStatus(err) != StatusNormalClosure {
				t.Fatalf("afterwards: %v", err)
			}
		}
	}
}

// TestAFailedWriteDoesNotHideTheCloseFrame that the peer sent before it was gone.
func TestAFailedWriteDoesNotHideTheCloseFrame(t *testing.T) {
	for _, kind := range []string{"plain", "pipe"} {
		for _, reading := range []string{"another goroutine", "afterwards", "Close", "Serve"} {
			cn, sn := ends(t, kind)
			client := newConn(transport.New(cn), frame.Client, "", newSettings(0, 0, 0, 0), nil, nil)
			read := make(chan error, 1)
			if reading == "another goroutine" {
				go func() {
					_, _, err := client.Read(bg)
					read <- err
				}()
			}
			_, _ = sn.Write([]byte("\x81\x01x")[:map[bool]int{true: 3}[reading == "Serve"]])
			fin := make(chan struct{})
			go func() {
				defer close(fin)
				_, _ = io.ReadFull(sn, make([]byte, 10))
				_, _ = sn.Write([]byte("\x88\x02\x03\xf1"))
				_ = sn.Close() // with data unread: a reset
			}()
			write := func() error { return client.Write(bg, Binary, make([]byte, 16<<20)) }
			var err error
			if reading == "Serve" {
				err = client.Serve(bg, func(*Conn, Message) error { return write() })
			} else {
				if err := write(); CloseStatus(err) == 0 {
					t.Errorf("%s, %s: write: %v", kind, reading, err)
				}
				switch reading {
				case "Close":
					if err := client.Close(StatusNormalClosure, ""); err != nil {
						t.Errorf("%s: close: %v", kind, err)
					}
					_, _, err = client.Read(bg)
				case "afterwards":
					_, _, err = client.Read(bg)
				default:
					err = <-read
				}
			}
			<-fin
			if CloseStatus(err) != StatusMessageTooBig {
				t.Errorf("%s, %s: %v", kind, reading, err)
			}
			_ = client.CloseNow()
		}
	}
}
