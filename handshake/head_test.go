package handshake

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

// expectLinear runs work on n and on 32n units and fails if the larger takes disproportionately long. Quadratic work would take
// 1024 times as long; the limit of 200 leaves room for caches and garbage collection. On Linux it measures the thread's CPU time,
// which other processes do not add to.
func expectLinear(t *testing.T, n int, prepare func(n int) (work func())) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	best := func(n int) time.Duration {
		least := time.Duration(1 << 62)
		work := prepare(n)
		for range 4 {
			start := threadTime()
			work()
			least = min(least, threadTime()-start)
		}
		return least
	}
	var ratio float64
	for range 3 {
		if ratio = float64(best(32*n)) / float64(max(best(n), time.Microsecond)); ratio < 200 {
			return
		}
	}
	t.Errorf("32 times the input takes %.0f times as long", ratio)
}

const requestStart = "GET / HTTP/1.1\r\nHost: a\r\n"

// A peer may send as much as it likes: what counts is what is looked at and kept.
func TestTwentyMegabyteHeaderIsRefusedInLinearTime(t *testing.T) {
	line := "X-A: " + strings.Repeat("a", 1000) + "\r\n"
	for name, input := range map[string]string{
		"one line":   requestStart + "X-A: " + strings.Repeat("a", 20<<20),
		"many lines": requestStart + strings.Repeat(line, 20<<20/len(line)),
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1, 4096, len(input)} {
				var p RequestReader
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				taken, offered, err := 0, 0, error(nil)
				for offered < len(input) {
					n, _, problem := p.Feed([]byte(input[offered:min(offered+size, len(input))]))
					if taken += n; problem != nil {
						err = problem
						break
					}
					offered += size
				}
				runtime.ReadMemStats(&after)
				if e := asError(t, err); e.Status != http.StatusRequestHeaderFieldsTooLarge || e.Token != "header_too_large" {
					t.Errorf("pieces of %d: refused with %v, want 431 header_too_large", size, err)
				}
				if taken > defaultTotalBytes {
					t.Errorf("pieces of %d: took %d bytes, more than the limit", size, taken)
				}
				if allocated := after.TotalAlloc - before.TotalAlloc; size == 4096 && allocated > 1<<20 {
					t.Errorf("pieces of %d: allocated %d bytes", size, allocated)
				}
				// The rest of the 20 MB costs nothing at all.
				rest := []byte(input[:1<<20])
				if allocs := testing.AllocsPerRun(10, func() {
					if n, _, _ := p.Feed(rest); n != 0 {
						t.Fatalf("took %d bytes after the refusal", n)
					}
				}); allocs != 0 {
					t.Errorf("%v allocations for bytes after the refusal", allocs)
				}
			}
		})
	}
}

// Even when the limits allow it, twenty megabytes byte by byte are no more work
// than so many bytes: no line is read again from its beginning.
func TestHeadFedByteByByteTakesLinearTime(t *testing.T) {
	wide := Limits{LineBytes: 1 << 30, Headers: 1 << 30, TotalBytes: 1 << 30}
	for name, unit := range map[string]string{"one long line": "a", "many short lines": "X-A: b\r\n"} {
		t.Run(name, func(t *testing.T) {
			expectLinear(t, 5_000, func(n int) func() {
				input := []byte(requestStart + "X-A: " + strings.Repeat(unit, n/len(unit)))
				return func() {
					p := NewRequestReader(wide)
					for i := range input {
						if _, _, err := p.Feed(input[i : i+1]); err != nil {
							t.Fatal(err)
						}
					}
				}
			})
		})
	}
}

func TestTenThousandHeadersAreRefused(t *testing.T) {
	p := NewRequestReader(Limits{TotalBytes: 1 << 30})
	n, _, err := p.Feed([]byte(requestStart + strings.Repeat("a:b\r\n", 10_000)))
	if e := asError(t, err); e.Status != 431 || e.Token != "header_too_large" {
		t.Errorf("refused with %v, want 431 header_too_large", err)
	}
	if n > 1000 {
		t.Errorf("took %d bytes for 128 headers", n)
	}
}

