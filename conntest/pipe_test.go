package conntest

import (
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

func TestAClientTalksToAHandler(t *testing.T) {
	everyWay(t, func(t *testing.T, o Options) {
		c := Pipe(t, echo(nil), &o)
		for _, text := range []string{"hello", "", "again"} {
			if got := exchanged(t, c, text); got != text {
				t.Errorf("%q, want %q", got, text)
			}
		}
		if _, ok := c.TLS(); ok != (o.URL != "") {
			t.Errorf("TLS: %v", ok)
		}
		if err := c.Close(conn.StatusNormalClosure, "bye"); err != nil {
			t.Error(err)
		}
	})
}

func TestATestThatEndsNothingLeavesNothing(t *testing.T) {
	everyWay(t, func(t *testing.T, o Options) {
		exchanged(t, Pipe(t, echo(nil), &o), "hello")
		exchanged(t, Pipe(t, echoInBackground(), &o), "hello")
	})
}

func TestHoursOfKeepalivePassInAnInstant(t *testing.T) {
	everyWay(t, func(t *testing.T, o Options) {
		c := Pipe(t, echoInBackground(), &o)
		hours := 3 * time.Hour
		if testing.Short() {
			hours = 20 * time.Minute // ten turns a second of a timing wheel
		}
		began := time.Now()
		c.CloseRead(bg)
		time.Sleep(hours)
		if d := time.Since(began); d != hours {
			t.Errorf("%v have passed", d)
		}
		if n := c.Stats().ControlIn; n < int64(hours/time.Minute) {
			t.Errorf("%d control frames", n)
		}
		if err := c.Close(conn.StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
	})
}
