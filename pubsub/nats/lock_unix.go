//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package nats

import (
	"os"
	"path/filepath"
	"syscall"
)

// lockDirectory keeps other engines from using a directory, until the file is closed or the process ends.
func lockDirectory(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "wss.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
