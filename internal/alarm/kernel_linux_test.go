package alarm

import (
	"os"
	"runtime"
	"testing"
	"time"
)

// descriptors counts the open files of this process.
func descriptors(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

func TestNothingIsLeft(t *testing.T) {
	settled := func() int {
		time.Sleep(3 * linger) // of the tests before
		return runtime.NumGoroutine()
	}
	before, files := settled(), descriptors(t)
	AfterFunc(time.Hour, func() {}).Stop()
	called := make(chan struct{})
	AfterFunc(time.Millisecond, func() { close(called) })
	<-called
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before || descriptors(t) > files; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, %d before; %d descriptors, %d before", runtime.NumGoroutine(), before, descriptors(t), files)
		}
	}
}

// TestTheDescriptorStaysWhileTimersFollow has one timer set by the other's call, as a tick is:
// there is one descriptor and one goroutine for all of them.
func TestTheDescriptorStaysWhileTimersFollow(t *testing.T) {
	seen := make(chan *os.File)
	var tick func()
	n := 0
	tick = func() {
		kernel.mu.Lock()
		file := kernel.file
		kernel.mu.Unlock()
		go func() { seen <- file }()
		if n++; n < 4 {
			AfterFunc(3*linger/2, tick)
		}
	}
	AfterFunc(time.Millisecond, tick)
	first := <-seen
	for range 3 {
		if file := <-seen; file != first || file == nil {
			t.Error("there is another descriptor for the next timer")
		}
	}
}

// TestSurrender takes the descriptor away: the runtime's timers take over.
func TestSurrender(t *testing.T) {
	called := make(chan struct{}, 2)
	set := AfterFunc(50*time.Millisecond, func() { called <- struct{}{} })
	kernel.mu.Lock()
	_ = kernel.file.Close()
	kernel.mu.Unlock()
	<-called
	AfterFunc(time.Millisecond, func() { called <- struct{}{} })
	<-called
	set.Reset(time.Millisecond)
	<-called
	if set.Reset(time.Hour); !set.Stop() {
		t.Error("Stop: false")
	}
	kernel.mu.Lock()
	if !kernel.refused || kernel.file != nil {
		t.Error("the descriptor is in use")
	}
	kernel.refused = false
	kernel.mu.Unlock()
}
