package handshake

import (
	"syscall"
	"time"
	"unsafe"
)

// threadTime returns the CPU time of this thread. The resolution of getrusage is some milliseconds, which is too coarse.
func threadTime() time.Duration {
	const thisThread = 3 // CLOCK_THREAD_CPUTIME_ID
	var t syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, thisThread, uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		panic(errno)
	}
	return time.Duration(t.Nano())
}
