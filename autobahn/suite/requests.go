package suite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/handshake"
)

// named finds the line of a field.
func named(lines []string, name string) int {
	return slices.IndexFunc(lines, func(line string) bool {
		return len(line) > len(name) && line[len(name)] == ':' && strings.EqualFold(line[:len(name)], name)
	})
}

// without takes a field out of a head.
func without(name string) func([]string) []string {
	return func(lines []string) []string { return slices.Delete(lines, named(lines, name), named(lines, name)+1) }
}

// with puts other lines in a field's place.
func with(name string, instead ...string) func([]string) []string {
	return func(lines []string) []string {
		i := named(lines, name)
		return slices.Replace(lines, i, i+1, instead...)
	}
}

// twice repeats a field, with another value if it has one.
func twice(name, value string) func([]string) []string {
	return func(lines []string) []string {
		again := lines[named(lines, name)]
		if value != "" {
			again = name + ": " + value
		}
		return append(lines, again)
	}
}

// also adds lines.
func also(more ...string) func([]string) []string {
	return func(lines []string) []string { return append(lines, more...) }
}

// startLine replaces the first line, from what it begins with to what it shall.
func startLine(from, to string) func([]string) []string {
	return func(lines []string) []string {
		lines[0] = strings.Replace(lines[0], from, to, 1)
		return lines
	}
}

// shout changes the case of the letters in all names.
func shout(lines []string) []string {
	for i, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		lines[i+1] = strings.ToUpper(name) + ":" + value
	}
	return lines
}

// misspelt gives a field a name with one letter more.
func misspelt(name string) func([]string) []string {
	return func(lines []string) []string {
		i := named(lines, name)
		lines[i] = name + "s" + lines[i][len(name):]
		return lines
	}
}

// folded has a field's value stand in a second line (RFC 9112 §5.2).
func folded(name string) func([]string) []string {
	return func(lines []string) []string {
		i := named(lines, name)
		value := strings.TrimSpace(lines[i][len(name)+1:])
		return slices.Replace(lines, i, i+1, name+":", " "+value)
	}
}

// either marks heads that may be agreed to and refused.
func either(openings ...openingCase) []openingCase {
	for i := range openings {
		openings[i].opening.Either = true
	}
	return openings
}

// ofEach makes a case of every field.
func ofEach(names []string, description string, edit func(name string) func([]string) []string) []openingCase {
	var all []openingCase
	for _, name := range names {
		all = append(all, openingCase{fmt.Sprintf(description, name), Opening{Edit: edit(name)}})
	}
	return all
}

// opening is a case about an opening handshake, before it has its number.
type openingCase struct {
	description string
	opening     Opening
}

// numbered makes cases of one role out of openings.
func numbered(prefix string, role Role, openings []openingCase) []Case {
	var cases []Case
	for i, o := range openings {
		id := fmt.Sprintf("%s.%d", prefix, i+1)
		c := echoing(id, o.description, o.opening)
		switch {
		case o.opening.Either && role == ServerRole:
			c.Expectation = "The server refuses with an HTTP error, or agrees and echoes."
		case o.opening.Either:
			c.Expectation = "The client gives the connection up, without sending a frame, or agrees and echoes."
			c.Amend = mayGiveUp
		case o.opening.Decline:
			c.Expectation = "The server agrees without what was offered, and echoes."
		case o.opening.Refuse && role == ServerRole:
			c.Expectation = "The server refuses with an HTTP error, and takes no frame after it."
		case o.opening.Refuse:
			c.Expectation = "The client gives the connection up, without sending a frame."
		}
		c.Judges = role
		cases = append(cases, c)
	}
	return cases
}

// mustRefuse marks heads that must not be agreed to.
func mustRefuse(openings ...openingCase) []openingCase {
	for i := range openings {
		openings[i].opening.Refuse = true
	}
	return openings
}

