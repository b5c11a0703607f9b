//go:build !linux

package handshake

import "time"

var began = time.Now()

// threadTime returns the elapsed time, since not every system measures the CPU time of a thread.
func threadTime() time.Duration { return time.Since(began) }
