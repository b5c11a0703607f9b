//go:build !linux

package alarm

import "time"

// kernel has no timers on this system.
var kernel none

type none struct{}

func (none) add(*Timer, time.Duration) bool { return false }
func (none) remove(*Timer) bool             { return false }
