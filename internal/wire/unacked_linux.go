package wire

import (
	"net"
	"syscall"
	"unsafe"
)

// Unacknowledged returns the bytes that the kernel holds for nc's peer: what was written and what the
// peer's host has not acknowledged. It is false where the kernel does not tell.
func Unacknowledged(nc net.Conn) (n int64, known bool) {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return 0, false
	}
	access, err := tcp.SyscallConn()
	if err != nil {
		return 0, false
	}
	var held int32 // by SIOCOUTQ of tcp(7), which Linux defines as TIOCOUTQ
	err = access.Control(func(fd uintptr) {
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&held)))
		known = errno == 0
	})
	return int64(held), known && err == nil
}
