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

// compression is what was agreed on with a server, for both directions.
type compression struct {
	serverAlone, clientAlone bool
	serverBits, clientBits   int
}

// offer is what a case offers. All say that the client would do without takeover and with a smaller window.
type offer struct {
	alone bool // asks the server to do without context takeover
	bits  int  // asks the server for a window of no more; 0: does not ask
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

// agreed reads what a server accepted: nil if it declined. An answer that does not fit any of the offers is an error, and the
// connection has to be failed (RFC 7692 §5.1, §7.1).
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
		return nil, errors.New("the server's answer leaves out what was asked of it in every offer")
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

// inflater returns one for what the server compresses.
func (c *compression) inflater() *inflater {
	return &inflater{alone: c.serverAlone, reach: 1 << c.serverBits, limit: inflateLimit}
}

// inflateLimit is more than any case sends.
const inflateLimit = 32 * mib
