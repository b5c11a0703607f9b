//go:build amd64 && !purego

package frame

import "github.com/seed-c4549abd/wss/internal/cpu"

var useAVX2 = cpu.AVX2

// minBulk is the least that bulkAVX2 takes.
const minBulk = 9

func vectors() bool { return useAVX2 }

func bulkVectors(p *byte, n int) int { return bulkAVX2(p, n) }

// bulkAVX2 is bulkGeneric by vectors of 32 bytes, but may cut the last character. n is
// minBulk or more.
//
//go:noescape
func bulkAVX2(p *byte, n int) int
