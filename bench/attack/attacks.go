package main

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// attacks are the rows.
func attacks() []row {
	return append(append(floods(), handshakes()...), memories()...)
}

// perByte makes a row that floods one connection.
func perByte(key, name string, deflate bool, attack func(a *arena, p *peer) (ended bool, err error)) row {
	return row{key: key, name: name, unit: "ns CPU per byte", deflate: deflate, attack: func(a *arena) (figure, error) {
		p, err := a.open()
		if err != nil {
			return figure{}, err
		}
		defer p.close()
		ended, base := false, p.wire.out
		cost, sent, err := a.cpu(func() (int64, error) {
			var err error
			ended, err = attack(a, p)
			return p.wire.out - base, err
		})
		f := figure{cost: cost, sent: sent}
		if ended {
			f.ended = sent
		} else if deflate || key == "empty-fragments" {
			f.ended = -sent
		}
		return f, err
	}}
}

func repeat(unit []byte, size int) []byte { return bytes.Repeat(unit, max(size/len(unit), 1)) }

// floods are those that cost processor time.
func floods() []row {
	hello := frame(nil, fin|text, []byte("hello"))
	// inflating sends one message of blocks that inflate to nothing.
	inflating := func(block []byte) func(*arena, *peer) (bool, error) {
		return func(a *arena, p *peer) (bool, error) {
			payload := repeat(block, 1<<15)
			return p.flood(frame(nil, rsv1|bin, payload), frame(nil, continuation, payload), a.count(32<<20),
				frame(nil, fin|continuation, block[:0:0]), 1)
		}
	}
	pings := func(size int) func(*arena, *peer) (bool, error) {
		return func(a *arena, p *peer) (bool, error) {
			return p.flood(nil, repeat(frame(nil, fin|ping, make([]byte, size)), 1<<15), a.count(4<<20), hello, 1)
		}
	}
	return []row{
		perByte("stored", "empty stored blocks in one message", true, inflating([]byte{0, 0, 0, 0xff, 0xff})),
		// Four blocks of the fixed code that hold nothing but their end: 10 bits each.
		perByte("fixed", "empty fixed blocks in one message", true, inflating([]byte{0x02, 0x08, 0x20, 0x80, 0x00})),
		perByte("records", "a byte in each TLS record, one write each", false, func(a *arena, p *peer) (bool, error) {
			n := a.count(40_000)
			return p.flood(header(nil, fin|bin, n), []byte{0}, n, nil, 1)
		}),
		perByte("pings", "empty pings", false, pings(0)),
		perByte("long-pings", "pings of 125 bytes", false, pings(125)),
		perByte("fragments", "fragments of a byte", false, func(a *arena, p *peer) (bool, error) {
			message := append(frame(nil, bin, []byte("x")), repeat(frame(nil, continuation, []byte("x")), 7<<15)...)
			message = append(message, frame(nil, fin|continuation, []byte("x"))...)
			n := max(a.count(8<<20)/len(message), 1)
			return p.flood(nil, message, n*len(message), nil, n)
		}),
		perByte("empty-fragments", "empty fragments of one message", false, func(a *arena, p *peer) (bool, error) {
			return p.flood(frame(nil, bin, nil), repeat(frame(nil, continuation, nil), 1<<15), a.count(8<<20),
				frame(nil, fin|continuation, nil), 1)
		}),
		perByte("messages", "messages of a byte", false, func(a *arena, p *peer) (bool, error) {
			unit := frame(nil, fin|bin, []byte("x"))
			chunk := repeat(unit, 1<<15)
			n := max(a.count(1<<20)/len(chunk), 1)
			return p.flood(nil, chunk, n*len(chunk), nil, n*len(chunk)/len(unit))
		}),
		{
			key: "takeover", name: "32 connections with context takeover in turn", unit: "µs CPU per message", deflate: true,
			absent: map[string]string{"gorilla": "it has no context takeover"}, attack: takeover,
		},
	}
}

