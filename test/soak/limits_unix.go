//go:build unix

package main

import "syscall"

// descriptorLimit returns how many descriptors the process may have. The runtime has
// raised the soft limit to the hard one when the program began.
func descriptorLimit() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 1024
	}
	return int(min(uint64(l.Cur), 1<<30))
}
