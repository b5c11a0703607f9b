package websocket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/frame"
)

// send writes frames of the server's to its socket, past what it allows.
func send(t *testing.T, server *Conn, frames ...[]byte) {
	t.Helper()
	if _, err := server.NetConn().Write(bytes.Join(frames, nil)); err != nil {
		t.Fatal(err)
	}
}

// raw is a frame of a server's.
func raw(op frame.Opcode, fin bool, payload string) []byte {
	h := frame.Header{Fin: fin, Opcode: op, Length: int64(len(payload))}
	return append(h.Append(nil), payload...)
}

func closeBody(code uint16, reason string) string {
	return string(binary.BigEndian.AppendUint16(nil, code)) + reason
}

func TestAnErrorOfAReadIsFinal(t *testing.T) {
	tooLong := binary.BigEndian.AppendUint64([]byte{0x82, 0x7f}, 1<<63)
	for _, tt := range []struct {
		name   string
		frames [][]byte
		code   frame.StatusCode // that the server is told
		want   error            // nil: any other
	}{
		{"a close frame", [][]byte{raw(frame.Close, true, closeBody(4000, "bye"))}, 4000, &CloseError{4000, "bye"}},
		{"a close frame without a code", [][]byte{raw(frame.Close, true, "")}, frame.NoStatus, &CloseError{CloseNoStatusReceived, ""}},
		{"a close frame in a message", [][]byte{raw(frame.Text, false, "x"), raw(frame.Close, true, closeBody(1001, ""))}, 1001, &CloseError{1001, ""}},
		{"more than the limit", [][]byte{raw(frame.Binary, true, "123456789")}, frame.MessageTooBig, ErrReadLimit},
		{"a length that overflows", [][]byte{tooLong}, frame.ProtocolError, ErrReadLimit},
		{"a close code that may not be sent", [][]byte{raw(frame.Close, true, closeBody(1006, ""))}, frame.ProtocolError, nil},
		{"a close reason that is not UTF-8", [][]byte{raw(frame.Close, true, closeBody(1000, "\xff"))}, frame.InvalidPayload, nil},
		{"text that is not UTF-8", [][]byte{raw(frame.Text, true, "\xff")}, frame.InvalidPayload, nil},
		{"a reserved opcode", [][]byte{raw(3, true, "")}, frame.ProtocolError, nil},
		{"a continuation of nothing", [][]byte{raw(frame.Continuation, true, "")}, frame.ProtocolError, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, server := pair(t, "plain", Upgrader{}, Dialer{})
			client.SetReadLimit(8)
			send(t, server, tt.frames...)
			_, _, err := client.ReadMessage()
			switch want := tt.want.(type) {
			case nil:
				if _, ok := err.(*CloseError); ok || err == nil || err == ErrReadLimit {
					t.Errorf("%v", err)
				}
			case *CloseError:
				if e, ok := err.(*CloseError); !ok || *e != *want {
					t.Errorf("%v, want %v", err, want)
				}
			default:
				if err != want {
					t.Errorf("%v, want %v", err, want)
				}
			}
			if _, _, again := client.NextReader(); again != err {
				t.Errorf("then %v, want the same", again)
			}
			if err := client.WriteMessage(TextMessage, nil); err != ErrCloseSent {
				t.Errorf("a write returns %v, want ErrCloseSent", err)
			}
			_, _, err = server.ReadMessage()
			if e, ok := err.(*CloseError); !ok || e.Code != int(tt.code) {
				t.Errorf("the server reads %v, want %v", err, tt.code)
			}
		})
	}
}

func TestAReadDeadlineIsFinal(t *testing.T) {
	onAll(t, func(t *testing.T, client, server *Conn) {
		if err := client.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		_, _, err := client.ReadMessage()
		if e, ok := err.(net.Error); !ok || !e.Timeout() {
			t.Fatalf("%v, want a timeout", err)
		}
		_ = client.SetReadDeadline(time.Time{})
		if err := server.WriteMessage(TextMessage, []byte("late")); err != nil {
			t.Fatal(err)
		}
		if _, _, again := client.ReadMessage(); again != err {
			t.Errorf("then %v, want the same", again)
		}
		if err := client.WriteMessage(TextMessage, []byte("still")); err != nil {
			t.Errorf("a write: %v", err)
		}
	})
}

