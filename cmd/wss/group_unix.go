//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// ownGroup makes the command the leader of a process group, so that its children can be ended with it, and a ctrl-C on the
// terminal does not reach it.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func terminateGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }

// killGroup kills what is left of the group. Most often there is nothing, which is an error that does not matter.
func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
