package conn

import (
	"net"
	"net/http"
	"net/netip"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
)

// maxHops bounds how many proxies one behind the other ClientAddr believes.
const maxHops = 32

// ClientAddr returns the address that a request's connection counts for in MaxPerAddress: the
// peer's own or, if that is in TrustedProxies, the client's as ProxyHeader names it. It is the zero
// Addr if there is none, as for the peers of a unix socket. It may be called by any number of
// goroutines, before Accept too.
//
// The header is read from its end, where the nearest proxy writes: the first address that is not
// in TrustedProxies is the client's, whatever a client wrote before it. If an entry is not an
// address ("unknown", "_hidden"), if the entries end, or after 32 of them, the result is the last
// trusted address. Zones in the header are dropped.
func (g *Group) ClientAddr(r *http.Request) netip.Addr {
	addr := parseAddr(r.RemoteAddr)
	if !g.trusts(addr) {
		return addr
	}
	name, last := "X-Forwarded-For", lastAddr
	if g.ProxyHeader != "" {
		name = textproto.CanonicalMIMEHeaderKey(g.ProxyHeader)
	}
	if name == "Forwarded" {
		last = lastForwarded
	}
	hops := 0
	for _, line := range slices.Backward(r.Header[name]) {
		for more := true; more; {
			var next netip.Addr
			next, line, more = last(line)
			if hops++; !next.IsValid() || hops > maxHops {
				return addr
			}
			if addr = next; !g.trusts(addr) {
				return addr
			}
		}
	}
	return addr
}

// problem says what is wrong with the options about proxies, or nothing.
func (g *Group) problem() string {
	if g == nil {
		return ""
	}
	for _, p := range g.TrustedProxies {
		switch p = unmapped(p); {
		case !p.IsValid():
			return "a network of Group.TrustedProxies is the zero Prefix: parse it with netip.ParsePrefix, and look at the error"
		case p.Bits() == 0:
			return "Group.TrustedProxies has " + p.String() + ", with which clients are believed too: name the networks of the proxies only"
		}
	}
	if strings.ContainsFunc(g.ProxyHeader, notInFieldName) {
		return "Group.ProxyHeader is " + strconv.Quote(g.ProxyHeader) + ", not the name of one header field, as X-Forwarded-For or Forwarded"
	}
	return ""
}

// notInFieldName reports whether r is in no name of a field that proxies write: RFC 9110 §5.1 wants
// letters, digits and hyphens, and some have underscores.
func notInFieldName(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
}

// unmapped returns the network of IPv4 that a mapped one stands for, and any other as it is.
func unmapped(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}

// trusts reports whether addr is a proxy's. A zone does not matter.
func (g *Group) trusts(addr netip.Addr) bool {
	addr = addr.WithZone("")
	return slices.ContainsFunc(g.TrustedProxies, func(p netip.Prefix) bool { return unmapped(p).Contains(addr) })
}

// parseAddr reads an address with a port or without, in brackets or without. It is zero if there is none.
func parseAddr(s string) netip.Addr {
	host, _, err := net.SplitHostPort(s)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	}
	addr, _ := netip.ParseAddr(host)
	return addr.Unmap()
}

// lastAddr takes the last address from a list as in X-Forwarded-For. An empty entry is none: a
// proxy that knows no address may have written it behind what a client wrote.
func lastAddr(list string) (addr netip.Addr, rest string, more bool) {
	i := strings.LastIndexByte(list, ',')
	if i >= 0 {
		rest, more = list[:i], true
	}
	return parseAddr(strings.Trim(list[i+1:], " \t")).WithZone(""), rest, more
}

// lastForwarded takes the address of the last element from a list as in Forwarded (RFC 7239 §4).
// Quoted strings are found from the end too, since what a client wrote may have a quote too many.
func lastForwarded(list string) (addr netip.Addr, rest string, more bool) {
	element := list
	if i := lastOutsideQuotes(list, ','); i >= 0 {
		element, rest, more = list[i+1:], list[:i], true
	}
	found := false
	for pairs := true; pairs; {
		pair := element
		if i := lastOutsideQuotes(element, ';'); i >= 0 {
			pair, element = element[i+1:], element[:i]
		} else {
			pairs = false
		}
		name, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
		if !strings.EqualFold(name, "for") {
			continue
		}
		if found { // which one is the client's?
			return netip.Addr{}, "", false
		}
		found, addr = true, parseAddr(unquote(value)).WithZone("")
	}
	return addr, rest, more
}

// lastOutsideQuotes returns where the last c is that is not in a quoted string, or -1. From the end, a
// quote behind a backslash is within a string: the one that begins it is behind "=".
func lastOutsideQuotes(s string, c byte) int {
	quoted := false
	for i := len(s) - 1; i >= 0; i-- {
		switch {
		case s[i] == '"' && !(quoted && strings.HasSuffix(s[:i], `\`)):
			quoted = !quoted
		case s[i] == c && !quoted:
			return i
		}
	}
	return -1
}

// unquote returns the value of a token or a quoted string (RFC 9110 §5.6.4). Addresses need no
// backslash, so one in them is not undone.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}
