package ports

import (
	"fmt"
	"net"
	"testing"
)

func TestAPortIsFreeLowAndGivenOnce(t *testing.T) {
	seen := map[int]bool{}
	for range 50 {
		port, err := Free()
		if err != nil {
			t.Fatal(err)
		}
		if port < first || port >= first+count || seen[port] {
			t.Errorf("port %d", port)
		}
		seen[port] = true
		ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Error(err)
			continue
		}
		_ = ln.Close()
	}
}
