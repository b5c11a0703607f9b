package suite

import "bytes"

// The messages that are worth remembering, and for how many octets of them there is room on a connection.
const (
	minFamiliar  = 32 * kib
	familiarRoom = 3 << 20
)

// familiar remembers what messages were inflated to. The cases send the same long messages again and again, and most peers then
// answer with the same octets: those need no second look when the same window lies before them.
type familiar struct {
	met  []acquaintance
	size int
}

type acquaintance struct{ window, octets, message []byte }

// find returns what these octets were inflated to behind this window, nil if they are new.
func (f *familiar) find(window, octets []byte) []byte {
	for i := range f.met {
		if known := &f.met[i]; bytes.Equal(known.octets, octets) && bytes.Equal(known.window, window) {
			return known.message
		}
	}
	return nil
}

// add remembers a message, of which copies are made, while there is room.
func (f *familiar) add(window, octets, message []byte) {
	size := len(window) + len(octets) + len(message)
	if len(message) < minFamiliar || f.size+size > familiarRoom {
		return
	}
	f.size += size
	f.met = append(f.met, acquaintance{bytes.Clone(window), bytes.Clone(octets), bytes.Clone(message)})
}
