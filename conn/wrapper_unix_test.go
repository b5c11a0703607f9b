//go:build unix

package conn

import (
	"net"
	"os"
	"syscall"
	"testing"
)

// TestConnectionsOverFilesThatAreSockets: both ends of a socketpair, by net.FileConn, which have no addresses.
func TestConnectionsOverFilesThatAreSockets(t *testing.T) {
	overFiles(t, func(t *testing.T) (net.Conn, net.Conn) {
		t.Helper()
		fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		var ends [2]net.Conn
		for i, fd := range fds {
			f := os.NewFile(uintptr(fd), "socketpair")
			if ends[i], err = net.FileConn(f); err != nil {
				t.Fatal(err)
			}
			_ = f.Close()
		}
		return ends[0], ends[1]
	})
}
