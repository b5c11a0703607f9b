package frame

import "testing"

func TestOpcodesAreClassified(t *testing.T) {
	for o := Opcode(0); o < 16; o++ {
		if got, want := o.IsControl(), o >= 8; got != want {
			t.Errorf("%v.IsControl() = %v, want %v", o, got, want)
		}
		reserved := o >= 3 && o <= 7 || o >= 11
		if got := o.IsReserved(); got != reserved {
			t.Errorf("%v.IsReserved() = %v, want %v", o, got, reserved)
		}
	}
}

func TestNamesOfOpcodesAndRoles(t *testing.T) {
	for o, want := range map[Opcode]string{
		Continuation: "continuation", Text: "text", Binary: "binary",
		Close: "close", Ping: "ping", Pong: "pong", 0xb: "opcode(11)",
	} {
		if got := o.String(); got != want {
			t.Errorf("Opcode(%d).String() = %q, want %q", uint8(o), got, want)
		}
	}
	if Server.Peer() != Client || Client.Peer() != Server {
		t.Error("Peer does not name the other role")
	}
	if Server.String() != "server" || Client.String() != "client" {
		t.Error("roles have the wrong names")
	}
}
