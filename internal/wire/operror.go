package wire

import (
	"net"
	"strings"
)

// socketError returns an error of a syscall.RawConn as the socket's own Read and Write name it: "read", not "raw-read".
func socketError(err error) error {
	e, ok := err.(*net.OpError)
	if !ok {
		return err
	}
	op, ok := strings.CutPrefix(e.Op, "raw-")
	if !ok {
		return err
	}
	named := *e
	named.Op = op
	return &named
}
