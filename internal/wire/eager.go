package wire

// eager guesses whether a socket that was just emptied has something again already. Where
// sender and receiver share a processor it often has: what was flushed woke the sender, which
// has answered meanwhile. One read more saves a sleep then, and the kernel's and the
// scheduler's work for it. Over a network it never has, and that read is a system call for
// nothing. So a guess is what the last ones came to: after a hit the next chance is taken, after
// misses in a row ever fewer are. The zero value takes the first.
type eager struct {
	pass   uint8 // chances to let pass
	misses uint8 // in a row, up to mostMisses
	hits   uint8 // in a row
}

const (
	mostMisses = 6 // at worst one chance in 64 is taken
	// mostHits in a row, and whoever else is ready gets a turn: a peer that is always quick shall
	// not keep a processor to itself.
	mostHits = 128
)

// again reports whether to read once more.
func (e *eager) again() bool {
	if e.pass > 0 {
		e.pass--
		return false
	}
	return true
}

// learn takes note of what that read came to.
func (e *eager) learn(hit bool) {
	if !hit {
		e.misses = min(e.misses+1, mostMisses)
		e.pass, e.hits = 1<<e.misses-1, 0
		return
	}
	e.misses = 0
	if e.hits++; e.hits == mostHits {
		e.pass, e.hits = 1, 0
	}
}
