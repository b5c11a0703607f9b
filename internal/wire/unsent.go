package wire

import "net"

// BoundUnsent bounds the bytes that the kernel holds for a socket and has not sent: by TCP_NOTSENT_LOWAT where there is
// one, else by the size of the send buffer, which bounds what the peer has not acknowledged, too. Anything else than a
// socket is left as it is.
func BoundUnsent(nc net.Conn, n int) {
	switch socket := nc.(type) {
	case *net.TCPConn:
		if setNotSentLowat(socket, n) != nil {
			_ = socket.SetWriteBuffer(n)
		}
	case *net.UnixConn:
		_ = socket.SetWriteBuffer(n)
	}
}
