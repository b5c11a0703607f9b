//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package nats

import "os"

// lockDirectory does nothing on this system: users have to give each engine a directory of its own.
func lockDirectory(string) (*os.File, error) { return nil, nil }
