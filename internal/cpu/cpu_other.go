//go:build !amd64 || purego

package cpu

// AVX2 is false: this build has no amd64 assembly that could ask or use it.
const AVX2 = false
