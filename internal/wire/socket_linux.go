//go:build linux && !386 && !s390x && !race

package wire

import (
	"syscall"
	"unsafe"
)

// receive and send are the calls that are made for sockets. They do less than read(2) and
// write(2), which have to do for every kind of file. The race detector knows only those.

func receive(fd uintptr, p []byte) (int, error) {
	return message(syscall.SYS_RECVFROM, fd, p)
}

func send(fd uintptr, p []byte) (int, error) {
	return message(syscall.SYS_SENDTO, fd, p)
}

// message does a call on p, without an address and without waiting.
func message(call, fd uintptr, p []byte) (int, error) {
	const flags = syscall.MSG_DONTWAIT | syscall.MSG_NOSIGNAL
	var n uintptr
	var errno syscall.Errno
	if b := unsafe.SliceData(p); calls.untold() {
		n, _, errno = syscall.RawSyscall6(call, fd, uintptr(unsafe.Pointer(b)), uintptr(len(p)), flags, 0, 0)
	} else {
		n, _, errno = syscall.Syscall6(call, fd, uintptr(unsafe.Pointer(b)), uintptr(len(p)), flags, 0, 0)
	}
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}