// TestAReadDeadlineCanBeMoved by whoever answers a pong: while a read waits.
func TestAReadDeadlineCanBeMoved(t *testing.T) {
	onAll(t, func(t *testing.T, client, server *Conn) {
		defer inBackground(func() { _ = echo(server) })()
		defer client.Close()
		_ = client.SetReadDeadline(time.Now().Add(time.Minute))
		client.SetPongHandler(func(string) error { return client.SetReadDeadline(time.Unix(1, 0)) })
		if err := client.WriteControl(PingMessage, []byte("x"), time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		_, _, err := client.ReadMessage()
		if e, ok := err.(net.Error); !ok || !e.Timeout() {
			t.Errorf("%v, want a timeout", err)
		}
	})
}

func TestTheThousandthReadOfAFailedConnectionPanics(t *testing.T) {
	client, _ := pair(t, "plain", Upgrader{}, Dialer{})
	_ = client.Close()
	reads := 0
	defer func() {
		if recover() == nil || reads != maxReadErrs-1 {
			t.Errorf("%d reads returned", reads)
		}
	}()
	for ; reads < 2*maxReadErrs; reads++ {
		_, _, _ = client.ReadMessage()
	}
}

func TestAMessageThatIsNotReadIsDiscarded(t *testing.T) {
	onAll(t, func(t *testing.T, client, server *Conn) {
		wait := inBackground(func() {
			for _, m := range [][]byte{bytes.Repeat([]byte("x"), 100_000), []byte("second")} {
				if err := server.WriteMessage(BinaryMessage, m); err != nil {
					t.Error(err)
				}
			}
		})
		_, first, err := client.NextReader()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(first, make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		_, second, err := client.NextReader()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := first.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("the first message: %d, %v", n, err)
		}
		if p, err := io.ReadAll(second); err != nil || string(p) != "second" {
			t.Errorf("%q, %v", p, err)
		}
		wait()
	})
}

func TestAMessageThatBreaksOff(t *testing.T) {
	client, server := pair(t, "plain", Upgrader{}, Dialer{})
	send(t, server, raw(frame.Binary, false, "begin"))
	_, r, err := client.NextReader()
	if err != nil {
		t.Fatal(err)
	}
	_ = server.Close()
	p, err := io.ReadAll(r)
	if e, ok := err.(*CloseError); !ok || e.Code != CloseAbnormalClosure || string(p) != "begin" {
		t.Errorf("%q, %v", p, err)
	}
}

func TestJoinedMessages(t *testing.T) {
	client, server := pair(t, "plain", Upgrader{}, Dialer{})
	for _, m := range []string{"a", "", "bc"} {
		if err := server.WriteMessage(TextMessage, []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	if err := server.WriteMessage(CloseMessage, FormatCloseMessage(CloseNormalClosure, "")); err != nil {
		t.Fatal(err)
	}
	p, err := io.ReadAll(JoinMessages(client, ";"))
	if string(p) != "a;;bc;" || !IsCloseError(err, CloseNormalClosure) {
		t.Errorf("%q, %v", p, err)
	}
}

func TestJSONThatIsCut(t *testing.T) {
	client, server := pair(t, "plain", Upgrader{}, Dialer{})
	for _, m := range []string{"", "{", `{"A":`, `{"A":1} {`} {
		if err := server.WriteMessage(TextMessage, []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	var v struct{ A int }
	for range 3 {
		if err := client.ReadJSON(&v); err != io.ErrUnexpectedEOF {
			t.Errorf("%v, want io.ErrUnexpectedEOF", err)
		}
	}
	if err := ReadJSON(client, &v); err != nil || v.A != 1 {
		t.Errorf("%+v, %v", v, err)
	}
	if err := WriteJSON(client, func() {}); err == nil {
		t.Error("a function was encoded")
	}
	if err := WriteJSON(client, v); err != nil {
		t.Error(err)
	}
	if _, p, err := server.ReadMessage(); err != nil || string(p) != "{\"A\":1}\n" {
		t.Errorf("%q, %v", p, err)
	}
}

func TestErrorsOfHandlersEndTheRead(t *testing.T) {
	mine := errors.New("mine")
	for name, tt := range map[string]struct {
		op  frame.Opcode
		set func(*Conn)
	}{
		"ping":  {frame.Ping, func(c *Conn) { c.SetPingHandler(func(string) error { return mine }) }},
		"pong":  {frame.Pong, func(c *Conn) { c.SetPongHandler(func(string) error { return mine }) }},
		"close": {frame.Close, func(c *Conn) { c.SetCloseHandler(func(int, string) error { return mine }) }},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := pair(t, "plain", Upgrader{}, Dialer{})
			tt.set(client)
			send(t, server, raw(tt.op, true, ""))
			if _, _, err := client.ReadMessage(); err != mine {
				t.Errorf("%v", err)
			}
			if err := client.WriteMessage(TextMessage, nil); err != nil {
				t.Errorf("a write: %v", err)
			}
		})
	}
}
