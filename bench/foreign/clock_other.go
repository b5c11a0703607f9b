//go:build !linux

package main

import (
	"errors"
	"fmt"
	"time"
)

func cpuTime(int) (time.Duration, error) {
	return 0, fmt.Errorf("another process's CPU time: %w", errors.ErrUnsupported)
}
