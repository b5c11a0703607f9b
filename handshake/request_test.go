package handshake

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRequestVectors(t *testing.T) {
	options := &ServerOptions{Subprotocols: []string{"chat", "superchat"}}
	for _, v := range readVectors(t, "requests.txt", shortRequest) {
		t.Run(v.name, func(t *testing.T) {
			for name, size := range cuts {
				if got := outcome(t, v.input, size, options); got != v.want {
					t.Errorf("%s: got %q, want %q", name, got, v.want)
				}
			}
		})
	}
}

// outcome tells what becomes of a request, as the vectors write it.
func outcome(t *testing.T, input string, size int, o *ServerOptions) string {
	t.Helper()
	var p RequestReader
	_, done, err := pieces(input, size, p.Feed)
	if err == nil && !done {
		return "incomplete"
	}
	if err == nil {
		var a *Agreement
		if a, err = Accept(p.Request(), o); err == nil {
			return strings.TrimSpace("101 " + a.Subprotocol)
		}
	} else if p.Request() != nil {
		t.Error("there is a request in spite of the error")
	}
	e := asError(t, err)
	return fmt.Sprint(e.Status, " ", e.Token)
}

const goodRequest = "GET /chat?room=1 HTTP/1.1\r\nHost: server.example.com\r\nX-A: 1\r\nx-a:  2 \r\n" +
	"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + sampleKey + "\r\nSec-WebSocket-Version: 13\r\n\r\n"

func TestRequestIsWhatNetHTTPReads(t *testing.T) {
	var p RequestReader
	if _, done, err := p.Feed([]byte(goodRequest)); !done || err != nil {
		t.Fatalf("done = %v, error %v", done, err)
	}
	want, err := http.ReadRequest(bufio.NewReader(strings.NewReader(goodRequest)))
	if err != nil {
		t.Fatal(err)
	}
	want.Header.Del("Host") // as net/http's server does
	got := p.Request()
	type summary struct {
		Method, URI, URL, Proto, Host string
		Header                        http.Header
		Length                        int64
	}
	of := func(r *http.Request) summary {
		return summary{r.Method, r.RequestURI, r.URL.String(), r.Proto, r.Host, r.Header, r.ContentLength}
	}
	if diff := cmp.Diff(of(want), of(got)); diff != "" {
		t.Errorf("differs from net/http (-want +got):\n%s", diff)
	}
	if !got.ProtoAtLeast(1, 1) || got.Body != http.NoBody || got.Context() == nil {
		t.Errorf("ProtoAtLeast(1, 1) = %v, Body = %v", got.ProtoAtLeast(1, 1), got.Body)
	}
}

func TestBytesAfterTheHeadAreLeftAlone(t *testing.T) {
	input := goodRequest + "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
	for name, size := range cuts {
		t.Run(name, func(t *testing.T) {
			p := NewRequestReader(Limits{})
			taken, done, err := pieces(input, size, p.Feed)
			if taken != len(goodRequest) || !done || err != nil {
				t.Fatalf("took %d bytes, done %v, error %v; want %d, true, nil", taken, done, err, len(goodRequest))
			}
			r := p.Request()
			if n, done, err := p.Feed([]byte("GET / HTTP/1.1\r\n")); n != 0 || !done || err != nil {
				t.Errorf("after the end Feed = %d, %v, %v; want 0, true, nil", n, done, err)
			}
			if p.Request() != r {
				t.Error("the request changed after the end")
			}
		})
	}
}

func TestNoRequestBeforeTheEnd(t *testing.T) {
	var p RequestReader
	n, done, err := p.Feed([]byte(goodRequest[:len(goodRequest)-1]))
	if n != len(goodRequest)-1 || done || err != nil || p.Request() != nil {
		t.Errorf("Feed = %d, %v, %v, request %v", n, done, err, p.Request())
	}
	if n, done, err := p.Feed(nil); n != 0 || done || err != nil {
		t.Errorf("Feed(nil) = %d, %v, %v; want 0, false, nil", n, done, err)
	}
}

// What follows a refused request may be a second one that a proxy never saw
// (request smuggling).
func TestNoLaterByteIsParsedAfterARefusal(t *testing.T) {
	for _, first := range []string{
		"POST / HTTP/1.1\r\n",
		"GET / HTTP/1.0\r\n",
		"GET / HTTP/1.1\r\nHost : a\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		var p RequestReader
		n, _, err := p.Feed([]byte(first + goodRequest))
		if err == nil || n > len(first) {
			t.Fatalf("%q: took %d of %d bytes, error %v", first, n, len(first), err)
		}
		again, done, err2 := p.Feed([]byte(goodRequest))
		if again != 0 || done || err2 != err || p.Request() != nil {
			t.Errorf("%q: Feed after the refusal = %d, %v, %v; want 0, false and the same error", first, again, done, err2)
		}
		if response := string(asError(t, err).AppendResponse(nil)); !strings.Contains(response, "\r\nConnection: close\r\n") {
			t.Errorf("%q: the refusal does not close the connection:\n%s", first, response)
		}
	}
}

func BenchmarkRequestReader(b *testing.B) {
	input := []byte(goodRequest)
	for name, size := range map[string]int{"whole": len(input), "byte by byte": 1} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(input)))
			for b.Loop() {
				var p RequestReader
				for rest := input; len(rest) > 0; {
					n, _, err := p.Feed(rest[:min(size, len(rest))])
					if err != nil {
						b.Fatal(err)
					}
					rest = rest[n:]
				}
			}
		})
	}
}
