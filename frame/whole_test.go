package frame

import (
	"strings"
	"testing"
)

// TestAWholeMessageInOneFrameIsMarkedAsItIs: the fast way is for what is not compressed.
func TestAWholeMessageInOneFrameIsMarkedAsItIs(t *testing.T) {
	for _, role := range []Role{Server, Client} {
		for _, tt := range []struct {
			name    string
			header  Header
			payload string
			want    Event
		}{
			{"compressed text, which is no UTF-8", Header{Fin: true, RSV: RSV1, Opcode: Text}, "\xff\xfe", Event{Opcode: Text, Compressed: true}},
			{"compressed binary", Header{Fin: true, RSV: RSV1, Opcode: Binary}, "\xff", Event{Opcode: Binary, Compressed: true}},
			{"text", Header{Fin: true, Opcode: Text}, "text", Event{Opcode: Text}},
			{"binary", Header{Fin: true, Opcode: Binary}, "\xff", Event{Opcode: Binary}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				r := &Receiver{Role: role, Compression: true}
				input := wire(role, tt.header, tt.payload)
				ev, n, err := r.Next(input)
				if err != nil || n != len(input) || string(ev.Payload) != tt.payload {
					t.Fatalf("%d of %d bytes, %q, %v", n, len(input), ev.Payload, err)
				}
				ev.Payload = nil
				tt.want.Kind, tt.want.First, tt.want.Final = Data, true, true
				if ev.Kind != tt.want.Kind || ev.Opcode != tt.want.Opcode || ev.First != tt.want.First ||
					ev.Final != tt.want.Final || ev.Compressed != tt.want.Compressed {
					t.Errorf("got %+v, want %+v", ev, tt.want)
				}
				if r.Pending() {
					t.Error("the message is not over")
				}
			})
		}
	}
}

// TestHowLongAControlFrameMayBe: 125 bytes (RFC 6455 §5.5).
func TestHowLongAControlFrameMayBe(t *testing.T) {
	for _, tt := range []struct {
		name string
		n    int
		err  error
	}{
		{"nothing", 0, nil},
		{"125 bytes", 125, nil},
		{"126 bytes", 126, ErrControlTooLong},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &Receiver{Role: Server}
			payload := strings.Repeat("p", tt.n)
			ev, _, err := r.Next(wire(Server, Header{Fin: true, Opcode: Ping}, payload))
			if err != tt.err || err == nil && (ev.Kind != Control || string(ev.Payload) != payload) {
				t.Errorf("%+v, %v", ev, err)
			}
		})
	}
}
