package suite

import "strings"

// sectionsOfCases has what cases are about, by the beginnings of their numbers. The longest that fits counts.
var sectionsOfCases = map[string]string{
	"1.": "RFC 6455 §5.2, §5.6", "2.": "RFC 6455 §5.5.2, §5.5.3", "2.5 ": "RFC 6455 §5.5", "3.": "RFC 6455 §5.2",
	"4.": "RFC 6455 §5.2", "5.": "RFC 6455 §5.4", "5.1 ": "RFC 6455 §5.5", "5.2 ": "RFC 6455 §5.5",
	"6.": "RFC 6455 §5.6, §8.1", "7.1.": "RFC 6455 §5.5.1", "7.3.": "RFC 6455 §5.5, §5.5.1", "7.5.": "RFC 6455 §5.5.1, §8.1",
	"7.7.": "RFC 6455 §7.4", "7.9.": "RFC 6455 §7.4", "7.13.": "RFC 6455 §7.4.2", "9.": "RFC 6455 §5.2", "9.3.": "RFC 6455 §5.4",
	"9.4.": "RFC 6455 §5.4", "10.": "RFC 6455 §5.4", "12.": "RFC 7692 §7.2", "13.": "RFC 7692 §7.1",

	"20.1.": "RFC 6455 §4.2.1", "20.1.1 ": "RFC 6455 §4.2.1, RFC 9112 §3.2", "20.2.": "RFC 6455 §4.2.1, §11.3, RFC 9112 §3.2",
	"20.3.": "RFC 6455 §4.2.1", "20.3.6 ": "RFC 6455 §4.2.2", "20.4.": "RFC 9112 §5, §6.3", "20.4.1 ": "RFC 9112 §5.1",
	"20.4.4 ": "RFC 9110 §5.5", "20.4.5 ": "RFC 9110 §5.5", "20.5.": "RFC 6455 §4.2.1, RFC 9110 §5",
	"20.6.": "RFC 7692 §7, §7.1", "20.6.1 ": "RFC 6455 §4.2.2", "20.6.2 ": "RFC 6455 §4.2.2, §9.1", "20.7.": "RFC 6455 §4.2.1",
	"20.8.": "RFC 9112 §5.2, RFC 6455 §4.2.1", "21.": "RFC 6455 §4.1",
	"22.1.": "RFC 6455 §5.1", "22.2.": "RFC 6455 §5.3", "23.1.": "RFC 6455 §7.4", "23.2.": "RFC 6455 §5.5.1", "23.3.": "RFC 6455 §5.5, §5.5.1",
	"24.1.": "RFC 6455 §5.2", "24.2.": "RFC 6455 §5.5", "24.3.": "RFC 6455 §5.4", "25.": "RFC 6455 §5.2, §5.4",
	"26.1.": "RFC 7692 §7.1", "26.2.": "RFC 7692 §6, §7.2", "27.": "RFC 6455 §7.1.5", "27.3.": "RFC 6455 §7.1.1, RFC 8446 §6.1",
	"27.3.3 ": "RFC 6455 §5.5.1", "27.3.4 ": "RFC 6455 §7.1.1",
	"28.1.": "RFC 6455 §5.2, §10.7", "28.2.": "RFC 6455 §5.2", "28.3.": "RFC 6455 §5.6, §6.2", "28.4.": "RFC 6455 §7.1.7",
}

// Section names the sections of RFCs that a case is about, by its id; empty if there is no such case.
func Section(id string) string {
	found, section := "", ""
	for prefix, s := range sectionsOfCases {
		if strings.HasPrefix(id+" ", prefix) && len(prefix) > len(found) {
			found, section = prefix, s
		}
	}
	return section
}
