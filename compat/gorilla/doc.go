// Package websocket has the API of github.com/gorilla/websocket v1.5.3, on the engine of package conn. A program that uses
// that module changes its import, or adds a line to its go.mod (see docs/migrate-from-gorilla.md), and is done.
//
// A server:
//
//	var upgrader websocket.Upgrader
//
//	func handle(w http.ResponseWriter, r *http.Request) {
//		c, err := upgrader.Upgrade(w, r, nil)
//		if err != nil {
//			return // Upgrade has answered
//		}
//		defer c.Close()
//		for {
//			messageType, p, err := c.ReadMessage()
//			if err != nil {
//				return
//			}
//			if err := c.WriteMessage(messageType, p); err != nil {
//				return
//			}
//		}
//	}
//
// For the benefit of TLS that costs less, and of idle connections without buffers, wrap the server's listener with
// conn.NewListener. A client's connection has both in any case.
//
// New programs are better off with package conn: its calls take contexts, its connections survive deadlines, answer pings
// and notice dead peers by themselves.
//
// # What is stricter
//
// Text messages must be UTF-8, in both directions (RFC 6455 §8.1). Close frames with codes that may not be sent, or with
// reasons that are not UTF-8, are refused in both directions (§5.5.1, §7.4). Lengths must be in their shortest form (§5.2).
// A server may not agree to extensions that the client did not offer (§4.1). A read limit counts inflated bytes.
//
// # What is more lenient
//
// Any number of goroutines may write. What they write at the same time shares TLS records and system calls. One message of
// NextWriter is open at a time: see Conn. A server needs no http.Hijacker where the ResponseWriter has an Unwrap method. The h2
// of a tls.Config that is shared with net/http does no harm. Proxies may be https.
package websocket
