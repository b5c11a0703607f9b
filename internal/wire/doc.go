// Package wire is the transport below TLS: the net.Conn that crypto/tls is given
// in place of the socket. Every stack that sits on top of tls.Conn alone takes
// what crypto/tls does to the socket; this layer decides it instead.
//
//   - It reads in bulk and hands crypto/tls whole records, never a byte of the
//     next one. So after each tls.Conn.Read crypto/tls holds no ciphertext, and
//     whether anything is pending can be answered here ([Conn.Ready]).
//   - It hands over a ClientHello in small records, so that crypto/tls keeps small
//     buffers.
//   - It waits for readability without a buffer ([Conn.Wait]): an idle connection
//     holds no memory of ours.
//   - It corks: after [Conn.Switch], writes are buffered and sent together on
//     [Conn.Flush]. crypto/tls never sees a slow peer or an expired deadline, so
//     neither a read nor a write that is given up harms the connection.
//
// A connection whose first byte is not that of a TLS handshake (0x16) is passed
// through as it is; it gets the same corking and waiting after Switch.
package wire
