package fuzz

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c4549abd/wss/handshake"
)

const requestSample = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://server.example.com\r\n" +
	"Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Version: 13\r\n\r\n"

// feeder is what both readers are.
type feeder interface {
	Feed(b []byte) (n int, done bool, err error)
}

// feedAll hands data over in two pieces, or byte by byte if cut is negative, and
// describes the outcome: how many bytes were taken, whether that was all, and
// which error there was.
func feedAll(t *testing.T, p feeder, data []byte, cut int) (taken int, done bool, outcome string) {
	t.Helper()
	var pieces [][]byte
	if cut < 0 {
		for i := range data {
			pieces = append(pieces, data[i:i+1])
		}
	} else {
		pieces = [][]byte{data[:min(cut, len(data))], data[min(cut, len(data)):]}
	}
	for _, piece := range pieces {
		n, end, err := p.Feed(piece)
		if n < 0 || n > len(piece) || end && err != nil || !end && err == nil && n < len(piece) {
			t.Fatalf("Feed of %d bytes = %d, %v, %v", len(piece), n, end, err)
		}
		taken += n
		if err != nil {
			again, _, err2 := p.Feed([]byte(requestSample))
			if again != 0 || err2 != err {
				t.Fatalf("after %v Feed took %d bytes and returned %v", err, again, err2)
			}
			return 0, false, describe(t, err) // bytes of a line that failed count differently
		}
		if end {
			return taken, true, "done"
		}
	}
	return taken, false, "incomplete"
}

// describe names an error, and tests that it can be sent.
func describe(t *testing.T, err error) string {
	t.Helper()
	var e *handshake.Error
	if !errors.As(err, &e) || e.Token == "" || e.Reason == "" {
		t.Fatalf("the error is %T %v, want an *Error with token and reason", err, err)
	}
	response := e.AppendResponse(nil)
	r := bufio.NewReader(bytes.NewReader(response))
	resp, readErr := http.ReadResponse(r, nil)
	if readErr != nil {
		t.Fatalf("the refusal is not HTTP: %v\n%s", readErr, response)
	}
	body, readErr := io.ReadAll(resp.Body)
	if readErr != nil || int64(len(body)) != resp.ContentLength || r.Buffered() != 0 || !resp.Close {
		t.Fatalf("the refusal does not end where it says, or does not close: %v\n%s", readErr, response)
	}
	return fmt.Sprint(e.Status, " ", e.Token)
}

// FuzzRequest feeds a server with arbitrary bytes: however they are cut, the
// outcome is the same; what is read, net/http reads too, and equally; what is
// accepted, a client can be told of.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(requestSample), uint16(0))
	f.Add([]byte(requestSample+"\x81\x00"), uint16(40))
	f.Add([]byte(strings.Replace(requestSample, "\r\n", "\n", 1)), uint16(3))
	f.Add([]byte(strings.Replace(requestSample, "GET /chat", "GET http://a:1/b", 1)), uint16(17))
	f.Add([]byte("\r\n"+strings.Replace(requestSample, "HTTP/1.1", "HTTP/1.2", 1)), uint16(1))

	f.Fuzz(func(t *testing.T, data []byte, cut uint16) {
		small := handshake.Limits{LineBytes: 256, Headers: 16, TotalBytes: 2048}
		whole := handshake.NewRequestReader(small)
		taken, done, outcome := feedAll(t, whole, data, len(data))
		for _, at := range []int{int(cut), -1} {
			p := handshake.NewRequestReader(small)
			taken2, done2, outcome2 := feedAll(t, p, data, at)
			if taken != taken2 || done != done2 || outcome != outcome2 {
				t.Fatalf("whole: %d %v %s; cut at %d: %d %v %s", taken, done, outcome, at, taken2, done2, outcome2)
			}
			if diff := cmp.Diff(requestOf(whole.Request()), requestOf(p.Request())); diff != "" {
				t.Fatalf("cut at %d (-whole +cut):\n%s", at, diff)
			}
		}
		if !done {
			if whole.Request() != nil {
				t.Fatal("there is a request before the end")
			}
			return
		}
		checkAgainstNetHTTP(t, data[:taken], whole.Request())
		checkRoundTrip(t, whole.Request())
		checkAccept(t, whole.Request())
	})
}

// request is what counts of an http.Request.
type request struct {
	Method, URI, URL, Proto, Host string
	Header                        http.Header
	Length                        int64
}

func requestOf(r *http.Request) request {
	if r == nil {
		return request{}
	}
	return request{r.Method, r.RequestURI, r.URL.String(), r.Proto, r.Host, r.Header, r.ContentLength}
}

