package token

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type endingAt chan struct{}

func (e endingAt) Done() <-chan struct{} { return e }

func TestATokenIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k Token
		if !k.TryLock() || k.TryLock() {
			t.Fatal("try")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if ok, err := k.Lock(ctx, nil); ok || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, %v", ok, err)
		}
		over := make(endingAt)
		close(over)
		if ok, err := k.Lock(t.Context(), over); ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
		go func() { time.Sleep(time.Hour); k.Unlock() }()
		if ok, err := k.Lock(t.Context(), nil); !ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
		k.Unlock()
		if !k.TryLock() {
			t.Error("not free in the end")
		}
	})
}

// TestATokenIsPassedOnInOrder, past those that have given up.
func TestATokenIsPassedOnInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k Token
		k.TryLock()
		var order []int
		for i := range 9 {
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				if ok, _ := k.Lock(ctx, nil); ok {
					order = append(order, i)
					k.Unlock()
				}
			}()
			synctest.Wait()
			if i%3 != 1 { // the first, the last and some between leave
				defer cancel()
				go func() { time.Sleep(time.Minute); cancel() }()
			} else {
				defer cancel()
			}
		}
		time.Sleep(time.Hour)
		k.Unlock()
		synctest.Wait()
		if len(order) != 3 || order[0] != 1 || order[1] != 4 || order[2] != 7 {
			t.Errorf("%v", order)
		}
		if !k.TryLock() {
			t.Error("not free in the end")
		}
	})
}

// TestATokenHasOneHolder while many take it, wait and give up at the same moment.
func TestATokenHasOneHolder(t *testing.T) {
	var k Token
	var wg sync.WaitGroup
	holders := 0
	for i := range 16 {
		wg.Go(func() {
			for range 500 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*10*time.Microsecond)
				if ok, _ := k.Lock(ctx, nil); ok {
					if holders++; holders != 1 {
						t.Error("two holders")
					}
					holders--
					k.Unlock()
				}
				cancel()
			}
		})
	}
	wg.Wait()
	if !k.TryLock() {
		t.Error("not free in the end")
	}
}
