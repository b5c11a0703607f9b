//go:build !race

// Package race tells tests whether the race detector is on: with it, sync.Pool
// forgets on purpose, and allocation counts mean nothing.
package race

// Enabled is true in binaries built with -race.
const Enabled = false