func checkAgainstNetHTTP(t *testing.T, head []byte, r *http.Request) {
	t.Helper()
	head = bytes.TrimPrefix(head, []byte("\r\n")) // RFC 9112 §2.2; net/http does not ignore it
	std, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
	if err != nil {
		t.Fatalf("net/http refuses what was accepted: %v\n%q", err, head)
	}
	want := requestOf(std)
	delete(want.Header, "Host")
	asNetHTTPRewrites(want.Header, r.Header)
	if diff := cmp.Diff(want, requestOf(r)); diff != "" {
		t.Fatalf("differs from net/http (-net/http +handshake):\n%s", diff)
	}
}

// asNetHTTPRewrites takes back what net/http changes in a header it has read: it
// derives Cache-Control from Pragma, and drops equal Content-Lengths and, in a
// response, Connection: close. The blanks that it leaves behind a value whose last
// folded lines are empty are none of the value (RFC 9112 §5).
func asNetHTTPRewrites(theirs, ours http.Header) {
	for _, name := range []string{"Cache-Control", "Connection", "Content-Length"} {
		if delete(theirs, name); ours[name] != nil {
			theirs[name] = ours[name]
		}
	}
	for _, values := range theirs {
		for i, value := range values {
			values[i] = strings.TrimRight(value, " ")
		}
	}
}

// checkRoundTrip writes the request again and reads it again.
func checkRoundTrip(t *testing.T, r *http.Request) {
	t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "GET %s %s\r\nHost: %s\r\n", r.RequestURI, r.Proto, r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	b.WriteString("\r\n")
	var p handshake.RequestReader
	if n, done, err := p.Feed(b.Bytes()); n != b.Len() || !done || err != nil {
		t.Fatalf("Feed of what was read = %d, %v, %v\n%q", n, done, err, b.Bytes())
	}
	if diff := cmp.Diff(requestOf(r), requestOf(p.Request())); diff != "" {
		t.Fatalf("(-first +second):\n%s", diff)
	}
}

// checkAccept decides about the request and reads the answer.
func checkAccept(t *testing.T, r *http.Request) {
	t.Helper()
	a, err := handshake.Accept(r, &handshake.ServerOptions{
		Subprotocols:   []string{"chat"},
		OriginPatterns: []string{"*.example.com", "localhost:*"},
		Extensions:     firstOfEach,
		Header:         http.Header{"Set-Cookie": {"a=1"}},
	})
	if err != nil {
		describe(t, err)
		return
	}
	if origins := r.Header["Origin"]; len(origins) > 1 || len(origins) == 1 && !strings.Contains(origins[0], "://") {
		t.Fatalf("accepted with the origins %q", origins)
	}
	var p handshake.ResponseReader
	response := a.AppendResponse(nil)
	if n, done, err := p.Feed(response); n != len(response) || !done || err != nil {
		t.Fatalf("Feed of the own response = %d, %v, %v\n%q", n, done, err, response)
	}
	key := r.Header.Get("Sec-WebSocket-Key")
	if got := p.Response().Header.Get("Sec-WebSocket-Accept"); got != handshake.AcceptKey(key) {
		t.Fatalf("Sec-WebSocket-Accept is %q for the key %q", got, key)
	}
	extensions, err := handshake.ParseExtensions(p.Response().Header["Sec-Websocket-Extensions"])
	if diff := cmp.Diff(a.Extensions, extensions); diff != "" || err != nil {
		t.Fatalf("extensions: %v\n%s", err, diff)
	}
}

// firstOfEach accepts the first offer of every name.
func firstOfEach(offers []handshake.Extension) []handshake.Extension {
	var accepted []handshake.Extension
	for _, e := range offers {
		if !slices.ContainsFunc(accepted, func(a handshake.Extension) bool { return a.Name == e.Name }) {
			accepted = append(accepted, e)
		}
	}
	return accepted
}

