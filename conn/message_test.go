package conn

import "testing"

func TestMessageTypes(t *testing.T) {
	for typ, name := range map[MessageType]string{Text: "text", Binary: "binary"} {
		if typ.String() != name || !typ.valid() {
			t.Errorf("%d: %q, valid %v", typ, typ, typ.valid())
		}
	}
	for _, typ := range []MessageType{0, 3, 8, 9, 10} {
		if typ.valid() {
			t.Errorf("%d is valid", typ)
		}
	}
}
