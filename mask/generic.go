package mask

import "math/bits"

// generic handles 32 bytes or more by words of 64 bits, eight at a time.
func generic(dst, src []byte, k uint32) {
	n := len(src)
	dst, src = dst[:n:n], src[:n:n]
	w := uint64(k)<<32 | uint64(k)
	// The last 32 bytes are loaded first: in place, the loop may reach them.
	sEnd, dEnd := src[n-32:][:32], dst[n-32:][:32]
	t := bits.RotateLeft64(w, -8*(n&3))
	t0, t1, t2, t3 := load(sEnd)^t, load(sEnd[8:])^t, load(sEnd[16:])^t, load(sEnd[24:])^t
	for len(src) >= 64 && len(dst) >= 64 {
		s, d := src[:64:64], dst[:64:64]
		store(d, load(s)^w)
		store(d[8:], load(s[8:])^w)
		store(d[16:], load(s[16:])^w)
		store(d[24:], load(s[24:])^w)
		store(d[32:], load(s[32:])^w)
		store(d[40:], load(s[40:])^w)
		store(d[48:], load(s[48:])^w)
		store(d[56:], load(s[56:])^w)
		src, dst = src[64:], dst[64:]
	}
	if len(src) > 32 && len(dst) > 32 {
		s, d := src[:32:32], dst[:32:32]
		store(d, load(s)^w)
		store(d[8:], load(s[8:])^w)
		store(d[16:], load(s[16:])^w)
		store(d[24:], load(s[24:])^w)
	}
	store(dEnd, t0)
	store(dEnd[8:], t1)
	store(dEnd[16:], t2)
	store(dEnd[24:], t3)
}