// takeover has connections send short messages in turn.
func takeover(a *arena) (figure, error) {
	const conns = 32
	var all []*peer
	defer func() {
		for _, p := range all {
			p.close()
		}
	}()
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err != nil {
		return figure{}, err
	}
	fmt.Fprint(w, `{"market":"XETR","side":"buy","limit":"101.25","currency":"EUR","quantity":1200,"state":"open","order":"AX-7781"}`)
	if err := w.Flush(); err != nil {
		return figure{}, err
	}
	message := frame(nil, fin|rsv1|text, bytes.TrimSuffix(packed.Bytes(), []byte{0, 0, 0xff, 0xff}))
	for range conns {
		p, err := a.open()
		if err != nil {
			return figure{}, err
		}
		all = append(all, p)
	}
	turn := func() (n int64, err error) {
		for _, p := range all {
			if _, err := p.nc.Write(message); err != nil {
				return n, err
			}
			if err := p.messages(1); err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	}
	if _, err := turn(); err != nil {
		return figure{}, err
	}
	cost, _, err := a.cpu(func() (sum int64, err error) {
		for range a.count(100) {
			n, err := turn()
			if sum += n; err != nil {
				return sum, err
			}
		}
		return sum, nil
	})
	return figure{cost: cost / 1000}, err
}

// handshakes are those that come before there is a WebSocket.
func handshakes() []row {
	each := func(n int, open func(a *arena) error) func(a *arena) (figure, error) {
		return func(a *arena) (figure, error) {
			if err := open(a); err != nil {
				return figure{}, err
			}
			cost, _, err := a.cpu(func() (int64, error) {
				n := a.count(n)
				for range n {
					if err := open(a); err != nil {
						return 0, err
					}
				}
				return int64(n), nil
			})
			return figure{cost: cost / 1000}, err
		}
	}
	return []row{
		{key: "tls", name: "TLS handshakes, then an end", unit: "µs CPU each", attack: each(200, func(a *arena) error {
			p, err := a.secure()
			if err == nil {
				p.close()
			}
			return err
		})},
		{key: "opened", name: "opening handshakes, then an end", unit: "µs CPU each", attack: each(200, func(a *arena) error {
			p, err := a.open()
			if err == nil {
				p.close()
			}
			return err
		})},
		{key: "refused", name: "requests of another origin, without TLS", unit: "µs CPU each", plain: true, attack: each(500, func(a *arena) error {
			p, err := a.dial()
			if err != nil {
				return err
			}
			defer p.close()
			if _, err := io.WriteString(p.nc, a.request()+"Origin: https://elsewhere.example\r\n\r\n"); err != nil {
				return err
			}
			resp, err := http.ReadResponse(p.in, nil)
			if err == nil && resp.StatusCode != http.StatusForbidden {
				err = fmt.Errorf("it was answered with %s", resp.Status)
			}
			return err
		})},
		{key: "headers", name: "requests with 60 KB of header, without TLS", unit: "µs CPU each", plain: true, attack: each(100, func(a *arena) error {
			p, err := a.dial()
			if err != nil {
				return err
			}
			defer p.close()
			if _, err := io.WriteString(p.nc, a.request()+strings.Repeat("X-Filler: "+strings.Repeat("y", 48)+"\r\n", 1000)+"\r\n"); err != nil {
				return err
			}
			_, err = http.ReadResponse(p.in, nil)
			return err
		})},
	}
}

// memories are those that cost memory: how much a server keeps for a connection that sent little and stays.
func memories() []row {
	keep := func(key, name string, conns int, plain bool, after func(a *arena, p *peer) error, begin func(a *arena) (*peer, error)) row {
		return row{key: key, name: name, unit: "B kept each", plain: plain, once: true, attack: func(a *arena) (figure, error) {
			return a.kept(a.count(conns), func() (*peer, error) {
				p, err := begin(a)
				if err != nil {
					return nil, err
				}
				return p, after(a, p)
			})
		}}
	}
	sends := func(b []byte) func(*arena, *peer) error {
		return func(_ *arena, p *peer) error {
			_, err := p.nc.Write(b)
			return err
		}
	}
	below := func(b []byte) func(*arena, *peer) error { // below TLS
		return func(_ *arena, p *peer) error {
			_, err := p.wire.Write(b)
			return err
		}
	}
	open, dial := (*arena).open, (*arena).dial
	return []row{
		keep("idle", "nothing after the opening handshake", 300, false, sends(nil), open),
		keep("header", "the header of a message of 1 MiB", 300, false, sends(header(nil, fin|bin, limit)), open),
		keep("began", "that header and a byte", 300, false, sends(append(header(nil, fin|bin, limit), 0)), open),
		keep("half-header", "half a header", 300, false, sends([]byte{fin | bin, 0x80 | 127, 0}), open),
		keep("fragment", "a fragment of a byte", 300, false, sends(frame(nil, bin, []byte("x"))), open),
		keep("half-record-header", "three bytes of a TLS record", 300, false, below([]byte{23, 3, 3}), open),
		keep("half-record", "a TLS record's header and a byte", 300, false, below([]byte{23, 3, 3, 0x40, 0, 0}), open),
		keep("half-message", "half a message of 64 KiB", 300, false, sends(append(header(nil, fin|bin, 1<<16), make([]byte, 1<<15)...)), open),
		keep("many-fragments", "10,000 fragments of a byte, unfinished", 50, false,
			sends(append(frame(nil, bin, []byte("x")), bytes.Repeat(frame(nil, continuation, []byte("x")), 10_000)...)), open),
		keep("half-request", "half a request", 300, true, func(a *arena, p *peer) error {
			_, err := io.WriteString(p.nc, a.request())
			return err
		}, dial),
		keep("half-hello", "half a ClientHello", 300, false, below([]byte{22, 3, 1, 0x02, 0, 1, 0, 1, 0xfc, 3, 3}), dial),
		keep("deaf", "pings from a peer that does not read", 10, false, func(_ *arena, p *peer) error {
			chunk := repeat(frame(nil, fin|ping, make([]byte, 125)), 1<<15)
			_ = p.wire.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
			for n := 0; n < 8<<20; n += len(chunk) {
				if _, err := p.nc.Write(chunk); err != nil {
					break // the server reads no more, as it should
				}
			}
			return nil
		}, open),
	}
}
