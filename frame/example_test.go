package frame_test

import (
	"fmt"

	"github.com/seed-c4549abd/wss/frame"
)

func ExampleHeader() {
	h := frame.Header{Fin: true, Opcode: frame.Text, Length: 5}
	raw := append(h.Append(nil), "Hello"...)

	var got frame.Header
	n, err := got.Parse(raw)
	fmt.Println(got.Opcode, got.Length, string(raw[n:]), err)
	// Output: text 5 Hello <nil>
}

func ExampleReceiver() {
	// A masked "Hello" in two fragments with a ping between them (RFC 6455 §5.7),
	// as a server receives it.
	in := []byte("\x01\x83\x37\xfa\x21\x3d\x7f\x9f\x4d" +
		"\x89\x80\x37\xfa\x21\x3d" +
		"\x80\x82\x37\xfa\x21\x3d\x5b\x95")
	r := frame.Receiver{Role: frame.Server, Limit: 1 << 20}
	for len(in) > 0 {
		ev, n, err := r.Next(in)
		if err != nil {
			fmt.Println(err) // its code is the one to close with
			return
		}
		fmt.Printf("%v %q final=%v\n", ev.Opcode, ev.Payload, ev.Final)
		in = in[n:]
	}
	// Output:
	// text "Hel" final=false
	// ping "" final=false
	// text "lo" final=true
}

func ExampleParseClose() {
	code, reason, err := frame.ParseClose([]byte("\x03\xe9back at noon"))
	fmt.Println(code, string(reason), err)
	_, _, err = frame.ParseClose([]byte("\x03\xee"))
	fmt.Println(err)
	// Output:
	// 1001 (going away) back at noon <nil>
	// websocket: status code that may not be sent in a close frame, §7.4 (close code 1002)
}

func ExampleUTF8() {
	var v frame.UTF8
	v.Write([]byte("caf\xc3")) // cut inside a character
	fmt.Println(v.Complete())
	v.Write([]byte("\xa9"))
	fmt.Println(v.Complete())
	n, ok := v.Write([]byte("ok\xff"))
	fmt.Println(n, ok)
	// Output:
	// false
	// true
	// 2 false
}

func ExampleAppendClose() {
	body, err := frame.AppendClose(nil, frame.GoingAway, "back at noon")
	fmt.Printf("%q %v\n", body, err)
	_, err = frame.AppendClose(nil, 1005, "")
	fmt.Println(err == nil) // no code: the body is empty
	_, err = frame.AppendClose(nil, 1006, "")
	fmt.Println(err)
	// Output:
	// "\x03\xe9back at noon" <nil>
	// true
	// websocket: close code that may not be sent, §7.4; use 1000 to 1003, 1007 to 1014 or 3000 to 4999
}
