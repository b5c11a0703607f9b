package deflate

import "testing"

func TestLongMessagesGetLessEffort(t *testing.T) {
	const short, long = bulkMin - 1, bulkMin
	type sent struct{ n, want int }
	for _, tt := range []struct {
		name string
		c    Compressor
		rows []sent
	}{
		{"with takeover from the second in a row on", Compressor{}, []sent{
			{short, defaultLevel}, {long, defaultLevel}, {long, bulkLevel}, {long, bulkLevel},
			{short, defaultLevel}, {long, defaultLevel}, {short, defaultLevel},
		}},
		{"without takeover at once", Compressor{NoTakeover: true}, []sent{
			{short, defaultLevelAlone}, {long, bulkLevel}, {short, defaultLevelAlone},
		}},
		{"not where a level was chosen", Compressor{Level: 9}, []sent{{short, 9}, {long, 9}, {long, 9}}},
	} {
		for i, s := range tt.rows {
			if got := tt.c.effort(s.n); got != s.want {
				t.Errorf("%s: message %d of %d bytes: level %d, want %d", tt.name, i, s.n, got, s.want)
			}
		}
	}
}

// Contexts go on when the level changes, in both directions.
func TestContextsOutliveAChangeOfLevel(t *testing.T) {
	c, d := setting{bits: maxBits}.pair()
	r := source(11)
	for i, n := range []int{1000, 6000, 6000, 6000, 100, 100, 6000, 50_000, 1000, 3, 6000, 6000} {
		p := jsonMessage(r, n)
		z := c.AppendPiece(nil, p, true)
		want(t, d, z, p)
		if i > 0 && n >= 100 && len(z) > n*2/3 {
			t.Errorf("message %d: %d bytes became %d", i, n, len(z))
		}
	}
}
