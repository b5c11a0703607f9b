//go:build !unix

package wire

import (
	"net"
	"syscall"
)

// descriptorOf returns nil: a plain read waits, with its buffer, where a socket's
// readiness cannot be awaited on its own.
func descriptorOf(net.Conn) syscall.RawConn { return nil }

func (c *Conn) readOnce(uintptr) bool { return true }

func (c *Conn) loopOnce(uintptr) bool { return true }

func writeNow(uintptr, []byte) (int, error) { return 0, syscall.EAGAIN }

// Refused reports whether nc's peer has answered what was sent to it with a reset, which is not known
// here.
func Refused(net.Conn) bool { return false }
