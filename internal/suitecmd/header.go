package suitecmd

import (
	"errors"
	"net/http"
	"os"
	"strings"
)

// ErrHeader says that a value of a HeaderFlag is no field. It does not quote the value, which may hold a secret.
var ErrHeader = errors.New("-H takes 'Name: value'")

// HeaderUsage describes a HeaderFlag.
const HeaderUsage = "send a `'Name: value'` with the request (repeatable); @FILE reads such lines from a file, which other users do not see in the list of processes"

// HeaderFlag is a flag for fields of a request that may be repeated: "Name: value", or @FILE for the lines of a file.
type HeaderFlag []string

func (f *HeaderFlag) String() string         { return "" }
func (f *HeaderFlag) Set(value string) error { *f = append(*f, value); return nil }

// Fields returns the fields. An error is ErrHeader, or that a file cannot be read.
func (f *HeaderFlag) Fields() (http.Header, error) {
	var lines []string
	for _, value := range *f {
		file, ok := strings.CutPrefix(value, "@")
		if !ok {
			lines = append(lines, value)
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
	}
	h := http.Header{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return nil, ErrHeader
		}
		h.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return h, nil
}
