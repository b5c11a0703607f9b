//go:build !unix

package process

import (
	"os/exec"
	"syscall"
)

// Without process groups only the process itself is ended.

func ownGroup(*exec.Cmd) {}

func signalGroup(cmd *exec.Cmd, s syscall.Signal) error { return cmd.Process.Signal(s) }

func terminateGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }

func killGroup(*exec.Cmd) {}
