package handshake_test

import (
	"fmt"
	"log"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed-c4549abd/wss/handshake"
)

// Both roles, with bytes passed by hand where there would be a connection.
func Example() {
	u, err := url.Parse("wss://example.com/chat")
	if err != nil {
		log.Fatal(err)
	}
	client, err := handshake.NewRequest(u, &handshake.ClientOptions{Subprotocols: []string{"soap", "chat"}})
	if err != nil {
		log.Fatal(err)
	}

	var in handshake.RequestReader
	if _, done, err := in.Feed(client.Append(nil)); err != nil || !done {
		log.Fatal(done, err)
	}
	server, err := handshake.Accept(in.Request(), &handshake.ServerOptions{Subprotocols: []string{"chat"}})
	if err != nil {
		log.Fatal(err)
	}

	var out handshake.ResponseReader
	if _, done, err := out.Feed(server.AppendResponse(nil)); err != nil || !done {
		log.Fatal(done, err)
	}
	agreement, err := client.Check(out.Response())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(agreement.Subprotocol)
	// Output: chat
}

// The error is the refusal.
func ExampleError_AppendResponse() {
	var in handshake.RequestReader
	_, _, err := in.Feed([]byte("POST /chat HTTP/1.1\r\n"))
	if refusal, ok := err.(*handshake.Error); ok {
		fmt.Println(refusal.Status, refusal.Token, len(refusal.AppendResponse(nil)) > 0)
	}
	// Output: 405 bad_method true
}

func ExampleAcceptKey() {
	fmt.Println(handshake.AcceptKey("dGhlIHNhbXBsZSBub25jZQ==")) // RFC 6455 §1.3
	// Output: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
}

func ExampleParseExtensions() {
	list, err := handshake.ParseExtensions([]string{`permessage-deflate; server_max_window_bits="10", x-other`})
	fmt.Println(len(list), list[0].Name, list[0].Params[0].Value, err)
	// Output: 2 permessage-deflate 10 <nil>
}

// A server without net/http decides about a request that it has read itself.
func ExampleAccept() {
	var in handshake.RequestReader
	head := "GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: https://evil.example\r\n\r\n"
	if _, done, err := in.Feed([]byte(head)); err != nil || !done {
		log.Fatal(done, err)
	}
	_, err := handshake.Accept(in.Request(), nil)
	if refusal, ok := err.(*handshake.Error); ok {
		fmt.Println(refusal.Status, refusal.Token)
	}
	// Output: 403 origin
}

// A client's request, checked before a byte is sent.
func ExampleNewRequest() {
	u, err := handshake.ParseURL("wss://example.com/chat")
	if err != nil {
		log.Fatal(err)
	}
	request, err := handshake.NewRequest(u, &handshake.ClientOptions{Header: http.Header{"Authorization": {"Bearer secret"}}})
	if err != nil {
		log.Fatal(err)
	}
	first, _, _ := strings.Cut(string(request.Append(nil)), "\r\n")
	fmt.Println(first)
	// Output: GET /chat HTTP/1.1
}

func ExampleParseURL() {
	u, err := handshake.ParseURL("wss://bücher.example/")
	fmt.Println(u.Host, err)
	// Output: xn--bcher-kva.example <nil>
}
