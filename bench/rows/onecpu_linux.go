package rows

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// onOneProcessor binds this process, and with it the children that it starts, to one
// processor, until the function is called. Children that run already stay where they are.
//
// With one connection, server and load take turns. Whether they do so on one processor or
// on two, and whether the second one has to be woken each time, the kernel decides anew from
// one moment to the next, and that changes the CPU time of a message by a factor of two:
// more than the libraries differ by.
func onOneProcessor() (release func(), err error) {
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return nil, fmt.Errorf("asking for the processors: %w", err)
	}
	var one unix.CPUSet
	for i := range len(one) * strconv.IntSize { // the last: the first has most of the interrupts
		if all.IsSet(i) {
			one.Zero()
			one.Set(i)
		}
	}
	if err := bind(&one); err != nil {
		return nil, errors.Join(err, bind(&all))
	}
	before := runtime.GOMAXPROCS(1)
	return func() {
		_ = bind(&all)
		runtime.GOMAXPROCS(before)
	}, nil
}

// bind sets where the threads of this process may run. A thread that is new has it from the
// one that has made it, and may be missing in the first list.
func bind(set *unix.CPUSet) error {
	for range 2 {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, t := range tasks {
			id, err := strconv.Atoi(t.Name())
			if err != nil {
				return err
			}
			if err := unix.SchedSetaffinity(id, set); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("binding to a processor: %w", err)
			}
		}
	}
	return nil
}
