package wire

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/pipe"
)

// TestARecordThatIsTooLongIsPassedOnAtOnce: crypto/tls refuses it by its header. Nothing is buffered for it.
func TestARecordThatIsTooLongIsPassedOnAtOnce(t *testing.T) {
	for _, tt := range []struct {
		name   string
		length int
		atOnce bool
	}{
		{"the longest that TLS 1.2 allows is waited for (RFC 5246 §6.2.3)", 16384 + 2048, false},
		{"a byte more is not", 16384 + 2049, true},
		{"the longest that a header can claim is not", 1<<16 - 1, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			peer, b := pipe.New(1 << 16)
			c := TLS(b)
			defer c.Close()
			head := []byte{23, 3, 3, byte(tt.length >> 8), byte(tt.length), 0xee}
			_, _ = peer.Write(head)
			if !tt.atOnce {
				_ = c.SetReadDeadline(time.Unix(1, 0))
			}
			got := make([]byte, len(head))
			n, err := io.ReadFull(c, got)
			if tt.atOnce && (err != nil || string(got) != string(head)) {
				t.Errorf("got %x, %v", got[:n], err)
			}
			if ne, ok := err.(net.Error); !tt.atOnce && (n != 0 || !ok || !ne.Timeout()) {
				t.Errorf("%d bytes of it were passed on, %v", n, err)
			}
			if tt.atOnce {
				return
			}
			_ = c.SetReadDeadline(time.Time{})
			_, _ = peer.Write(make([]byte, tt.length-1))
			if n, err := io.ReadFull(c, make([]byte, headerSize+tt.length)); err != nil {
				t.Errorf("the whole record: %d bytes, %v", n, err)
			}
		})
	}
}
