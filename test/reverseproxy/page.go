package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// block is a configuration of the page: a comment with its name, and the code block behind it.
var block = regexp.MustCompile("(?s)<!-- config: ([a-z-]+) -->\n```[a-z]+\n(.*?)```")

// readPage returns the page's configurations by their names.
func readPage(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	configs := make(map[string]string)
	for _, match := range block.FindAllStringSubmatch(string(text), -1) {
		configs[match[1]] = match[2]
	}
	return configs, nil
}

// edit is a change of a configuration: every old text becomes new.
type edit struct{ old, new string }

// apply makes changes, each of which must change something: else what is tried is not what it seems.
func apply(text string, edits ...edit) (string, error) {
	for _, e := range edits {
		if e.old == "" || !strings.Contains(text, e.old) {
			return "", fmt.Errorf("the configuration has no %q:\n%s", e.old, text)
		}
		text = strings.ReplaceAll(text, e.old, e.new)
	}
	return text, nil
}

// lineWith returns the line of a configuration that contains a text, with its end.
func lineWith(text, part string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			return line
		}
	}
	return ""
}
