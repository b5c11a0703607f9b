package handshake

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sampleRequest is a request with the key of the RFC and a few offers.
func sampleRequest() *ClientRequest {
	return &ClientRequest{
		accept:       sampleAccept,
		subprotocols: []string{"chat", "superchat"},
		extensions:   []Extension{{Name: "permessage-deflate", Params: []Param{{Name: "client_max_window_bits"}}}},
	}
}

func TestResponseVectors(t *testing.T) {
	for _, v := range readVectors(t, "responses.txt", shortResponse) {
		t.Run(v.name, func(t *testing.T) {
			for name, size := range cuts {
				if got := answer(t, v.input, size); got != v.want {
					t.Errorf("%s: got %q, want %q", name, got, v.want)
				}
			}
		})
	}
}

// answer tells what becomes of a response, as the vectors write it.
func answer(t *testing.T, input string, size int) string {
	t.Helper()
	var p ResponseReader
	_, done, err := pieces(input, size, p.Feed)
	if err == nil && !done {
		return "incomplete"
	}
	if err != nil {
		e := asError(t, err)
		if e.Response != nil || p.Response() != nil {
			t.Error("there is a response in spite of the error")
		}
		return fmt.Sprint(e.Status, " ", e.Token)
	}
	a, err := sampleRequest().Check(p.Response())
	if err != nil {
		e := asError(t, err)
		if e.Response != p.Response() {
			t.Error("the error does not hold the response")
		}
		return fmt.Sprint(e.Status, " ", e.Token)
	}
	if diff := cmp.Diff(a.Header, p.Response().Header); diff != "" {
		t.Errorf("the agreement's header is not the response's:\n%s", diff)
	}
	return strings.Join(strings.Fields("ok "+a.Subprotocol+" "+string(AppendExtensions(nil, a.Extensions))), " ")
}

func TestResponseIsWhatNetHTTPReads(t *testing.T) {
	for _, input := range []string{
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n\r\n",
		"HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\nContent-Type: text/plain\r\n\r\n",
		"HTTP/1.1 503 Service Unavailable\r\n\r\n",
		"HTTP/1.0 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
		"HTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\nEtag: x\r\n\r\n",
		"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: Chunked\r\nX-A: b\r\n\r\n",
		"HTTP/1.1 404 Not Found\r\nX-A: b\r\n \t c\t\r\n\t\r\n d\r\nX-B: e\r\n f \r\n\r\n",
	} {
		var p ResponseReader
		if n, done, err := p.Feed([]byte(input + "rest")); n != len(input) || !done || err != nil {
			t.Fatalf("%q: Feed = %d, %v, %v", input, n, done, err)
		}
		want, err := http.ReadResponse(bufio.NewReader(strings.NewReader(input)), nil)
		if err != nil {
			t.Fatal(err)
		}
		type summary struct {
			Status, Proto string
			Code          int
			Header        http.Header
			Length        int64
			Encoding      []string
		}
		of := func(r *http.Response) summary {
			return summary{r.Status, r.Proto, r.StatusCode, r.Header, r.ContentLength, r.TransferEncoding}
		}
		got := of(p.Response())
		if lengths := got.Header["Content-Length"]; len(lengths) > 1 {
			want.Header["Content-Length"] = lengths // net/http keeps one of equal ones
		}
		if diff := cmp.Diff(of(want), got); diff != "" {
			t.Errorf("%q: differs from net/http (-want +got):\n%s", input, diff)
		}
	}
}

