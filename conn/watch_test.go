package conn

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/internal/race"
)

func TestAWatchInterruptsForItsContextOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var expired atomic.Bool
		w := watch{interrupt: func(d time.Time) error { expired.Store(!d.IsZero()); return nil }}
		first, cancelFirst := context.WithCancel(t.Context())
		second, cancelSecond := context.WithCancel(t.Context())
		if err := w.set(first); err != nil {
			t.Fatal(err)
		}
		if err := w.set(second); err != nil {
			t.Fatal(err)
		}
		cancelFirst()
		synctest.Wait()
		if expired.Load() {
			t.Error("interrupted for a context that was replaced")
		}
		cancelSecond()
		synctest.Wait()
		if err := w.set(second); !expired.Load() || !errors.Is(err, context.Canceled) {
			t.Errorf("expired %v, %v", expired.Load(), err)
		}
		if err := w.set(context.Background()); err != nil || expired.Load() {
			t.Errorf("expired %v, %v", expired.Load(), err)
		}
		if err := w.set(first); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		synctest.Wait()
		w.clear()
		if expired.Load() {
			t.Error("a deadline is left behind")
		}
	})
}

func TestWatchingTheSameContextAgainIsFree(t *testing.T) {
	if race.Enabled {
		return
	}
	w := watch{interrupt: func(time.Time) error { return nil }}
	ctx, cancel := context.WithCancel(bg)
	defer cancel()
	_ = w.set(ctx)
	if n := testing.AllocsPerRun(100, func() { _ = w.set(ctx) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	w.clear()
}
