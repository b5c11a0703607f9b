//go:build !amd64 || purego

package cpu

import "testing"

func TestAVX2IsOffWithoutAssembly(t *testing.T) {
	if AVX2 {
		t.Error("AVX2 is on in a build that has no assembly to use it")
	}
}
