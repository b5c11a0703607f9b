//go:build linux || darwin

package wire

import (
	"net"
	"runtime"
	"syscall"
)

// setNotSentLowat has the socket take more only while less than n bytes are unsent.
func setNotSentLowat(socket *net.TCPConn, n int) error {
	option := 0x19 // TCP_NOTSENT_LOWAT on Linux
	if runtime.GOOS == "darwin" {
		option = 0x201
	}
	access, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	var setErr error
	if err := access.Control(func(fd uintptr) {
		setErr = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, option, n)
	}); err != nil {
		return err
	}
	return setErr
}
