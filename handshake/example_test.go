package handshake_test

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/seed-c4549abd/wss/handshake"
)

// The opening handshake of both roles, without a byte of I/O.
func Example() {
	u, err := url.Parse("wss://chat.example/room")
	if err != nil {
		fmt.Println(err)
		return
	}
	req, err := handshake.NewRequest(u, &handshake.ClientOptions{Subprotocols: []string{"chat"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	in := handshake.NewRequestReader(handshake.Limits{})
	if _, done, err := in.Feed(req.Append(nil)); !done || err != nil {
		fmt.Println(done, err)
		return
	}
	agreed, err := handshake.Accept(in.Request(), &handshake.ServerOptions{Subprotocols: []string{"chat"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	out := handshake.NewResponseReader(handshake.Limits{})
	if _, done, err := out.Feed(agreed.AppendResponse(nil)); !done || err != nil {
		fmt.Println(done, err)
		return
	}
	agreed, err = req.Check(out.Response())
	fmt.Println(agreed.Subprotocol, err)
	// Output: chat <nil>
}

func ExampleError_AppendResponse() {
	in := handshake.NewRequestReader(handshake.Limits{})
	_, _, err := in.Feed([]byte("POST /room HTTP/1.1\r\n"))
	refusal := err.(*handshake.Error)
	line, _, _ := strings.Cut(string(refusal.AppendResponse(nil)), "\r\n")
	fmt.Println(line)
	// Output: HTTP/1.1 405 Method Not Allowed
}

func ExampleAcceptKey() {
	fmt.Println(handshake.AcceptKey("dGhlIHNhbXBsZSBub25jZQ==")) // RFC 6455 §1.3
	// Output: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
}

func ExampleParseExtensions() {
	list, err := handshake.ParseExtensions([]string{`permessage-deflate; client_max_window_bits; server_max_window_bits="10"`})
	fmt.Println(list, err)
	// Output: [{permessage-deflate [{client_max_window_bits  false} {server_max_window_bits 10 true}]}] <nil>
}