func TestLimitsAreExact(t *testing.T) {
	line := func(n int) string { return "X-A: " + strings.Repeat("a", n-len("X-A: \r\n")) + "\r\n" }
	target := func(n int) string {
		return "GET /" + strings.Repeat("a", n-len("GET / HTTP/1.1\r\n")) + " HTTP/1.1\r\nHost: a\r\n\r\n"
	}
	head := func(n int) string { return requestStart + line(n-len(requestStart)-2) + "\r\n" }
	many := func(n int) string { return requestStart + strings.Repeat("a:\r\n", n-1) + "\r\n" }
	tests := []struct {
		name   string
		limits Limits
		input  string
		want   string
	}{
		{"line at the default", Limits{}, requestStart + line(8192) + "\r\n", ""},
		{"line above the default", Limits{}, requestStart + line(8193) + "\r\n", "431 header_too_large"},
		{"line at the limit", Limits{LineBytes: 100}, requestStart + line(100) + "\r\n", ""},
		{"line above the limit", Limits{LineBytes: 100}, requestStart + line(101) + "\r\n", "431 header_too_large"},
		{"request line at the limit", Limits{LineBytes: 100}, target(100), ""},
		{"request line above the limit", Limits{LineBytes: 100}, target(101), "414 start_line_too_long"},
		{"request line above the total", Limits{TotalBytes: 100}, target(101), "414 start_line_too_long"},
		{"head at the limit", Limits{TotalBytes: 500}, head(500), ""},
		{"head above the limit", Limits{TotalBytes: 500}, head(501), "431 header_too_large"},
		{"head at the default", Limits{LineBytes: 1 << 20}, head(65536), ""},
		{"head above the default", Limits{LineBytes: 1 << 20}, head(65537), "431 header_too_large"},
		{"headers at the limit", Limits{Headers: 7}, many(7), ""},
		{"headers above the limit", Limits{Headers: 7}, many(8), "431 header_too_large"},
		{"headers at the default", Limits{}, many(128), ""},
		{"headers above the default", Limits{}, many(129), "431 header_too_large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for name, size := range cuts {
				p := NewRequestReader(tt.limits)
				_, done, err := pieces(tt.input, size, p.Feed)
				got := ""
				if err != nil {
					e := asError(t, err)
					got = fmt.Sprint(e.Status, " ", e.Token)
				}
				if got != tt.want || done != (tt.want == "") {
					t.Errorf("%s: got %q, done %v, want %q", name, got, done, tt.want)
				}
			}
		})
	}
}

// TestTheLimitThatWasReachedIsNamed: the line's, where both were.
func TestTheLimitThatWasReachedIsNamed(t *testing.T) {
	long := strings.Repeat("a", 300)
	for _, tt := range []struct {
		name   string
		limits Limits
		input  string
		want   string
	}{
		{"the first line", Limits{LineBytes: 100}, "GET /" + long, "the first line is longer than 100 bytes"},
		{"the first line and the head", Limits{LineBytes: 100, TotalBytes: 100}, "GET /" + long, "the first line is longer than 100 bytes"},
		{"the head in its first line", Limits{LineBytes: 101, TotalBytes: 100}, "GET /" + long, "the head of the message is longer than 100 bytes"},
		{"a later line", Limits{LineBytes: 100}, requestStart + "A: " + long, "a header line is longer than 100 bytes"},
		{"a later line and the head", Limits{LineBytes: 100, TotalBytes: 100 + len(requestStart)}, requestStart + "A: " + long,
			"a header line is longer than 100 bytes"},
		{"the head in a later line", Limits{LineBytes: 100, TotalBytes: 99 + len(requestStart)}, requestStart + "A: " + long,
			fmt.Sprintf("the head of the message is longer than %d bytes", 99+len(requestStart))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, size := range cuts {
				p := NewRequestReader(tt.limits)
				_, _, err := pieces(tt.input, size, p.Feed)
				if e := asError(t, err); e.Reason != tt.want {
					t.Errorf("%s: %s", name, e.Reason)
				}
			}
		})
	}
}

// TestFieldsShareAllocations: ten fields more cost a string each, and not a slice each; lines that
// come whole are not copied.
func TestFieldsShareAllocations(t *testing.T) {
	read := func(fields int) float64 {
		head := []byte(requestStart)
		for i := range fields {
			head = fmt.Appendf(head, "X-%d: b\r\n", i)
		}
		head = append(head, "\r\n"...)
		return testing.AllocsPerRun(50, func() {
			var p RequestReader
			if _, done, err := p.Feed(head); !done || err != nil {
				t.Fatal(done, err)
			}
		})
	}
	if few, many := read(4), read(14); many-few > 18 {
		t.Errorf("%v allocations for 4 fields, %v for 14", few, many)
	}
}