// mayGiveUp is for responses that a client need not accept.
func mayGiveUp(r *Result) {
	if len(r.log.rxOctets) > 0 || r.streamEnd == nil {
		return
	}
	r.Behavior, r.Result = report.OK, "The client gave the connection up."
	r.BehaviorClose, r.ResultClose = report.OK, "There was no connection to close."
}

const someKey = "AQIDBAUGBwgJCgsMDQ4PEA=="

// requests is group 20: the opening handshake as a server sees it (RFC 6455 §4.2.1, RFC 7692 §7, RFC 9112).
func requests() []Case {
	fields := []string{"Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"}
	missing := ofEach(fields, "A request without %s.", without)
	var repeated []openingCase
	for _, again := range [][2]string{
		{"Host", "elsewhere.example"}, {"Sec-WebSocket-Key", someKey}, {"Sec-WebSocket-Key", ""}, {"Sec-WebSocket-Version", "8"},
	} {
		how := "with another value"
		if again[1] == "" {
			how = "with the same value"
		}
		repeated = append(repeated, openingCase{"A request with " + again[0] + " twice, " + how + ".", Opening{Edit: twice(again[0], again[1])}})
	}
	edit := func(description string, edit func([]string) []string) openingCase {
		return openingCase{description, Opening{Edit: edit}}
	}
	version := openingCase{"Version 12 of the protocol.", Opening{
		Edit: with("Sec-WebSocket-Version", "Sec-WebSocket-Version: 12"), Field: "Sec-WebSocket-Version", FieldValue: "13",
	}}
	wrong := []openingCase{
		edit("POST in place of GET.", startLine("GET", "POST")),
		edit("HTTP/1.0.", startLine("HTTP/1.1", "HTTP/1.0")),
		edit("Upgrade to something else.", with("Upgrade", "Upgrade: websockets")),
		edit("Connection without Upgrade.", with("Connection", "Connection: keep-alive")),
		edit("Connection with a longer word.", with("Connection", "Connection: Upgrades")),
		version,
		edit("A version that is no number.", with("Sec-WebSocket-Version", "Sec-WebSocket-Version: thirteen")),
		edit("An empty key.", with("Sec-WebSocket-Key", "Sec-WebSocket-Key: ")),
		edit("A key of 15 octets.", with("Sec-WebSocket-Key", "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4P")),
		edit("A key of 17 octets.", with("Sec-WebSocket-Key", "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEBE=")),
		edit("A key that is not base64.", with("Sec-WebSocket-Key", "Sec-WebSocket-Key: !!!DBAUGBwgJCgsMDQ4PEA==")),
	}
	smuggled := []openingCase{
		edit("A blank before a colon.", with("Upgrade", "Upgrade : websocket")),
		edit("A field without a name.", also(": nothing")),
		edit("A line without a colon.", also("nothing")),
		edit("A NUL in a value.", also("X-Note: a\x00b")),
		edit("A carriage return in a value.", also("X-Note: a\rb")),
		edit("Content-Length twice, with two values.", also("Content-Length: 0", "Content-Length: 5")),
		edit("Content-Length and Transfer-Encoding.", also("Content-Length: 5", "Transfer-Encoding: chunked")),
	}
	return slices.Concat(
		numbered("20.1", ServerRole, mustRefuse(missing...)),
		numbered("20.2", ServerRole, mustRefuse(repeated...)),
		numbered("20.3", ServerRole, mustRefuse(wrong...)),
		numbered("20.4", ServerRole, mustRefuse(smuggled...)),
		numbered("20.5", ServerRole, tolerated()),
		numbered("20.6", ServerRole, offers()),
		numbered("20.7", ServerRole, mustRefuse(ofEach(fields, "A request whose %s is misspelt.", misspelt)...)),
		numbered("20.8", ServerRole, either(append(
			ofEach(fields, "A request whose %s has its value in a second line.", folded),
			edit("Upgrade twice, with another protocol.", twice("Upgrade", "h2c")),
			edit("Connection twice, with close.", twice("Connection", "close")),
		)...)),
	)
}

