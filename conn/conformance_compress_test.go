package conn

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// TestFragmentsKeepTheirTrailer: only the last one of a compressed message loses it (RFC
// 7692 §7.2.1), and only the first one has RSV1 (§6.1).
func TestFragmentsKeepTheirTrailer(t *testing.T) {
	cn, sn := ends(t, "plain")
	o := Compression{Mode: CompressionTakeover}
	server := newConn(transport.New(sn), frame.Server, "", newSettings(0, 0, 0, 0), newCompression(frame.Server, &o, params["takeover"], 0), nil)
	defer server.CloseNow()
	defer cn.Close()
	go func() {
		w, err := server.Writer(bg, Text)
		for i := 0; err == nil && i < 3; i++ {
			_, _ = w.Write(jsonText(i, 1000))
			if err = w.Flush(); i == 2 {
				_ = w.Close()
			}
		}
	}()
	for i := range 4 {
		h, p := readFrame(t, cn)
		if trailer := strings.HasSuffix(p, "\x00\x00\xff\xff"); trailer != (i < 3) || (h.RSV == frame.RSV1) != (i == 0) || h.RSV&^frame.RSV1 != 0 {
			t.Errorf("frame %d: RSV %x, trailer %v", i, h.RSV, trailer)
		}
	}
}

// TestWithoutTakeoverEveryMessageIsTheSame, which shows that its window was empty; with
// it the second refers to the first (RFC 7692 §7.2.1).
func TestWithoutTakeoverEveryMessageIsTheSame(t *testing.T) {
	for _, role := range []frame.Role{frame.Client, frame.Server} {
		for _, name := range []string{"none", "takeover"} {
			ours, theirs := ends(t, "plain")
			c := newConn(transport.New(ours), role, "", newSettings(0, 0, 0, 0), newCompression(role, new(Compression), params[name], 0), nil)
			var lengths [3]int64
			for i := range lengths {
				go func() { _ = c.Write(bg, Text, jsonText(0, 2000)) }()
				h, _ := readFrame(t, theirs)
				if h.RSV != frame.RSV1 {
					t.Fatalf("%v, %s: not compressed", role, name)
				}
				lengths[i] = h.Length
			}
			if same := lengths[0] == lengths[1] && lengths[1] == lengths[2]; same != (name == "none") || lengths[1] > lengths[0] {
				t.Errorf("%v, %s: lengths %v", role, name, lengths)
			}
			_ = c.CloseNow()
			_ = theirs.Close()
		}
	}
}

// TestNothingIsAcceptedBesideCompression, in either role, and an offer that must be
// declined is not answered at all (RFC 7692 §5).
func TestNothingIsAcceptedBesideCompression(t *testing.T) {
	addr, _ := native(t, false, &AcceptOptions{Compression: Compression{Mode: CompressionTakeover}})
	for offer, want := range map[string][]string{
		"x-mux, permessage-deflate, bbf-usp-protocol":               {"permessage-deflate"},
		"permessage-deflate; server_max_window_bits=7, x-mux":       nil,
		"x-webkit-deflate-frame; no_context_takeover; x=\"quoted\"": nil,
	} {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(nc, strings.Replace(requestHead, "\r\n\r\n", "\r\nSec-WebSocket-Extensions: "+offer+"\r\n\r\n", 1))
		resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
		if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("%s: %v, %v", offer, resp, err)
		}
		if got := resp.Header["Sec-Websocket-Extensions"]; !slices.Equal(got, want) {
			t.Errorf("%s: accepted %q", offer, got)
		}
		_ = nc.Close()
	}
	for _, accepted := range []string{"permessage-deflate, x-mux", "x-mux, permessage-deflate", "permessage-deflate, permessage-deflate"} {
		c, _, err := Dial(bg, "ws://"+answer(t, func(accept string) string {
			return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
				accept + "\r\nSec-WebSocket-Extensions: " + accepted + "\r\n\r\n"
		}), &DialOptions{Compression: Compression{Mode: CompressionTakeover}})
		if e, ok := errors.AsType[*HandshakeError](err); c != nil || !ok || e.Token != "bad_extensions" {
			t.Errorf("%s: %v", accepted, err)
		}
	}
}
