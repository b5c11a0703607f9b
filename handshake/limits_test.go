package handshake

import "testing"

func TestLimitsFillInTheirDefaults(t *testing.T) {
	full := Limits{LineBytes: 8192, Headers: 128, TotalBytes: 65536}
	tests := []struct {
		name     string
		in, want Limits
	}{
		{"zero", Limits{}, full},
		{"negative", Limits{-1, -2, -3}, full},
		{"only the line is set", Limits{LineBytes: 1}, Limits{1, 128, 65536}},
		{"all are set", Limits{1, 2, 3}, Limits{1, 2, 3}},
	}
	for _, tt := range tests {
		if got := tt.in.orDefaults(); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
