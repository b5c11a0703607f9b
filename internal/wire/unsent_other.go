//go:build !linux && !darwin

package wire

import (
	"errors"
	"net"
)

func setNotSentLowat(*net.TCPConn, int) error { return errors.ErrUnsupported }
