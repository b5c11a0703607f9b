package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// printer writes received messages.
type printer struct {
	w                            io.Writer
	whole, json, terminal, times bool
	marker                       string // before each message, where somebody types too
	now                          func() time.Time
}

func newPrinter(o *connectOptions, c *console) *printer {
	p := &printer{
		w: c.out, whole: o.whole && !c.outIsTerminal, json: o.json || c.outIsTerminal, terminal: c.outIsTerminal,
		times: o.timestamps, now: time.Now,
	}
	if c.inIsTerminal && c.outIsTerminal {
		p.marker = "< "
	}
	return p
}

// print writes a message with one call, so that it is not mixed with other output.
func (p *printer) print(m conn.Message) error {
	var out []byte
	if p.times {
		out = append(p.now().AppendFormat(out, "2006-01-02T15:04:05.000Z07:00"), ' ')
	}
	out = append(out, p.marker...)
	if p.whole {
		out = append(out, m.Data...)
	} else {
		out = append(append(out, p.text(m)...), '\n')
	}
	_, err := p.w.Write(out)
	return err
}

// text returns a message as text: binary data as base64, and JSON indented if that is wanted.
func (p *printer) text(m conn.Message) []byte {
	if m.Type == conn.Binary {
		return []byte(base64.StdEncoding.EncodeToString(m.Data))
	}
	text := m.Data
	if p.json {
		var indented bytes.Buffer
		if json.Indent(&indented, text, "", "  ") == nil {
			text = indented.Bytes()
		}
	}
	if p.terminal {
		text = []byte(escapeControls(string(text)))
	}
	return text
}
