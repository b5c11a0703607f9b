package conn

import (
	"context"
	"errors"
	"testing"

	"github.com/seed-c4549abd/wss/internal/bufpool"
)

// TestWithoutOurListener: the documented limits, and nothing beyond them.
func TestWithoutOurListener(t *testing.T) {
	client, server := pair(t, "stream")
	served := echo(server)
	if server.transport.Resumable() {
		t.Fatal("the wire is below TLS")
	}
	for range 3 { // a cancelled read is crossOriginHeaders here too
		if _, _, err := client.Read(soon(t)); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
	_ = client.Write(bg, Binary, make([]byte, 3*bufpool.Record))
	if _, p, err := client.Read(bg); len(p) != 3*bufpool.Record || err != nil {
		t.Errorf("%d bytes, %v", len(p), err)
	}
	if s := client.Stats(); s.WireIn == 0 || s.WireOut == 0 || s.Pending != 0 {
		t.Errorf("statistics %+v", s)
	}
	if err := client.Close(StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	<-served
}
