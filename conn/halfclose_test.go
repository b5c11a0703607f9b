package conn

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// TestAnswersReachAClientThatHasHalfClosed: those of the callback and those of other goroutines, as far as they take less than a
// second.
func TestAnswersReachAClientThatHasHalfClosed(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"tls", "plain", "stream", "pipe"} {
		for _, how := range []string{"Serve", "Read"} {
			if how == "Read" && kind != "tls" {
				continue // the same but for the loop, which Serve tests on each
			}
			t.Run(kind+" "+how, func(t *testing.T) {
				t.Parallel()
				for end := time.Now().Add(patience); ; {
					took, err := answersAfterHalfClose(t, kind, how)
					if err == nil {
						return
					}
					// On a machine that stands still the answers may take longer than they may.
					if took < lingerTimeout || time.Now().After(end) {
						t.Fatalf("%v, after %v", err, took)
					}
				}
			})
		}
	}
}

// answersAfterHalfClose has a client half-close behind its messages, and returns how long the answers took from then on.
func answersAfterHalfClose(t *testing.T, kind, how string) (time.Duration, error) {
	t.Helper()
	cn, sn := ends(t, kind)
	defer cn.Close()
	c := newConn(transport.New(sn), frame.Server, "", newSettings(0, 0, 0, 0), nil, nil)
	const n = 20
	failed := make(chan error, n)
	var workers sync.WaitGroup
	answer := func(c *Conn, m Message) error {
		data := string(m.Data)
		workers.Go(func() {
			time.Sleep(100 * time.Millisecond) // as long as it takes to find the answer
			if err := c.Write(bg, Text, []byte("answer to "+data)); err != nil {
				failed <- err
			}
		})
		return nil
	}
	over := make(chan error, 1)
	go func() {
		if how == "Serve" {
			over <- c.Serve(bg, answer)
			return
		}
		for {
			typ, p, err := c.Read(bg)
			if err != nil {
				over <- err
				return
			}
			_ = answer(c, Message{typ, p})
		}
	}()
	began := time.Now()
	for range n {
		_, _ = cn.Write(masked(frame.Header{Fin: true, Opcode: frame.Text}, "it"))
	}
	closeWrite(cn)
	got := 0
	frames(cn, func(op frame.Opcode, p []byte) {
		if op == frame.Text && string(p) == "answer to it" {
			got++
		}
	})
	err := <-over
	workers.Wait()
	took := time.Since(began)
	close(failed)
	if why := <-failed; why != nil || got != n || CloseStatus(err) != StatusAbnormal {
		return took, fmt.Errorf("%d of %d answers, %v, %v", got, n, why, err)
	}
	return took, nil
}

// TestAClientThatIsGoneIsNotWaitedFor: what distinguishes it from one that has half-closed is that its host refuses what is sent.
func TestAClientThatIsGoneIsNotWaitedFor(t *testing.T) {
	for end := time.Now().Add(patience); ; {
		cn, c := raw(t, "plain")
		if _, err := cn.Write(masked(frame.Header{Fin: true, Opcode: frame.Text}, "x")); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Read(bg); err != nil {
			t.Fatal(err)
		}
		_ = cn.Close()
		began := time.Now()
		if _, _, err := c.Read(bg); CloseStatus(err) != StatusAbnormal {
			t.Error(err)
		}
		took := time.Since(began)
		if took < lingerTimeout {
			return
		}
		if time.Now().After(end) { // before, it may have been the machine that stood still
			t.Fatalf("waited for %v", took)
		}
	}
}
