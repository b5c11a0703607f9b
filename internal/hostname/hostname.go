// Package hostname converts the hosts of URLs to ASCII as browsers do.
package hostname

import (
	"errors"
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// profile is "domain to ASCII" of the URL standard (https://url.spec.whatwg.org/#concept-domain-to-ascii), not strict: UTS #46
// without transitional processing, with the rules for joiners and for text from right to left, and without those for
// hyphens, lengths and the characters of host names, so that underscores stay.
var profile = idna.New(
	idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(),
	idna.CheckHyphens(false), idna.StrictDomainName(false), idna.VerifyDNSLength(false),
)

// forbidden are the code points that no domain may hold, besides controls (https://url.spec.whatwg.org/#forbidden-domain-code-point).
const forbidden = " #%/:<>?@[\\]^|"

// maxBytes is more than any name of 253 characters, which is what DNS allows, has in UTF-8. Punycode takes time that is quadratic
// in the length: five seconds for 60 KB.
const maxBytes = 1024

var errInvalid = errors.New("the host is not a valid international domain name")

// ToASCII converts the host of host[:port], as it stands in url.URL.Host: to lower case, and what is not ASCII to Punycode.
// Labels that are Punycode already are checked. IP literals in brackets, and ports, stay as they are.
func ToASCII(hostport string) (string, error) {
	if strings.HasPrefix(hostport, "[") {
		return hostport, nil
	}
	host, port := hostport, ""
	if i := strings.LastIndexByte(hostport, ':'); i >= 0 && strings.Trim(hostport[i+1:], "0123456789") == "" {
		host, port = hostport[:i], hostport[i:]
	}
	lower := strings.ToLower(host)
	if isASCII(host) && !strings.HasPrefix(lower, "xn--") && !strings.Contains(lower, ".xn--") {
		return lower + port, nil // whether it is a host at all is for the caller to say
	}
	if len(host) > maxBytes || !utf8.ValidString(host) || strings.Contains(lower+".", "xn--.") {
		return "", errInvalid
	}
	for label := range strings.FieldsFuncSeq(lower, isDot) {
		if strings.HasPrefix(label, "xn--") && !isASCII(label) { // UTS #46 §4, step 4: Punycode is ASCII
			return "", errInvalid
		}
	}
	ascii, err := profile.ToASCII(host)
	if err != nil || !isASCII(ascii) || strings.Trim(ascii, ".") == "" || strings.ContainsFunc(ascii, isForbidden) || isBadNumber(ascii) {
		return "", errInvalid
	}
	return ascii + port, nil
}

// isDot reports whether r separates labels (UTS #46 §2.3).
func isDot(r rune) bool { return strings.ContainsRune(".\u3002\uff0e\uff61", r) }

func isForbidden(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune(forbidden, r) }

// isBadNumber reports whether a host ends in a number, and so must be an IPv4 address, and is none. Browsers also read octal
// and hexadecimal numbers, which net does not.
func isBadNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	digits, hex := strings.CutPrefix(last, "0x")
	allowed := "0123456789"
	if hex {
		allowed += "abcdef"
	}
	if last == "" || strings.Trim(digits, allowed) != "" {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return err != nil || !addr.Is4()
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
