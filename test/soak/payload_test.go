package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seed-c4549abd/wss/conn"
)

func TestEveryMessageIsRecognised(t *testing.T) {
	k := newCorpus(1)
	for seq := range uint32(200) {
		for _, n := range []int{0, 1, 7, 100, 5000} {
			p := k.append(nil, 9, seq, n)
			typ := typeOf(9, seq)
			if typ == conn.Text && !utf8.Valid(p) {
				t.Fatalf("message %d with %d bytes is not UTF-8", seq, n)
			}
			c := k.newChecker(9, typ)
			for piece := range bytes.Lines(p) { // in pieces of any size
				_, _ = c.Write(piece)
			}
			if got, err := c.end(); got != seq || err != nil {
				t.Fatalf("message %d with %d bytes: %d, %v", seq, n, got, err)
			}
		}
	}
	if p := k.append(nil, 1, 1, 1<<30); len(p) > 1<<20 {
		t.Errorf("the longest message has %d bytes", len(p))
	}
}

func TestEveryChangeIsSeen(t *testing.T) {
	k := newCorpus(1)
	good := k.append(nil, 9, 3, 100)
	flip := func(i int) []byte {
		p := bytes.Clone(good)
		p[i] ^= 1
		return p
	}
	for name, tt := range map[string]struct {
		p    []byte
		typ  conn.MessageType
		want string
	}{
		"another connection": {k.append(nil, 8, 4, 100), conn.Text, "came to connection 9"},
		"another type":       {good, conn.Binary, "came as binary"},
		"a changed byte":     {flip(60), conn.Text, "is not what was sent"},
		"a changed head":     {append([]byte("x"), good[1:]...), conn.Text, "the head"},
		"another length":     {flip(23), conn.Text, "message 3"},
		"too short":          {good[:80], conn.Text, "too early"},
		"half a head":        {good[:10], conn.Text, "too early"},
		"too long":           {append(bytes.Clone(good), 'x'), conn.Text, "is not what was sent"},
		"a length that lies": {[]byte("0000000900000003ffffffff"), conn.Text, "bytes long"},
	} {
		c := k.newChecker(9, tt.typ)
		_, _ = c.Write(tt.p)
		if _, err := c.end(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
