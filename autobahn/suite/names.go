package suite

import (
	"fmt"
	"strings"
)

// maxStem bounds what an agent's name gives to the names of files.
const maxStem = 80

// stem is what an agent's name gives to the names of its files: letters and digits alone.
func stem(agent string) string {
	cleaned := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return ' '
	}, strings.ToLower(strings.TrimSpace(agent)))
	cleaned = strings.ReplaceAll(strings.TrimSpace(cleaned), " ", "_")
	return cleaned[:min(len(cleaned), maxStem)]
}

// stems are those of several reports, made different where they would be the same.
func stems(reports []*Report) []string {
	taken := map[string]bool{}
	all := make([]string, len(reports))
	for i, r := range reports {
		all[i] = stem(r.Agent)
		for n := 2; taken[all[i]]; n++ {
			all[i] = fmt.Sprintf("%s_%d", stem(r.Agent), n)
		}
		taken[all[i]] = true
	}
	return all
}

// fileName is the name of the report of a case.
func fileName(stem, id, extension string) string {
	return stem + "_case_" + strings.ReplaceAll(id, ".", "_") + extension
}