// tolerated are requests that look odd, and that a server has to agree to.
func tolerated() []openingCase {
	return []openingCase{
		{"A request that is as usual.", Opening{}},
		{"Names of fields in capital letters.", Opening{Edit: shout}},
		{"Values in other letters: WEBSOCKET and upgrade.", Opening{Edit: func(lines []string) []string {
			return with("Connection", "Connection: upgrade")(with("Upgrade", "Upgrade: WEBSOCKET")(lines))
		}}},
		{"Connection: keep-alive, Upgrade.", Opening{Edit: with("Connection", "Connection: keep-alive, Upgrade")}},
		{"Connection in two lines.", Opening{Edit: with("Connection", "Connection: keep-alive", "Connection: Upgrade")}},
		{"Blanks and tabs around values.", Opening{Edit: with("Upgrade", "Upgrade: \t websocket \t ")}},
		{"No blank behind a colon.", Opening{Edit: with("Sec-WebSocket-Version", "Sec-WebSocket-Version:13")}},
		{"An unknown field.", Opening{Edit: also("X-Unknown: \"a, b\"; c=d")}},
		{"A field of 4,000 octets.", Opening{Edit: also("X-Long: " + strings.Repeat("x", 4000))}},
		// RFC 9112 §5.2: refused, or the line break becomes a blank.
		{"A field that goes on in a second line.", Opening{Edit: with("Connection", "Connection: keep-alive,", " Upgrade"), Either: true}},
		{"An empty value.", Opening{Edit: also("X-Empty:")}},
		{"A hundred fields.", Opening{Edit: func(lines []string) []string {
			for i := range 90 {
				lines = append(lines, fmt.Sprintf("X-Field-%d: %d", i, i))
			}
			return lines
		}}},
		{"The head octet by octet.", Opening{Chop: 1}},
		{"The head in pieces of 16 octets.", Opening{Chop: 16}},
	}
}

// offers are subprotocols that nobody knows, and extensions that nobody knows or whose parameters are wrong: a server has to
// leave them out of its answer (RFC 6455 §4.2.2, RFC 7692 §7).
func offers() []openingCase {
	deflate := func(parameters ...handshake.Param) Opening {
		return Opening{Extensions: []handshake.Extension{{Name: "permessage-deflate", Params: parameters}}, Decline: true}
	}
	return []openingCase{
		{"Two subprotocols that nobody knows.", Opening{Subprotocols: []string{"suite.one", "suite.two"}, Decline: true}},
		{"An extension that nobody knows.", Opening{Extensions: []handshake.Extension{{Name: "x-suite"}}, Decline: true}},
		{"permessage-deflate with an unknown parameter.", deflate(handshake.Param{Name: "x-suite"})},
		{"permessage-deflate with server_max_window_bits=7.", deflate(handshake.Param{Name: "server_max_window_bits", Value: "7", HasValue: true})},
		{"permessage-deflate with server_max_window_bits=16.", deflate(handshake.Param{Name: "server_max_window_bits", Value: "16", HasValue: true})},
		{"permessage-deflate with server_max_window_bits=08.", deflate(handshake.Param{Name: "server_max_window_bits", Value: "08", HasValue: true})},
		{"permessage-deflate with a parameter twice.", deflate(
			handshake.Param{Name: "server_no_context_takeover"}, handshake.Param{Name: "server_no_context_takeover"})},
		{"permessage-deflate with server_no_context_takeover=1.", deflate(
			handshake.Param{Name: "server_no_context_takeover", Value: "1", HasValue: true})},
	}
}

