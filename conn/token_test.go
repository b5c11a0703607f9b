package conn

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestATokenIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newToken()
		if !k.try() || k.try() {
			t.Fatal("try")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if ok, err := k.lock(ctx, nil); ok || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, %v", ok, err)
		}
		done := make(chan struct{})
		close(done)
		if ok, err := k.lock(t.Context(), done); ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
		go func() { time.Sleep(time.Hour); k.unlock() }()
		if ok, err := k.lock(t.Context(), nil); !ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
	})
}
