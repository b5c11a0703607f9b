package conn

import (
	"testing"

	"github.com/seed-c4549abd/wss/internal/wire"
)

func TestTheTransportFitsTheConnection(t *testing.T) {
	for kind, want := range map[string]bool{"tls": true, "plain": true, "pipe": true, "stream": false} {
		client, _ := pair(t, kind)
		if client.transport.Resumable() != want {
			t.Errorf("%s: resumable %v", kind, !want)
		}
	}
	client, _ := pair(t, "tls")
	if _, err := client.transport.Read(make([]byte, 1)); err != wire.ErrWouldBlock {
		t.Errorf("read from an idle connection: %v", err)
	}
}
