// Package browser gives programs for GOOS=js the WebSocket of their environment, a browser or Node, as a net.Conn that
// carries the frames of RFC 6455: a connection that speaks them works on it as on a socket.
package browser
