//go:build amd64 && !purego

package cpu

// AVX2 reports whether 256-bit integer vectors can be used: the processor has
// AVX2 and the operating system saves the wide registers. It is set before any
// other package is initialised, and is never written again.
var AVX2 = hasAVX2(cpuid, xgetbv)

// AVX512 reports whether 512-bit vectors can be used, in part too (BW), and are worth it: AVX2
// and BMI2 are there, the operating system saves all of the registers, and the processor has
// VBMI2. That came with those (Ice Lake, Zen 4) that such vectors do not slow down.
var AVX512 = AVX2 && hasAVX512(cpuid, xgetbv)

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
	leaf7EBXAVX512  = 1<<8 | 1<<16 | 1<<30 // BMI2, and of AVX-512 F and BW
	leaf7ECXVBMI2   = 1 << 6
	xcr0SSEAndAVX   = 1<<1 | 1<<2
	xcr0AVX512      = xcr0SSEAndAVX | 1<<5 | 1<<6 | 1<<7
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

// hasAVX512 is called on a processor with AVX2.
func hasAVX512(
	cpuid func(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32),
	xgetbv func() (eax, edx uint32),
) bool {
	if eax, _ := xgetbv(); eax&xcr0AVX512 != xcr0AVX512 {
		return false
	}
	_, ebx, ecx, _ := cpuid(7, 0)
	return ebx&leaf7EBXAVX512 == leaf7EBXAVX512 && ecx&leaf7ECXVBMI2 != 0
}
