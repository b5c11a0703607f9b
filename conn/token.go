package conn

import "context"

// token is a mutex that can be waited for with a context. Its holder has sent.
type token chan struct{}

func newToken() token { return make(token, 1) }

func (t token) try() bool {
	select {
	case t <- struct{}{}:
		return true
	default:
		return false
	}
}

// lock takes the token, unless ctx ends or done is closed before; nil is never
// closed. After done the error is nil and ok false.
func (t token) lock(ctx context.Context, done <-chan struct{}) (ok bool, err error) {
	if t.try() {
		return true, nil
	}
	select {
	case t <- struct{}{}:
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	case <-done:
		return false, nil
	}
}

func (t token) unlock() { <-t }
