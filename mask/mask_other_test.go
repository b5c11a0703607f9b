//go:build purego || !(amd64 || arm64)

package mask

func assembly() []implementation { return nil }
