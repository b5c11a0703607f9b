package conn

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// opens is a Multiplexer that returns what it holds.
type opens struct {
	nc   net.Conn
	resp *http.Response
}

func (o *opens) OpenStream(context.Context, *StreamRequest) (net.Conn, *http.Response, error) {
	return o.nc, o.resp, nil
}

// TestAMultiplexerThatIsNothing is refused, and so is what is none of a stream, a response and an error.
func TestAMultiplexerThatIsNothing(t *testing.T) {
	stream, _ := net.Pipe()
	var none *net.TCPConn
	for name, try := range map[string]struct {
		multiplexer *opens
		want        string
	}{
		"a nil pointer":    {nil, "Multiplexer is a nil *conn.opens"},
		"no stream":        {&opens{nil, &http.Response{StatusCode: http.StatusOK}}, "no stream or no response"},
		"a nil connection": {&opens{none, &http.Response{StatusCode: http.StatusOK}}, "no stream or no response"},
		"no response":      {&opens{stream, nil}, "no stream or no response"},
	} {
		_, _, err := Dial(bg, "wss://localhost/", &DialOptions{Multiplexer: try.multiplexer})
		if err == nil || !strings.Contains(err.Error(), try.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := stream.Read(nil); err != io.ErrClosedPipe {
		t.Errorf("the stream without a response was not closed: %v", err)
	}
}
