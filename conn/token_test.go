package conn

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type endingAt chan struct{}

func (e endingAt) done() <-chan struct{} { return e }

func TestATokenIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k token
		if !k.try() || k.try() {
			t.Fatal("try")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if ok, err := k.lock(ctx, nil); ok || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, %v", ok, err)
		}
		over := make(endingAt)
		close(over)
		if ok, err := k.lock(t.Context(), over); ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
		go func() { time.Sleep(time.Hour); k.unlock() }()
		if ok, err := k.lock(t.Context(), nil); !ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
		k.unlock()
		if !k.try() {
			t.Error("not free in the end")
		}
	})
}

// TestATokenIsPassedOnInOrder, past those that have given up.
func TestATokenIsPassedOnInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k token
		k.try()
		var order []int
		for i := range 9 {
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				if ok, _ := k.lock(ctx, nil); ok {
					order = append(order, i)
					k.unlock()
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
		k.unlock()
		synctest.Wait()
		if len(order) != 3 || order[0] != 1 || order[1] != 4 || order[2] != 7 {
			t.Errorf("%v", order)
		}
		if !k.try() {
			t.Error("not free in the end")
		}
	})
}

// TestATokenHasOneHolder while many take it, wait and give up at the same moment.
func TestATokenHasOneHolder(t *testing.T) {
	var k token
	var wg sync.WaitGroup
	holders := 0
	for i := range 16 {
		wg.Go(func() {
			for range 500 {
				ctx, cancel := context.WithTimeout(bg, time.Duration(i)*10*time.Microsecond)
				if ok, _ := k.lock(ctx, nil); ok {
					if holders++; holders != 1 {
						t.Error("two holders")
					}
					holders--
					k.unlock()
				}
				cancel()
			}
		})
	}
	wg.Wait()
	if !k.try() {
		t.Error("not free in the end")
	}
}
