package native

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// CPUTime is the time that all threads of a process have had so far, user and system, to
// the nanosecond: /proc/PID/stat knows it only to the hundredth of a second.
func CPUTime(pid int) (time.Duration, error) {
	const sched = 2 // the clock of clock_getcpuclockid(3)
	var t syscall.Timespec
	_, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(^pid<<3|sched), uintptr(unsafe.Pointer(&t)), 0)
	if errno != 0 {
		return 0, fmt.Errorf("the CPU clock of process %d: %w", pid, errno)
	}
	return time.Duration(t.Nano()), nil
}

// ResidentBytes is the memory of a process that is in RAM. /proc/PID/statm is not exact.
func ResidentBytes(pid int) (int64, error) {
	name := fmt.Sprintf("/proc/%d/smaps_rollup", pid)
	text, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), "\nRss:")
	var kilobytes int64
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return kilobytes << 10, nil
}
