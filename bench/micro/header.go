package micro

import (
	"bytes"
	"fmt"
	"runtime"

	"github.com/gobwas/ws"
	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/frame"
)

// headerLengths are the ends of the three forms of a length (RFC 6455 §5.2).
var headerLengths = []int64{0, 125, 126, 1<<16 - 1, 1 << 16, 1 << 40}

// HeaderCases parse and append headers of all sizes, as clients send them (masked) and
// as servers do. gobwas reads from an io.Reader and writes to an io.Writer; here they are
// memory, and it is given its buffer.
func HeaderCases() []Case {
	var parse, write []Case
	for _, masked := range []bool{false, true} {
		for _, length := range headerLengths {
			h := frame.Header{Fin: true, Opcode: frame.Binary, Masked: masked, Length: length}
			role := "server"
			if masked {
				h.Key, role = [4]byte{1, 2, 3, 4}, "client"
			}
			name := fmt.Sprintf("%s, length %d", role, length)
			parse = append(parse, parseCase(name, h.Append(nil)))
			write = append(write, appendCase(name, h))
		}
	}
	return append(parse, write...)
}

// HeaderGroups are the groups of HeaderCases in their order.
func HeaderGroups() []string {
	var all []string
	for _, c := range HeaderCases() {
		all = append(all, c.Group)
	}
	return all
}

func parseCase(name string, b []byte) Case {
	var r bytes.Reader
	buf := make([]byte, ws.MaxHeaderSize)
	return Case{Group: "parse: " + name, Funcs: []Func{
		{"wss", libs.Ours, func(n int) {
			var h frame.Header
			for range n {
				_, _ = h.Parse(b)
			}
			runtime.KeepAlive(h)
		}},
		{"gobwas", libs.Peer, func(n int) {
			for range n {
				r.Reset(b)
				_, _ = ws.ReadHeaderBuffer(&r, buf)
			}
		}},
	}}
}

func appendCase(name string, h frame.Header) Case {
	buf := make([]byte, 0, frame.MaxHeaderSize)
	peer := ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: h.Masked, Mask: h.Key, Length: h.Length}
	scratch := make([]byte, ws.MaxHeaderSize)
	var w discard
	return Case{Group: "append: " + name, Funcs: []Func{
		{"wss", libs.Ours, func(n int) {
			for range n {
				runtime.KeepAlive(h.Append(buf))
			}
		}},
		{"gobwas", libs.Peer, func(n int) {
			for range n {
				_ = ws.WriteHeaderBuffer(&w, peer, scratch)
			}
		}},
	}}
}

// discard is the cheapest writer.
type discard struct{ n int }

func (d *discard) Write(p []byte) (int, error) {
	d.n += len(p)
	return len(p), nil
}
