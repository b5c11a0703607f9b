//go:build unix

package wire

import (
	"io"
	"net"
	"os"
	"syscall"

	"github.com/seed-c4549abd/wss/internal/bufpool"
)

// descriptorOf returns the access to nc's descriptor if nc is a socket itself, else nil. A type that
// embeds a socket has its SyscallConn too, but its Read and Write may do more than the socket's:
// encrypt, count, throttle, or return bytes that were peeked at. So they are never bypassed.
func descriptorOf(nc net.Conn) syscall.RawConn {
	var socket syscall.Conn
	switch nc := nc.(type) {
	case *net.TCPConn:
		socket = nc
	case *net.UnixConn:
		socket = nc
	default:
		return nil
	}
	access, err := socket.SyscallConn()
	if err != nil {
		return nil
	}
	return access
}

// readOnce reads what the socket has, and borrows a buffer only for the moment.
func (c *Conn) readOnce(fd uintptr) bool {
	c.reserve(bufpool.Bulk)
	asked := c.in[c.w:]
	n, err := receive(fd, asked)
	for err == syscall.EINTR {
		n, err = receive(fd, asked)
	}
	c.dry = n < len(asked)
	switch {
	case err == syscall.EAGAIN:
		c.shrink()
		return false
	case err != nil:
		c.readErr = &net.OpError{
			Op: "read", Net: c.nc.LocalAddr().Network(), Source: c.nc.LocalAddr(),
			Addr: c.nc.RemoteAddr(), Err: os.NewSyscallError("read", err),
		}
	case n == 0:
		c.readErr = io.EOF
	default:
		c.took(n)
	}
	return true
}

// loopOnce goes on as long as there is something to read. A read that got less than it asked for was the last.
func (c *Conn) loopOnce(fd uintptr) bool {
	for {
		if c.dry {
			c.dry = false
			if c.r < c.w {
				c.shrink()
			}
			return false
		}
		if !c.readOnce(fd) {
			c.dry = false
			return false
		}
		if c.readErr != nil && c.r == c.w {
			c.release()
		}
		if c.Ready() && !c.handle() {
			return true
		}
	}
}

// writeNow writes what the kernel takes at once.
func writeNow(fd uintptr, p []byte) (int, error) {
	for {
		n, err := send(fd, p)
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}

// Refused reports whether nc's peer has answered what was sent to it with a reset: nobody receives
// there. It is known of sockets only, and asking forgets it.
func Refused(nc net.Conn) bool {
	descriptor := descriptorOf(nc)
	if descriptor == nil {
		return false
	}
	pending := 0
	err := descriptor.Control(func(fd uintptr) {
		pending, _ = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ERROR)
	})
	return err != nil || pending != 0
}
