package httpstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/seed-c4549abd/wss/handshake"
)

type guardKey struct{}

// guard is a request whose handler is kept from returning while its stream is in use.
type guard struct {
	Shield
	w    http.ResponseWriter
	body io.ReadCloser
	over <-chan struct{} // of the request's own context: the stream was reset, or its connection has ended

	server atomic.Pointer[Server]
}

// Guard returns a handler that calls next and, if that has taken the request's stream, returns only when the stream has ended. The
// request's context ends when next returns, as that of a request does whose connection was hijacked.
func Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, taker := r.Context().Value(takerKey{}).(Taker)
		_, guarded := r.Context().Value(guardKey{}).(*guard)
		if taker || guarded || !handshake.IsExtendedConnect(r) {
			next.ServeHTTP(w, r)
			return
		}
		g := &guard{w: w, body: r.Body, over: r.Context().Done()}
		panicking := true
		defer func() { g.wait(panicking) }()
		ctx, cancel := context.WithCancel(context.WithValue(r.Context(), guardKey{}, g))
		defer cancel()
		next.ServeHTTP(g.Writer(w), g.Request(r, ctx))
		panicking = false
	})
}

// wait returns when the stream is over; if the handler has panicked, it is reset.
func (g *guard) wait(panicking bool) {
	s := g.server.Load()
	if s == nil {
		return
	}
	if panicking {
		s.reset()
	}
	s.receiveInHandler(g.over)
	s.using.Lock() // w may be in use still
	s.gone = true
	s.using.Unlock()
}

// Shield stands between a handler and its stream: what the handler was given refuses to be used once the stream was taken, as it does when a
// connection was hijacked.
type Shield struct{ taken, begun atomic.Bool }

// Take notes that the stream is taken, and returns ErrTaken if it was before, ErrBegun if the handler has answered.
func (s *Shield) Take() error {
	switch {
	case s.taken.Swap(true):
		return ErrTaken
	case s.begun.Load():
		return ErrBegun
	}
	return nil
}

// Writer returns the handler's ResponseWriter.
func (s *Shield) Writer(w http.ResponseWriter) http.ResponseWriter { return shieldedWriter{w, s} }

// Request returns the handler's request, with another context.
func (s *Shield) Request(r *http.Request, ctx context.Context) *http.Request {
	r = r.WithContext(ctx)
	r.Body = shieldedBody{r.Body, s}
	return r
}

type shieldedWriter struct {
	http.ResponseWriter
	shield *Shield
}

// Unwrap gives the rest to an http.ResponseController.
func (w shieldedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w shieldedWriter) WriteHeader(status int) {
	if w.shield.taken.Load() {
		return
	}
	if status >= http.StatusOK {
		w.shield.begun.Store(true)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w shieldedWriter) Write(p []byte) (int, error) {
	if w.shield.taken.Load() {
		return 0, http.ErrHijacked
	}
	w.shield.begun.Store(true)
	return w.ResponseWriter.Write(p)
}

func (w shieldedWriter) FlushError() error {
	if w.shield.taken.Load() {
		return http.ErrHijacked
	}
	w.shield.begun.Store(true)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

func (w shieldedWriter) Flush() { _ = w.FlushError() }

type shieldedBody struct {
	io.ReadCloser
	shield *Shield
}

var errBodyTaken = errors.New("websocket: the body was taken over by Accept")

func (b shieldedBody) Read(p []byte) (int, error) {
	if b.shield.taken.Load() {
		return 0, errBodyTaken
	}
	return b.ReadCloser.Read(p)
}

// Close leaves a stream alone that was taken: handlers and middleware close bodies when they return.
func (b shieldedBody) Close() error {
	if b.shield.taken.Load() {
		return nil
	}
	return b.ReadCloser.Close()
}
