package process

import (
	"bytes"
	"io"
	"sync"
)

// Lines is a writer that calls a function with every whole line, without its end, and passes everything on.
type Lines struct {
	Next io.Writer
	Line func(string)

	mu   sync.Mutex
	rest []byte
}

func (w *Lines) Write(p []byte) (int, error) {
	w.mu.Lock()
	w.rest = append(w.rest, p...)
	var lines []string
	for {
		line, rest, found := bytes.Cut(w.rest, []byte("\n"))
		if !found {
			break
		}
		lines = append(lines, string(bytes.TrimSuffix(line, []byte("\r"))))
		w.rest = rest
	}
	w.mu.Unlock()
	for _, line := range lines {
		w.Line(line)
	}
	return w.Next.Write(p)
}

// Shared is a writer that several goroutines may use.
type Shared struct {
	W io.Writer

	mu sync.Mutex
}

func (s *Shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.W.Write(p)
}
