//go:build !linux

package handshake

import "time"

var began = time.Now()

// threadTime returns the time that has passed: that of a thread is not to be had everywhere.
func threadTime() time.Duration { return time.Since(began) }
