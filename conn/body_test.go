package conn

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/internal/pipe"
)

func TestABodyIsReadWithinBounds(t *testing.T) {
	for _, tt := range []struct {
		name, length, here, coming, want string
	}{
		{"all of it here", "5", "hello, and more", "", "hello"},
		{"some to come", "10", "hello", "world...", "helloworld"},
		{"no length", "", "until the end", " of the stream", "until the end of the stream"},
		{"shorter than said", "100", "cut", " off", "cut off"},
		{"too long", "1000000", strings.Repeat("x", 5000), "", strings.Repeat("x", maxBody)},
		{"a length that is none", "-3", "a", "b", "ab"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := pipe.New(1 << 16)
			_, _ = io.WriteString(a, tt.coming)
			_ = a.Close()
			resp := &http.Response{Header: http.Header{}}
			if tt.length != "" {
				resp.Header.Set("Content-Length", tt.length)
			}
			readBody(b, resp, []byte(tt.here))
			if got, err := io.ReadAll(resp.Body); string(got) != tt.want || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}
