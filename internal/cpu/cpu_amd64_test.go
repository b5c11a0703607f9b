//go:build amd64 && !purego

package cpu

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestAVX2NeedsProcessorAndOperatingSystem(t *testing.T) {
	const full = leaf1ECXOSXSAVE | leaf1ECXAVX
	tests := []struct {
		name    string
		highest uint32
		ecx1    uint32
		xcr0    uint32
		ebx7    uint32
		want    bool
	}{
		{"everything is there", 7, full, xcr0SSEAndAVX, leaf7EBXAVX2, true},
		{"leaf 7 is not there", 6, full, xcr0SSEAndAVX, leaf7EBXAVX2, false},
		{"no AVX", 7, leaf1ECXOSXSAVE, xcr0SSEAndAVX, leaf7EBXAVX2, false},
		{"no OSXSAVE, so XGETBV would fault", 7, leaf1ECXAVX, xcr0SSEAndAVX, leaf7EBXAVX2, false},
		{"only SSE state is saved", 7, full, 1 << 1, leaf7EBXAVX2, false},
		{"AVX without AVX2", 7, full, xcr0SSEAndAVX, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := hasAVX2(func(leaf, _ uint32) (eax, ebx, ecx, edx uint32) {
				switch leaf {
				case 0:
					return tt.highest, 0, 0, 0
				case 1:
					return 0, 0, tt.ecx1, 0
				default:
					return 0, tt.ebx7, 0, 0
				}
			}, func() (eax, edx uint32) {
				if tt.ecx1&leaf1ECXOSXSAVE == 0 {
					t.Error("XGETBV executed without OSXSAVE")
				}
				return tt.xcr0, 0
			})
			if got != tt.want {
				t.Errorf("hasAVX2 = %v, want %v", got, tt.want)
			}
		})
	}
}

// The kernel's own list is a second opinion about the real instructions.
func TestTheKernelAgrees(t *testing.T) {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Skip("no /proc/cpuinfo here")
	}
	for line := range strings.Lines(string(info)) {
		if name, flags, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "flags" {
			has := strings.Fields(flags)
			if want := slices.Contains(has, "avx2"); AVX2 != want {
				t.Errorf("AVX2 = %v, the kernel says %v", AVX2, want)
			}
			return
		}
	}
	t.Skip("the kernel lists no flags")
}
