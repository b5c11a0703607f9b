// Package shares tells from a CPU profile whose work the time went into, and so what
// would be left of it if a library's own work cost nothing.
package shares

import (
	"math"
	"strings"

	"github.com/google/pprof/profile"
)

// Kind is whose work it is.
type Kind string

// The kinds, as a report has them.
const (
	Kernel  Kind = "kernel"       // system calls
	Cipher  Kind = "cryptography" // packages of crypto, but for crypto/tls
	TLS     Kind = "crypto/tls"   // what it does itself
	Library Kind = "library"      // modules, so for our lines this library's own work
	Other   Kind = "net, net/http and the like"
	Runtime Kind = "scheduler and collector" // what runs for no function in particular
)

// Kinds returns them in the order of a report.
func Kinds() []Kind { return []Kind{Kernel, Cipher, TLS, Library, Other, Runtime} }

// Shares are the parts of a profile's time by whose work it was. In the zero value nobody has
// looked.
type Shares struct {
	Parts   map[Kind]float64 `json:"parts"` // their sum is 1
	Samples int64            `json:"samples"`
}

// Of returns the shares of a profile; the zero value if it has no samples. What small helpers
// and the runtime do for a function, allocating and moving memory above all, is that function's.
func Of(p *profile.Profile) Shares {
	s := Shares{Parts: map[Kind]float64{}}
	sum := 0.0
	last := len(p.SampleType) - 1 // nanoseconds; before it is the number of samples
	for _, sample := range p.Sample {
		v := float64(sample.Value[last])
		s.Parts[kind(sample)] += v
		s.Samples += sample.Value[0]
		sum += v
	}
	if s.Samples == 0 {
		return Shares{}
	}
	for k := range s.Parts {
		s.Parts[k] /= sum
	}
	return s
}

// Deviation returns the standard deviation of a kind's part, as so few samples make it.
func (s Shares) Deviation(k Kind) float64 {
	if s.Samples == 0 {
		return 0
	}
	part := s.Parts[k]
	return math.Sqrt(part * (1 - part) / float64(s.Samples))
}

// kind looks from the innermost function outwards.
func kind(s *profile.Sample) Kind {
	innermost := true
	for _, l := range s.Location {
		for _, line := range l.Line {
			if line.Function == nil {
				continue
			}
			name := line.Function.Name
			if innermost && isCall(name) {
				return Kernel
			}
			innermost = false
			if k, ok := owner(packageOf(name)); ok {
				return k
			}
		}
	}
	return Runtime
}

// isCall reports whether a function is where the kernel is entered.
func isCall(name string) bool {
	pkg := packageOf(name)
	if pkg == "syscall" || strings.HasPrefix(pkg, "internal/runtime/syscall") || pkg == "golang.org/x/sys/unix" {
		return true
	}
	switch name {
	case "runtime.futex", "runtime.usleep", "runtime.osyield", "runtime.madvise", "runtime.mmap", "runtime.munmap",
		"runtime.tgkill", "runtime.read", "runtime.write1", "runtime.rt_sigaction", "runtime.sigprocmask":
		return true
	}
	return false
}

// packageOf cuts a function's name behind its package's path.
func packageOf(name string) string {
	name, _, _ = strings.Cut(name, "[") // type arguments have paths, too
	slash := strings.LastIndexByte(name, '/') + 1
	if dot := strings.IndexByte(name[slash:], '.'); dot >= 0 {
		return name[:slash+dot]
	}
	return name
}

// helpers work for whoever calls them.
var helpers = map[string]bool{
	"bytes": true, "strings": true, "slices": true, "maps": true, "strconv": true, "errors": true, "unsafe": true, "iter": true,
	"sync": true, "sync/atomic": true, "math/bits": true, "encoding/binary": true, "unicode/utf8": true, "time": true,
	"reflect": true, "sort": true, "cmp": true, "math": true,
}

// owner returns whose work a package's is; false if that of its caller.
func owner(pkg string) (Kind, bool) {
	first, _, _ := strings.Cut(pkg, "/")
	switch {
	case pkg == "runtime", helpers[pkg], first == "internal" && pkg != "internal/poll", strings.HasPrefix(pkg, "runtime/"):
		return "", false
	case pkg == "crypto/tls":
		return TLS, true
	case first == "crypto":
		return Cipher, true
	case pkg == "main", strings.HasPrefix(pkg, "github.com/seed-c4549abd/wss/bench"):
		return Other, true
	case strings.Contains(first, "."):
		return Library, true
	}
	return Other, true
}
