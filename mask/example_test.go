package mask_test

import (
	"fmt"

	"github.com/seed-c4549abd/wss/mask"
)

// A payload may arrive in pieces; the offset carries the key on.
func ExampleXOR() {
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	payload := []byte{0x7f, 0x9f, 0x4d, 0x51, 0x58}
	mask.XOR(payload[:2], key, 0)
	mask.XOR(payload[2:], key, 2)
	fmt.Println(string(payload))
	// Output: Hello
}

// A client leaves the caller's payload as it is: it masks into the frame.
func ExampleCopy() {
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d} // in earnest: mask.NewKey()
	payload := []byte("Hello")
	frame := append([]byte{0x81, 0x80 | byte(len(payload))}, key[:]...)
	frame = append(frame, payload...)
	mask.Copy(frame[6:], payload, key, 0)
	fmt.Printf("% x", frame)
	// Output: 81 85 37 fa 21 3d 7f 9f 4d 51 58
}

// A client masks each frame with a new key.
func ExampleNewKey() {
	payload, key := []byte("Hello"), mask.NewKey()
	masked := make([]byte, len(payload))
	mask.Copy(masked, payload, key, 0)
	mask.XOR(masked, key, 0) // as the server does
	fmt.Println(string(masked))
	// Output: Hello
}
