package conntest_test

import "testing"

// TestTheExamplesWork: without an "Output:" they would only be compiled.
func TestTheExamplesWork(outer *testing.T) {
	t = outer
	ExamplePipe()
	ExamplePipe_network()
	ExampleDial()
	ExampleNewServer()
}
