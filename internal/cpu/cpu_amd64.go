//go:build amd64 && !purego

package cpu

// AVX2 reports whether 256-bit integer vectors can be used: the processor has
// AVX2 and the operating system saves the wide registers. It is set before any
// other package is initialised, and is never written again.
var AVX2 = hasAVX2(cpuid, xgetbv)

// cpuid returns the registers that CPUID fills for a leaf and a subleaf.
//
//go:noescape
func cpuid(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32)

// xgetbv returns extended control register 0. It faults unless CPUID says that
// the operating system has set OSXSAVE.
//
//go:noescape
func xgetbv() (eax, edx uint32)

// Bits named as in the processor manuals.
const (
	leaf1ECXOSXSAVE = 1 << 27
	leaf1ECXAVX     = 1 << 28
	leaf7EBXAVX2    = 1 << 5
	xcr0SSEAndAVX   = 1<<1 | 1<<2
)

// hasAVX2 takes its two instructions as functions so that a test can be any
// processor.
func hasAVX2(
	cpuid func(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32),
	xgetbv func() (eax, edx uint32),
) bool {
	if highest, _, _, _ := cpuid(0, 0); highest < 7 {
		return false
	}
	const need = leaf1ECXOSXSAVE | leaf1ECXAVX
	if _, _, ecx, _ := cpuid(1, 0); ecx&need != need {
		return false
	}
	// AVX2 without saved YMM registers would be corrupted by a task switch.
	if eax, _ := xgetbv(); eax&xcr0SSEAndAVX != xcr0SSEAndAVX {
		return false
	}
	_, ebx, _, _ := cpuid(7, 0)
	return ebx&leaf7EBXAVX2 != 0
}
