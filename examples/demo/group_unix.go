//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// inOwnGroup has a command run in a process group of its own.
func inOwnGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
