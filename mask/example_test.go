package mask_test

import (
	"fmt"

	"github.com/seed-c4549abd/wss/mask"
)

func ExampleXOR() {
	payload := []byte("Hello")
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d} // RFC 6455 §5.7; mask.NewKey for a real frame
	mask.XOR(payload[:2], key, 0)
	mask.XOR(payload[2:], key, 2) // a payload may come in pieces
	fmt.Printf("% x\n", payload)
	// Output: 7f 9f 4d 51 58
}

func ExampleCopy() {
	out := make([]byte, 5)
	n := mask.Copy(out, []byte("Hello"), [4]byte{0x37, 0xfa, 0x21, 0x3d}, 0)
	fmt.Printf("%d bytes: % x\n", n, out)
	// Output: 5 bytes: 7f 9f 4d 51 58
}
