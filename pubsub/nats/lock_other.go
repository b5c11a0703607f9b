//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package nats

import "os"

// lockFolder does nothing here: it is up to the user that each engine has a folder of its own.
func lockFolder(string) (*os.File, error) { return nil, nil }
