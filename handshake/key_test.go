package handshake

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestAcceptKeyOfTheRFC(t *testing.T) {
	if got := AcceptKey(sampleKey); got != sampleAccept {
		t.Errorf("AcceptKey = %q, want %q", got, sampleAccept)
	}
}

// Under GODEBUG=fips140=only crypto/sha1 panics where it is not exempted. The
// variable is read at start, so this test runs its own binary once more.
func TestAcceptKeyUnderStrictFIPS(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^(TestAcceptKeyOfTheRFC|TestClientAndServerAgree)$", "-test.v")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "\n--- PASS: ") != 2 {
		t.Errorf("%v:\n%s", err, out)
	}
}

func TestNewKeyIsOneAndNeverTheSame(t *testing.T) {
	seen := make(map[string]bool)
	for range 1000 {
		key := newKey()
		if !isKey(key) || seen[key] {
			t.Fatalf("key %q: valid %v, seen before %v", key, isKey(key), seen[key])
		}
		seen[key] = true
	}
}

func TestIsKey(t *testing.T) {
	tests := []struct {
		name, key string
		want      bool
	}{
		{"the sample", sampleKey, true},
		{"zeros", "AAAAAAAAAAAAAAAAAAAAAA==", true},
		{"bits that carry nothing are set", "AAAAAAAAAAAAAAAAAAAAAB==", true},
		{"empty", "", false},
		{"13 bytes", "AAAAAAAAAAAAAAAAAA==", false},
		{"15 bytes", "AAAAAAAAAAAAAAAAAAAA", false},
		{"17 bytes", "AAAAAAAAAAAAAAAAAAAAAAA=", false},
		{"18 bytes", "AAAAAAAAAAAAAAAAAAAAAAAA", false},
		{"padding in the middle", "AAAA==AAAAAAAAAAAAAAAA==", false},
		{"line ends, which a decoder skips", "AAAAAAAAAAAAAAAAAAAAAA\r\n", false},
		{"the alphabet for URLs", "_AAAAAAAAAAAAAAAAAAAAA==", false},
		{"a blank before it", " AAAAAAAAAAAAAAAAAAAAA==", false},
		{"not ASCII", "äAAAAAAAAAAAAAAAAAAAAA==", false},
	}
	for _, tt := range tests {
		if got := isKey(tt.key); got != tt.want {
			t.Errorf("%s: isKey(%q) = %v, want %v", tt.name, tt.key, got, tt.want)
		}
	}
}

func BenchmarkAcceptKey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		AcceptKey(sampleKey)
	}
}
