package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// report prints one line a check, and counts. Proxies are tried at once, so it has a lock.
type report struct {
	w io.Writer

	mu             sync.Mutex
	passed, failed int
}

// add reports a check, which passed if err is nil.
func (r *report) add(name string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.passed++
		fmt.Fprintf(r.w, "ok    %s\n", name)
		return
	}
	r.failed++
	// What a process said goes below the line, indented, so that lines stay checks.
	fmt.Fprintf(r.w, "FAIL  %s: %s\n", name, strings.ReplaceAll(err.Error(), "\n", "\n      "))
}

// close prints the closing line, and says whether there were checks and all passed.
func (r *report) close() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.w, "%d passed, %d failed\n", r.passed, r.failed)
	return r.failed == 0 && r.passed > 0
}
