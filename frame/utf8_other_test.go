//go:build purego || !(amd64 || arm64)

package frame

func assembly() []validator { return nil }
