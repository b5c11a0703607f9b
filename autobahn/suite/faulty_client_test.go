package suite

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/suite/faulty"
)

// caughtOfClients are the cases that catch a fault of a client, where they are not those that catch it of a server. In the
// role of the server the suite is the one to end the TCP connection: where a peer may drop it instead of answering, a
// broken answer counts as that.
var caughtOfClients = map[faulty.Fault]catching{
	faulty.LongHeaders: {where: mustAnswer},
	faulty.NoMasks:     {where: mustAnswer},
	// In 7.3.1 the answer has no payload.
	faulty.MasksHeadersOnly: {where: func(c *Case) bool { return isJudged(c) && c.ID != "7.3.1" }},
}

func mustAnswer(c *Case) bool { return isJudged(c) && (c.Closing.Clean || !c.Closing.ByUs) }

// TestFaultsOfClientsAreCaughtByTheCasesAboutThem does for the suite in the role of the server what is done for a client.
// Nearly all of its time is waiting: the faults are tried at once, and looked at one by one.
func TestFaultsOfClientsAreCaughtByTheCasesAboutThem(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for answers that do not come")
	}
	faults := append(tried(faulty.ClientFaults()), faulty.None)
	// They do not offer compression.
	plain := slices.DeleteFunc(slices.Clone(quick), func(pattern string) bool { return strings.HasPrefix(pattern, "12.") })
	differ := make([][]string, len(faults))
	var tasks sync.WaitGroup
	slots := make(chan struct{}, 6)
	for i, f := range faults {
		want := slices.DeleteFunc(expected(t, f, caughtOfClients, caught), isOf12)
		s, base := fuzzingServer(t, ServerOptions{Cases: plain, Slowness: 0.3, Latency: time.Millisecond}) // here, where it may end the test
		slots <- struct{}{}
		tasks.Go(func() {
			defer func() { <-slots }()
			differ[i] = difference(want, faultyClient(t, f, s, base, 32))
		})
	}
	tasks.Wait()
	for i, f := range faults {
		t.Run("a client that "+string(f), func(t *testing.T) {
			if differ[i] == nil {
				return
			}
			// Waits were short: a busy machine gets more time when it fails.
			t.Logf("different at first: %q", differ[i])
			want := slices.DeleteFunc(expected(t, f, caughtOfClients, caught), func(id string) bool { return !slices.Contains(differ[i], id) })
			s, base := fuzzingServer(t, ServerOptions{Cases: differ[i], Slowness: 3, Latency: time.Millisecond})
			if got := faultyClient(t, f, s, base, 4); !slices.Equal(got, want) {
				t.Errorf("of %q caught by %q, want %q", differ[i], got, want)
			}
		})
	}
}

func isOf12(id string) bool { return strings.HasPrefix(id, "12.") }

// faultyClient returns the cases that a client with a fault does not pass.
func faultyClient(t *testing.T, f faulty.Fault, s *Server, base string, parallel int) []string {
	return runAll(t, s, base, "faulty", s.Cases(), parallel, func(ctx context.Context, url string) error {
		return faulty.Dial(ctx, url, f)
	})
}

// difference are the ids that only one of the two has.
func difference(a, b []string) []string {
	var all []string
	for _, id := range slices.Concat(a, b) {
		if slices.Contains(a, id) != slices.Contains(b, id) {
			all = append(all, id)
		}
	}
	return all
}
