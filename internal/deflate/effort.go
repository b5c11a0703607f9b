package deflate

// The levels that Level 0 stands for, by BenchmarkLevels.
const (
	defaultLevel      = 7
	defaultLevelAlone = 5 // without context takeover

	// Of long messages, level 3 makes a tenth more than level 7, in less than half of
	// the time: they are context enough for themselves.
	bulkLevel = 3
	bulkMin   = 4 << 10
)

// effort returns the level for the next n bytes. With context takeover a writer of
// another level has to load the window, which costs more than a short message: so it
// changes to that of long messages for the second in a row.
func (c *Compressor) effort(n int) int {
	if c.Level != 0 {
		return c.Level
	}
	before := c.bulk
	c.bulk = n >= bulkMin
	switch {
	case c.bulk && (before || c.NoTakeover):
		return bulkLevel
	case c.NoTakeover:
		return defaultLevelAlone
	}
	return defaultLevel
}