// FuzzResponse feeds a client with arbitrary bytes. In them "{accept}" stands for
// the right Sec-WebSocket-Accept, which no fuzzer could guess.
func FuzzResponse(f *testing.F) {
	const sample = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: {accept}\r\n"
	f.Add([]byte(sample+"\r\n"), uint16(0))
	f.Add([]byte(sample+"Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: x; a=1\r\n\r\n\x81\x00"), uint16(40))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\n"+sample+"\r\n"), uint16(9))
	f.Add([]byte(sample+"X-A: b\r\n\tc\r\nContent-Length: x\r\n\r\n"), uint16(11))
	f.Add([]byte(sample+"X-A: b\r\n \r\n\r\n"), uint16(11))
	f.Add([]byte("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 2\r\n\r\nok"), uint16(60))

	offers := []handshake.Extension{{Name: "x"}, {Name: "permessage-deflate"}}
	c, err := handshake.NewRequest(&url.URL{Scheme: "wss", Host: "server.example.com"},
		&handshake.ClientOptions{Subprotocols: []string{"chat"}, Extensions: offers})
	if err != nil {
		f.Fatal(err)
	}
	_, key, _ := strings.Cut(string(c.Append(nil)), "Sec-WebSocket-Key: ")
	key, _, _ = strings.Cut(key, "\r\n")
	accept := handshake.AcceptKey(key)

	f.Fuzz(func(t *testing.T, data []byte, cut uint16) {
		data = bytes.ReplaceAll(data, []byte("{accept}"), []byte(accept))
		small := handshake.Limits{LineBytes: 256, Headers: 16, TotalBytes: 2048}
		whole := handshake.NewResponseReader(small)
		taken, done, outcome := feedAll(t, whole, data, len(data))
		for _, at := range []int{int(cut), -1} {
			p := handshake.NewResponseReader(small)
			taken2, done2, outcome2 := feedAll(t, p, data, at)
			if taken != taken2 || done != done2 || outcome != outcome2 {
				t.Fatalf("whole: %d %v %s; cut at %d: %d %v %s", taken, done, outcome, at, taken2, done2, outcome2)
			}
			if diff := cmp.Diff(responseOf(whole.Response()), responseOf(p.Response())); diff != "" {
				t.Fatalf("cut at %d (-whole +cut):\n%s", at, diff)
			}
		}
		if !done {
			return
		}
		resp := whole.Response()
		checkResponseAgainstNetHTTP(t, data[:taken], resp)
		a, err := c.Check(resp)
		if err != nil {
			if describe(t, err) == "" || err.(*handshake.Error).Response != resp {
				t.Fatalf("the error does not hold the response: %v", err)
			}
			return
		}
		if got := resp.Header["Sec-Websocket-Accept"]; resp.StatusCode != 101 || len(got) != 1 || got[0] != accept {
			t.Fatalf("accepted status %d with %q, want %q", resp.StatusCode, got, accept)
		}
		if a.Subprotocol != "" && a.Subprotocol != "chat" || len(a.Extensions) > len(offers) {
			t.Fatalf("agreed upon %+v", a)
		}
	})
}

// response is what counts of an http.Response.
type response struct {
	Status, Proto string
	Code          int
	Header        http.Header
	Length        int64
}

func responseOf(r *http.Response) response {
	if r == nil {
		return response{}
	}
	return response{r.Status, r.Proto, r.StatusCode, r.Header, r.ContentLength}
}

func checkResponseAgainstNetHTTP(t *testing.T, head []byte, resp *http.Response) {
	t.Helper()
	if resp.Header["Transfer-Encoding"] != nil || resp.TransferEncoding != nil {
		return // net/http refuses codings that it does not know
	}
	r := bufio.NewReader(bytes.NewReader(head))
	for {
		std, err := http.ReadResponse(r, nil)
		if err != nil {
			lower := bytes.ToLower(head)
			if bytes.Contains(lower, []byte("transfer-encoding")) || bytes.Contains(lower, []byte("content-length")) {
				return // of a response that has no body, where they mean nothing
			}
			t.Fatalf("net/http refuses what was accepted: %v\n%q", err, head)
		}
		if std.StatusCode < 200 && std.StatusCode != 101 {
			continue
		}
		want := responseOf(std)
		if want.Length != resp.ContentLength && (std.StatusCode == 204 || std.StatusCode == 304) {
			want.Length = resp.ContentLength // these have no body whatever they say
		}
		asNetHTTPRewrites(want.Header, resp.Header)
		if diff := cmp.Diff(want, responseOf(resp)); diff != "" {
			t.Fatalf("differs from net/http (-net/http +handshake):\n%s", diff)
		}
		return
	}
}

// FuzzExtensions parses arbitrary fields: whatever is accepted is written and
// parsed again to the same, in one field or in several.
func FuzzExtensions(f *testing.F) {
	f.Add("permessage-deflate; client_max_window_bits", "")
	f.Add(`foo; bar="b\az"`, "x; y=1,z")
	f.Add(`a;b="`, ",")

	f.Fuzz(func(t *testing.T, first, second string) {
		header := []string{first, second}
		list, err := handshake.ParseExtensions(header)
		if err != nil {
			if got := describe(t, err); got != "400 bad_extensions" || list != nil {
				t.Fatalf("refused with %s and %v", got, list)
			}
			return
		}
		if empty := strings.Trim(first+second, ", \t") == ""; empty != (len(list) == 0) {
			t.Fatalf("%q was accepted as %v", header, list)
		}
		written := string(handshake.AppendExtensions(nil, list))
		again, err := handshake.ParseExtensions([]string{written})
		if diff := cmp.Diff(list, again); diff != "" || err != nil {
			t.Fatalf("%q written as %q: %v\n%s", header, written, err, diff)
		}
		if joined, err := handshake.ParseExtensions([]string{first + "," + second}); err != nil || cmp.Diff(list, joined) != "" {
			t.Fatalf("%q joined: %v %v, want %v", header, joined, err, list)
		}
	})
}
