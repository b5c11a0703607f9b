package suite

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/seed-c4549abd/wss/handshake"
)

// The extension and its parameters (RFC 7692 §7.1).
const (
	deflateName     = "permessage-deflate"
	serverAloneName = "server_no_context_takeover"
	clientAloneName = "client_no_context_takeover"
	serverBitsName  = "server_max_window_bits"
	clientBitsName  = "client_max_window_bits"

	minWindowBits = 8
	maxWindowBits = 15
)

// compression is what was agreed on, for both directions.
type compression struct {
	serverAlone, clientAlone bool
	serverBits, clientBits   int
}

// sends returns what the suite has to keep to when it compresses, as a server or as a client.
func (c *compression) sends(server bool) (bits int, alone bool) {
	if server {
		return c.serverBits, c.serverAlone
	}
	return c.clientBits, c.clientAlone
}

// offer is what a case asks the peer for: as a client by an offer, in which all say that the client would do without takeover
// and with a smaller window, and as a server by its answer to offers that say so.
type offer struct {
	alone bool // to do without context takeover
	bits  int  // a window of no more; 0: does not ask
}

func (o offer) extension() handshake.Extension {
	e := handshake.Extension{Name: deflateName, Params: []handshake.Param{{Name: clientAloneName}, {Name: clientBitsName}}}
	if o.alone {
		e.Params = append(e.Params, handshake.Param{Name: serverAloneName})
	}
	if o.bits > 0 {
		e.Params = append(e.Params, handshake.Param{Name: serverBitsName, Value: strconv.Itoa(o.bits), HasValue: true})
	}
	return e
}

func extensions(offers []offer) []handshake.Extension {
	var all []handshake.Extension
	for _, o := range offers {
		all = append(all, o.extension())
	}
	return all
}

// errNotGranted: the answer is valid, and leaves out what was asked for in every offer. RFC 7692 §7.1 has the connection
// failed; the original does not look.
var errNotGranted = errors.New("the server's answer leaves out what was asked of it in every offer")

// agreed reads what a server accepted: nil if it declined. An answer that does not fit any of the offers is an error (RFC 7692
// §5.1, §7.1), and comes with what it says if that error is errNotGranted.
func agreed(offers []offer, accepted []handshake.Extension) (*compression, error) {
	if len(accepted) == 0 {
		return nil, nil
	}
	if len(accepted) > 1 || accepted[0].Name != deflateName {
		return nil, errors.New("the server accepted more than one extension, or one that was not offered")
	}
	c := &compression{serverBits: maxWindowBits, clientBits: maxWindowBits}
	for i, p := range accepted[0].Params {
		if slices.ContainsFunc(accepted[0].Params[:i], func(other handshake.Param) bool { return other.Name == p.Name }) {
			return nil, fmt.Errorf("the server's answer has the parameter %s twice", p.Name)
		}
		if !c.set(p) {
			return nil, fmt.Errorf("the server's answer has the parameter %s %s, which cannot be", p.Name, p.Value)
		}
	}
	if !slices.ContainsFunc(offers, c.fits) {
		return c, errNotGranted
	}
	return c, nil
}

// set takes a parameter of an answer, and reports whether it is valid (RFC 7692 §7.1.1, §7.1.2).
func (c *compression) set(p handshake.Param) bool {
	bits, err := strconv.Atoi(p.Value)
	number := err == nil && bits >= minWindowBits && bits <= maxWindowBits && strconv.Itoa(bits) == p.Value
	switch p.Name {
	case serverAloneName:
		c.serverAlone = true
		return !p.HasValue
	case clientAloneName:
		c.clientAlone = true
		return !p.HasValue
	case serverBitsName:
		c.serverBits = bits
		return number
	case clientBitsName:
		c.clientBits = bits
		return number
	}
	return false
}

// fits reports whether an answer is one to this offer: what it asks of the server must be granted. A server may promise
// more, and ask of the client what every offer allows.
func (c *compression) fits(o offer) bool {
	return (!o.alone || c.serverAlone) && (o.bits == 0 || c.serverBits <= o.bits)
}

// inflater returns one for what the peer of a client compresses, or of a server.
func (c *compression) inflater(server bool) *inflater {
	if server {
		return &inflater{alone: c.clientAlone, reach: 1 << c.clientBits, limit: inflateLimit}
	}
	return &inflater{alone: c.serverAlone, reach: 1 << c.serverBits, limit: inflateLimit}
}

// accepted answers a client's offers: with the first wish that one of them has room for, and what that one asks for is granted
// (RFC 7692 §7.1). To do without takeover can be asked of every client (§7.1.1.2). Without such an offer compression is declined. Offers that are not valid are passed over.
func accepted(wishes []offer, offers []handshake.Extension) (*compression, []handshake.Extension) {
	for _, wish := range wishes {
		for _, e := range offers {
			asked, ok := readOffer(e)
			if !ok || wish.bits > 0 && asked.mayNarrow == 0 {
				continue
			}
			c := &compression{
				serverAlone: asked.alone, serverBits: asked.bits, clientAlone: wish.alone, clientBits: maxWindowBits,
			}
			if wish.bits > 0 {
				c.clientBits = min(wish.bits, asked.mayNarrow)
			}
			return c, []handshake.Extension{c.answer(wish.bits > 0)}
		}
	}
	return nil, nil
}

// answer is what a server says of what was agreed on. The client's window stands there only if it was asked for.
func (c *compression) answer(narrow bool) handshake.Extension {
	e := handshake.Extension{Name: deflateName}
	flag := func(name string, set bool) {
		if set {
			e.Params = append(e.Params, handshake.Param{Name: name})
		}
	}
	number := func(name string, bits int, set bool) {
		if set {
			e.Params = append(e.Params, handshake.Param{Name: name, Value: strconv.Itoa(bits), HasValue: true})
		}
	}
	flag(serverAloneName, c.serverAlone)
	number(serverBitsName, c.serverBits, c.serverBits < maxWindowBits)
	flag(clientAloneName, c.clientAlone)
	number(clientBitsName, c.clientBits, narrow)
	return e
}

// asked is what a client's offer asks for, and what it has room for.
type asked struct {
	alone     bool
	bits      int
	mayNarrow int // the largest window that the client may be asked for; 0: none
}

// readOffer reads an offer of permessage-deflate.
func readOffer(e handshake.Extension) (a asked, ok bool) {
	a.bits = maxWindowBits
	if e.Name != deflateName {
		return a, false
	}
	c := &compression{}
	for i, p := range e.Params {
		if slices.ContainsFunc(e.Params[:i], func(other handshake.Param) bool { return other.Name == p.Name }) {
			return a, false
		}
		if p.Name == clientBitsName && !p.HasValue {
			a.mayNarrow = maxWindowBits
			continue
		}
		if !c.set(p) {
			return a, false
		}
	}
	a.alone = c.serverAlone
	if c.serverBits > 0 {
		a.bits = c.serverBits
	}
	a.mayNarrow = max(a.mayNarrow, c.clientBits)
	return a, true
}

// inflateLimit is more than any case sends.
const inflateLimit = 32 * mib