// TestWhereABodyEnds covers RFC 9112 §6.3, in its order.
func TestWhereABodyEnds(t *testing.T) {
	for _, tt := range []struct {
		name, head string
		length     int64
		chunked    bool
	}{
		{"204 has no body, whatever it says", "HTTP/1.1 204 No Content\r\nContent-Length: 7", 0, false},
		{"304 has no body, whatever it says", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nTransfer-Encoding: chunked", 0, false},
		{"101 has no body, whatever it says", "HTTP/1.1 101 Switching Protocols\r\nTransfer-Encoding: chunked", 0, false},
		{"chunked counts more than a length", "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nContent-Length: 4", -1, true},
		{"chunked counts more than a malformed length", "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nContent-Length: x", -1, true},
		{"another coding goes on to the end", "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: gzip\r\nContent-Length: 4", -1, false},
		{"two codings end with the chunks, if those are the last", "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: Chunked", -1, true},
		{"two codings in one field do, too", "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: gzip , chunked", -1, true},
		{"chunks within another coding go on to the end", "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked, gzip", -1, false},
		{"HTTP/1.0 knows no codings", "HTTP/1.0 404 Not Found\r\nTransfer-Encoding: chunked\r\nContent-Length: 4", 4, false},
		{"a length", "HTTP/1.1 404 Not Found\r\nContent-Length: 4", 4, false},
		{"a length twice", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nContent-Length: 4", 4, false},
		{"no length", "HTTP/1.1 404 Not Found", -1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var p ResponseReader
			if _, done, err := p.Feed([]byte(tt.head + "\r\n\r\n")); !done || err != nil {
				t.Fatal(done, err)
			}
			r := p.Response()
			if chunked := len(r.TransferEncoding) > 0 && r.TransferEncoding[len(r.TransferEncoding)-1] == "chunked"; r.ContentLength != tt.length || chunked != tt.chunked {
				t.Errorf("length %d, encoding %q", r.ContentLength, r.TransferEncoding)
			}
			if tt.chunked && (r.Header["Transfer-Encoding"] != nil || r.Header["Content-Length"] != nil) {
				t.Errorf("header %v", r.Header)
			}
		})
	}
}

// TestManyFoldedLinesTakeLinearTime: each is not copied together with all before it.
func TestManyFoldedLinesTakeLinearTime(t *testing.T) {
	wide := Limits{LineBytes: 1 << 30, Headers: 1 << 30, TotalBytes: 1 << 30}
	expectLinear(t, 1_000, func(n int) func() {
		input := []byte("HTTP/1.1 101 OK\r\nX-A: b\r\n" + strings.Repeat(" c\r\n", n) + "\r\n")
		return func() {
			if _, done, err := NewResponseReader(wide).Feed(input); !done || err != nil {
				t.Fatal(done, err)
			}
		}
	})
}

// Interim responses must not be a way around the limits.
func TestEndlessInterimResponsesAreRefused(t *testing.T) {
	for name, interim := range map[string]string{
		"without fields": "HTTP/1.1 100 Continue\r\n\r\n",
		"with a field":   "HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n",
	} {
		p := NewResponseReader(Limits{TotalBytes: 4096, Headers: 50})
		taken, done, err := pieces(strings.Repeat(interim, 10_000), 1000, p.Feed)
		if taken > 4096 || done || err == nil {
			t.Errorf("%s: took %d bytes, done %v, error %v", name, taken, done, err)
		}
		if e := asError(t, err); e.Status != 0 {
			t.Errorf("%s: the error has status %d, but no response was read", name, e.Status)
		}
	}
}

func TestResponseReaderStopsAfterAnError(t *testing.T) {
	var p ResponseReader
	_, _, err := p.Feed([]byte("HTTP/1.1 101 OK\r\nbad\r\n"))
	n, done, again := p.Feed([]byte("HTTP/1.1 101 OK\r\n\r\n"))
	if err == nil || n != 0 || done || again != err {
		t.Errorf("first %v; then Feed = %d, %v, %v", err, n, done, again)
	}
}

func BenchmarkResponseReader(b *testing.B) {
	input := (&Agreement{key: sampleKey, Subprotocol: "chat"}).AppendResponse(nil)
	b.ReportAllocs()
	b.SetBytes(int64(len(input)))
	for b.Loop() {
		var p ResponseReader
		if _, done, err := p.Feed(input); !done || err != nil {
			b.Fatal(done, err)
		}
	}
}
