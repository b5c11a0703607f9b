package httpstream_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/httpstream"
)

// connect is an extended CONNECT whose body is what comes from the client.
func connect(body io.Reader) *http.Request {
	r := httptest.NewRequest(http.MethodConnect, "https://localhost/", body)
	r.ProtoMajor, r.ProtoMinor, r.Proto = 2, 0, "HTTP/2.0"
	r.Header[":protocol"] = []string{"websocket"}
	return r
}

// buffering is a ResponseWriter that cannot flush.
type buffering struct{ http.ResponseWriter }

// TestTakeRefuses what it cannot take, and says why.
func TestTakeRefuses(t *testing.T) {
	recorder := httptest.NewRecorder()
	for name, try := range map[string]struct {
		w       http.ResponseWriter
		handler func(t *testing.T, w http.ResponseWriter, r *http.Request)
		want    error
	}{
		"who buffers responses": {buffering{httptest.NewRecorder()}, nil, httpstream.ErrNoFlush},
		"who has answered": {recorder, func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("hello"))
		}, httpstream.ErrBegun},
		"who has sent a header": {httptest.NewRecorder(), func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTeapot)
		}, httpstream.ErrBegun},
		"who has flushed": {httptest.NewRecorder(), func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
		}, httpstream.ErrBegun},
		"who has sent early hints": {httptest.NewRecorder(), func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
		}, nil},
		"who takes twice": {httptest.NewRecorder(), func(t *testing.T, w http.ResponseWriter, r *http.Request) {
			taken, err := httpstream.Take(w, r, nil, time.Minute)
			if err != nil {
				t.Error(err)
				return
			}
			_ = taken.Conn.Close()
		}, httpstream.ErrTaken},
	} {
		t.Run(name, func(t *testing.T) {
			httpstream.Guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if try.handler != nil {
					try.handler(t, w, r)
				}
				taken, err := httpstream.Take(w, r, nil, time.Minute)
				if !errors.Is(err, try.want) {
					t.Errorf("%v, want %v", err, try.want)
				}
				if err == nil {
					_ = taken.Conn.Close()
				}
			})).ServeHTTP(try.w, connect(http.NoBody))
		})
	}
}

// TestATakenStreamCarriesBytes both ways, and what the handler was given refuses to be used behind it.
func TestATakenStreamCarriesBytes(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("X-Middleware", "kept")
	w.Header().Set("Content-Type", "text/plain")
	in, client := io.Pipe()
	received := make([]byte, 5)
	httpstream.Guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		taken, err := httpstream.Take(w, r, http.Header{"X-Answer": {"yes"}}, time.Minute)
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := w.Write([]byte("stray")); !errors.Is(err, http.ErrHijacked) {
			t.Errorf("writing behind it: %v", err)
		}
		if err := http.NewResponseController(w).Flush(); !errors.Is(err, http.ErrHijacked) {
			t.Errorf("flushing behind it: %v", err)
		}
		w.WriteHeader(http.StatusTeapot)
		if _, err := r.Body.Read(make([]byte, 1)); err == nil {
			t.Error("the body can be read behind it")
		}
		if err := r.Body.Close(); err != nil {
			t.Error(err)
		}
		if err := taken.Respond(); err != nil {
			t.Error(err)
		}
		go func() {
			_, _ = client.Write([]byte("there"))
			_ = client.Close()
		}()
		nc := taken.Conn
		go func() { // the handler has returned by then, or has not
			_, err := io.ReadFull(nc, received)
			_, written := nc.Write([]byte("and back"))
			if err := errors.Join(err, written); err != nil {
				t.Error(err)
			}
			_ = nc.(interface{ CloseWrite() error }).CloseWrite() // so that Close sends what is left
			_ = nc.Close()
		}()
	})).ServeHTTP(w, connect(in))
	if string(received) != "there" || w.Body.String() != "and back" || w.Code != http.StatusOK {
		t.Errorf("received %q, sent %d, %q", received, w.Code, w.Body)
	}
	if h := w.Result().Header; h.Get("X-Middleware") != "kept" || h.Get("X-Answer") != "yes" || h.Get("Content-Type") != "" {
		t.Errorf("%v", h)
	}
}

// TestGuardLetsOthersPass unchanged, and those that another server hands over by itself.
func TestGuardLetsOthersPass(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	handsOver := func(http.ResponseWriter, http.Header) (net.Conn, func() error, error) {
		return ours, func() error { return nil }, nil
	}
	other := httptest.NewRequest(http.MethodGet, "https://localhost/", nil)
	taken := connect(http.NoBody)
	taken = taken.WithContext(httpstream.WithTaker(taken.Context(), handsOver))
	for name, r := range map[string]*http.Request{"GET": other, "a server's own": taken} {
		w := httptest.NewRecorder()
		httpstream.Guard(http.HandlerFunc(func(got http.ResponseWriter, gotRequest *http.Request) {
			if got != http.ResponseWriter(w) || gotRequest != r {
				t.Errorf("%s: changed", name)
			}
		})).ServeHTTP(w, r)
	}
	got, err := httpstream.Take(httptest.NewRecorder(), taken, nil, time.Minute)
	if err != nil || got.Conn != ours || got.Respond() != nil {
		t.Errorf("%v, %v", got, err)
	}
	_ = ours.Close()
}

// TestAHandlerThatPanicsResetsItsStream, and the panic goes on.
func TestAHandlerThatPanicsResetsItsStream(t *testing.T) {
	var nc net.Conn
	func() {
		defer func() {
			if v := recover(); v != "oh" {
				t.Errorf("recovered %v", v)
			}
		}()
		httpstream.Guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			taken, err := httpstream.Take(w, r, nil, time.Minute)
			if err != nil {
				t.Error(err)
			}
			nc = taken.Conn
			panic("oh")
		})).ServeHTTP(httptest.NewRecorder(), connect(bytes.NewReader(nil)))
	}()
	_, _ = nc.Write([]byte("x")) // may be buffered, and meets the end then
	if _, err := nc.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("reading from a stream that was reset: %v", err)
	}
	_ = nc.Close()
}

// TestSetHeader leaves out what describes a body or the connection.
func TestSetHeader(t *testing.T) {
	h := http.Header{"Content-Type": {"a"}, "Content-Length": {"1"}, "Connection": {"close"}, "Trailer": {"x"}, "Set-Cookie": {"a=b"}, "X": {"old"}}
	httpstream.SetHeader(h, http.Header{"X": {"new"}})
	if want := (http.Header{"Set-Cookie": {"a=b"}, "X": {"new"}}); !maps.EqualFunc(h, want, func(a, b []string) bool { return a[0] == b[0] }) {
		t.Errorf("%v, want %v", h, want)
	}
}
