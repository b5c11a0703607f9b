package shares

import (
	"bytes"
	"crypto/sha256"
	"math"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/google/pprof/profile"
)

// stack makes a sample of functions, the innermost first.
func stack(nanoseconds int64, names ...string) *profile.Sample {
	s := &profile.Sample{Value: []int64{1, nanoseconds}}
	for _, name := range names {
		s.Location = append(s.Location, &profile.Location{Line: []profile.Line{{Function: &profile.Function{Name: name}}}})
	}
	return s
}

func TestTimeIsTheWorkOfWhomItWasDoneFor(t *testing.T) {
	const ours = "github.com/seed-c4549abd/wss/conn.(*Conn).Write"
	for _, tt := range []struct {
		name  string
		stack []string
		want  Kind
	}{
		{"a system call, whoever makes it", []string{"internal/runtime/syscall/linux.Syscall6", "syscall.RawSyscall6", ours}, Kernel},
		{"a futex", []string{"runtime.futex", "runtime.notesleep", "runtime.mcall"}, Kernel},
		{"memory that a library moves", []string{"runtime.memmove", ours}, Library},
		{"memory that a library allocates", []string{"runtime.mallocgc", "runtime.growslice", "slices.Grow[go.shape.[]uint8]", ours}, Library},
		{"memory that crypto/tls moves", []string{"runtime.memmove", "crypto/tls.(*Conn).Read", ours}, TLS},
		{"a cipher", []string{"crypto/internal/fips140/aes/gcm.gcmAesEnc", "crypto/tls.(*halfConn).encrypt", ours}, Cipher},
		{"a helper", []string{"internal/runtime/atomic.(*Uint32).Load", "sync.(*Mutex).Lock", ours}, Library},
		{"the poller", []string{"internal/poll.(*FD).RawRead", ours}, Other},
		{"net/http", []string{"net/http.(*conn).serve"}, Other},
		{"another library", []string{"github.com/klauspost/compress/flate.(*fastEncL1).Encode", ours}, Library},
		{"type arguments", []string{"slices.Index[go.shape.*github.com/seed-c4549abd/wss/conn.Conn]", "net/http.(*conn).serve"}, Other},
		{"the measuring program", []string{"github.com/seed-c4549abd/wss/bench/libs.rawTLS.func1", "net/http.(*conn).serve"}, Other},
		{"the scheduler", []string{"runtime.findRunnable", "runtime.schedule", "runtime.mcall"}, Runtime},
		{"nothing", nil, Runtime},
	} {
		p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "samples"}, {Type: "cpu"}}, Sample: []*profile.Sample{stack(5, tt.stack...)}}
		if got := Of(p); len(got.Parts) != 1 || got.Parts[tt.want] != 1 || got.Samples != 1 {
			t.Errorf("%s: %v, want %s", tt.name, got, tt.want)
		}
	}
}

func TestPartsAreOfTheWhole(t *testing.T) {
	p := &profile.Profile{SampleType: []*profile.ValueType{{}, {}}, Sample: []*profile.Sample{
		stack(30, "syscall.Syscall"), stack(10, "crypto/tls.(*Conn).Read"), stack(60, "syscall.Syscall"),
	}}
	got := Of(p)
	if got.Parts[Kernel] != 0.9 || got.Parts[TLS] != 0.1 || got.Samples != 3 {
		t.Errorf("%v", got)
	}
	if d := got.Deviation(Kernel); math.Abs(d-math.Sqrt(0.03)) > 1e-9 || got.Deviation(Cipher) != 0 {
		t.Errorf("the deviation of %v is %v", got, d)
	}
	if got := Of(&profile.Profile{SampleType: []*profile.ValueType{{}, {}}}); got.Parts != nil || got.Samples != 0 || got.Deviation(Kernel) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

// TestARealProfile: what hashes is cryptography.
func TestARealProfile(t *testing.T) {
	data := make([]byte, 1<<20)
	var got Shares
	// A sample comes with every ten milliseconds of processor time, which others may have.
	for end := time.Now().Add(time.Minute); got.Samples < 20 && time.Now().Before(end); {
		var b bytes.Buffer
		if err := pprof.StartCPUProfile(&b); err != nil {
			t.Skip(err) // the tests themselves are being profiled
		}
		for start := time.Now(); time.Since(start) < 300*time.Millisecond; {
			sha256.Sum256(data)
		}
		pprof.StopCPUProfile()
		p, err := profile.Parse(&b)
		if err != nil {
			t.Fatal(err)
		}
		got = Of(p)
	}
	sum := 0.0
	for _, k := range Kinds() {
		sum += got.Parts[k]
	}
	if math.Abs(sum-1) > 1e-9 || got.Parts[Cipher] < 0.5 {
		t.Errorf("%v", got)
	}
}
