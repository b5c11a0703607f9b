//go:build !linux

package wire

import "net"

// Unacknowledged returns the bytes that the kernel holds for nc's peer. It is false where the
// kernel does not tell, as here.
func Unacknowledged(net.Conn) (n int64, known bool) { return 0, false }
