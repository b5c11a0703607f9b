package conn

import (
	"context"
	"errors"
	"testing"
)

// TestTheEndReachesWhoeverAsks, before it or after.
func TestTheEndReachesWhoeverAsks(t *testing.T) {
	why := &CloseError{Code: 4000}
	var early life
	ctx, done := early.context(), early.Done()
	if ctx.Err() != nil || early.context() != ctx || early.Done() != done {
		t.Error("it has ended, or there are two")
	}
	early.end(why)
	early.announce()
	<-done
	<-ctx.Done()
	if !errors.Is(context.Cause(ctx), why) {
		t.Error(context.Cause(ctx))
	}
	var late life
	late.end(why)
	late.announce()
	<-late.Done()
	if cause := context.Cause(late.context()); !errors.Is(cause, why) {
		t.Error(cause)
	}
}
