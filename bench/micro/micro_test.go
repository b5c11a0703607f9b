package micro

import (
	"testing"
	"time"
)

func all() map[string][]Case {
	return map[string][]Case{
		"Mask": MaskCases(), "Header": HeaderCases(), "UTF8": UTF8Cases(), "Handshake": HandshakeCases(),
	}
}

func run(b *testing.B, cases []Case) {
	for _, c := range cases {
		name := c.Group
		if c.Name != "" {
			name += ", " + c.Name
		}
		for _, f := range c.Funcs {
			b.Run(name+"/"+f.Lib, func(b *testing.B) {
				b.SetBytes(int64(c.Bytes))
				b.ReportAllocs()
				f.Do(b.N)
			})
		}
	}
}

func BenchmarkMask(b *testing.B)      { run(b, MaskCases()) }
func BenchmarkHeader(b *testing.B)    { run(b, HeaderCases()) }
func BenchmarkUTF8(b *testing.B)      { run(b, UTF8Cases()) }
func BenchmarkHandshake(b *testing.B) { run(b, HandshakeCases()) }

func TestEveryFunctionRuns(t *testing.T) {
	for name, cases := range all() {
		for _, c := range cases {
			for _, f := range c.Funcs {
				f.Do(2)
			}
		}
		if len(cases) == 0 {
			t.Errorf("%s has no cases", name)
		}
	}
}

func TestOurHeaderCodecDoesNotAllocate(t *testing.T) {
	for _, c := range HeaderCases() {
		if n := testing.AllocsPerRun(10, func() { c.Funcs[0].Do(1) }); n != 0 {
			t.Errorf("%s: %v allocations", c.Group, n)
		}
	}
}

func TestTimeCountsOperations(t *testing.T) {
	ns := Time(func(n int) {
		for range n {
			time.Sleep(time.Millisecond)
		}
	}, 0, 4*time.Millisecond)
	if ns < 1e6 {
		t.Errorf("an operation of 1 ms took %v ns", ns)
	}
}

func TestGroupsAreThoseOfTheCases(t *testing.T) {
	groups := map[string][]string{
		"Mask": MaskGroups(), "Header": HeaderGroups(), "UTF8": UTF8Groups(""), "Handshake": HandshakeGroups(),
	}
	for name, cases := range all() {
		known := map[string]bool{}
		for _, g := range groups[name] {
			known[g] = true
		}
		for _, c := range cases {
			if !known[c.Group] {
				t.Errorf("%s: group %q is not listed", name, c.Group)
			}
		}
	}
}