// responses is group 21: the opening handshake as a client sees it (RFC 6455 §4.1).
func responses() []Case {
	var wrong []openingCase
	edit := func(description string, edit func([]string) []string) {
		wrong = append(wrong, openingCase{description, Opening{Edit: edit}})
	}
	for _, name := range []string{"Upgrade", "Connection", "Sec-WebSocket-Accept"} {
		edit("A response without "+name+".", without(name))
	}
	for _, status := range []string{"200 OK", "400 Bad Request", "404 Not Found", "500 Internal Server Error"} {
		edit("A response with status "+status+".", startLine("101 Switching Protocols", status))
	}
	edit("A redirect to the same place.", func(lines []string) []string {
		return append(startLine("101 Switching Protocols", "302 Found")(lines), "Location: /", "Content-Length: 0")
	})
	edit("HTTP/1.0.", startLine("HTTP/1.1", "HTTP/1.0"))
	edit("Upgrade to something else.", with("Upgrade", "Upgrade: websockets"))
	edit("Connection: close.", with("Connection", "Connection: close"))
	edit("The accept key of another request.", with("Sec-WebSocket-Accept", "Sec-WebSocket-Accept: "+handshake.AcceptKey(someKey)))
	edit("The accept key in capital letters.", func(lines []string) []string {
		i := named(lines, "Sec-WebSocket-Accept")
		lines[i] = strings.ToUpper(lines[i])
		return lines
	})
	edit("An empty accept key.", with("Sec-WebSocket-Accept", "Sec-WebSocket-Accept: "))
	edit("A subprotocol that was not offered.", also("Sec-WebSocket-Protocol: suite.one"))
	edit("An extension that was not offered.", also("Sec-WebSocket-Extensions: x-suite"))
	edit("permessage-deflate with an unknown parameter.", also("Sec-WebSocket-Extensions: permessage-deflate; x-suite"))
	edit("permessage-deflate with server_max_window_bits=7.", also("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=7"))
	edit("permessage-deflate with a parameter twice.",
		also("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; server_no_context_takeover"))
	edit("A line without a colon.", also("nothing"))
	edit("No HTTP at all.", func([]string) []string { return []string{"hello"} })
	right := []openingCase{
		{"A response that is as usual.", Opening{}},
		{"Names of fields in capital letters.", Opening{Edit: shout}},
		{"Values in other letters: WebSocket and upgrade.", Opening{Edit: func(lines []string) []string {
			return with("Connection", "Connection: upgrade")(with("Upgrade", "Upgrade: WebSocket")(lines))
		}}},
		{"Connection: keep-alive, Upgrade.", Opening{Edit: with("Connection", "Connection: keep-alive, Upgrade")}},
		{"Another reason phrase.", Opening{Edit: startLine("Switching Protocols", "Here We Go")}},
		{"Blanks around the accept key.", Opening{Edit: func(lines []string) []string {
			i := named(lines, "Sec-WebSocket-Accept")
			name, value, _ := strings.Cut(lines[i], ":")
			lines[i] = name + ": \t" + value + " \t"
			return lines
		}}},
		{"An unknown field.", Opening{Edit: also("X-Unknown: \"a, b\"; c=d")}},
		{"The head octet by octet.", Opening{Chop: 1}},
		{"100 Continue before the response.", Opening{Edit: func(lines []string) []string {
			return append([]string{"HTTP/1.1 100 Continue", ""}, lines...)
		}}},
	}
	fields := []string{"Upgrade", "Connection", "Sec-WebSocket-Accept"}
	return slices.Concat(
		numbered("21.1", ClientRole, mustRefuse(wrong...)),
		numbered("21.2", ClientRole, right),
		numbered("21.3", ClientRole, mustRefuse(append(
			ofEach(fields, "A response whose %s is misspelt.", misspelt),
			openingCase{"The accept key twice, with another value.", Opening{Edit: twice("Sec-WebSocket-Accept", handshake.AcceptKey(someKey))}},
		)...)),
		numbered("21.4", ClientRole, either(append(
			ofEach(fields, "A response whose %s has its value in a second line.", folded),
			openingCase{"The accept key twice, with the same value.", Opening{Edit: twice("Sec-WebSocket-Accept", "")}},
			openingCase{"Upgrade twice, with the same value.", Opening{Edit: twice("Upgrade", "")}},
		)...)),
	)
}
