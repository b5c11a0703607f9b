//go:build !unix

package process

import "os/exec"

// Without process groups only the process itself is ended.

func ownGroup(*exec.Cmd) {}

func terminateGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }

func killGroup(*exec.Cmd) {}
