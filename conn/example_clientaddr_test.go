package conn_test

import (
	"fmt"
	"net/http/httptest"
	"net/netip"

	"github.com/seed-c4549abd/wss/conn"
)

// Behind reverse proxies, connections are counted by the clients' addresses once the networks of
// the proxies are named.
func ExampleGroup_ClientAddr() {
	group := &conn.Group{
		MaxPerAddress:  100,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")},
	}
	r := httptest.NewRequest("GET", "https://chat.example/", nil)
	r.RemoteAddr = "10.1.0.5:40000" // a proxy of ours
	// The client pretended to be 192.0.2.1; the proxy added where it really came from.
	r.Header.Set("X-Forwarded-For", "192.0.2.1, 203.0.113.7")
	fmt.Println(group.ClientAddr(r))

	r.RemoteAddr = "198.51.100.9:40000" // somebody who reached the server directly
	fmt.Println(group.ClientAddr(r))
	// Output:
	// 203.0.113.7
	// 198.51.100.9
}
