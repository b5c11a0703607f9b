//go:build !linux

package native

import (
	"errors"
	"fmt"
	"time"
)

// CPUTime is for Linux only.
func CPUTime(int) (time.Duration, error) {
	return 0, fmt.Errorf("another process's CPU time: %w", errors.ErrUnsupported)
}

// ResidentBytes is the memory of a process that is in RAM.
func ResidentBytes(int) (int64, error) {
	return 0, fmt.Errorf("another process's memory: %w", errors.ErrUnsupported)
}
