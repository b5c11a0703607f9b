package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// newTestCompression returns what the checks of compression share, and a plan of a
// few links without mebibytes.
func newTestCompression(t *testing.T, server bool) (z *compressionBench, out fmt.Stringer, links []*link) {
	t.Helper()
	b, buf := newTestBench(t)
	z, err := newCompressionBench(b)
	if err != nil {
		t.Fatal(err)
	}
	m := &matrix{server: server}
	m.add(choice{ServerBits: 9, ClientBits: 10}, conn.CompressionTakeover, 0, 0)
	m.add(choice{ServerAlone: true, ClientAlone: true, ServerBits: 8}, conn.CompressionTakeover, 0, 0)
	m.add(choice{}, conn.CompressionNoTakeover, 12, 11)
	for n, l := range m.links {
		l.Set = 1 + n
	}
	return z, buf, m.links
}

// readPlan reads the plan that a script would get.
func readPlan(path string) (p plan) {
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	exitIf(err)
	return p
}

func exitIf(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// settings returns what our library is to say for a peer.
func (c choice) settings(server bool) conn.Compression {
	o := conn.Compression{Mode: conn.CompressionTakeover, WindowBits: c.ClientBits, PeerWindowBits: c.ServerBits, Threshold: -1}
	if server {
		o.WindowBits, o.PeerWindowBits = c.ServerBits, c.ClientBits
	}
	if c.ServerAlone && c.ClientAlone {
		o.Mode = conn.CompressionNoTakeover
	}
	return o
}

// header is the field of a response for an agreement.
func (a agreement) header() string {
	params := []string{"permessage-deflate"}
	if a.serverAlone {
		params = append(params, "server_no_context_takeover")
	}
	if a.clientAlone {
		params = append(params, "client_no_context_takeover")
	}
	return strings.Join(append(params, fmt.Sprintf("server_max_window_bits=%d", a.serverBits),
		fmt.Sprintf("client_max_window_bits=%d", a.clientBits)), "; ")
}

// fakeCompressionClient is a foreign client as its script would be.
func fakeCompressionClient(url, caFile, planFile string) {
	ca, err := tlsconf.Development(tlsconf.DevOptions{Dir: filepath.Dir(caFile)})
	exitIf(err)
	z := &compressionBench{data: newCorpus()}
	z.sets = z.data.sets()
	for _, l := range readPlan(planFile).Links {
		ctx := context.Background()
		c, res, err := conn.Dial(ctx, fmt.Sprintf("%s%s?id=%d", url, linkPath, l.ID), &conn.DialOptions{
			TLS: clientConfig(ca), Compression: l.Theirs.settings(false), MessageLimit: messageLimit,
		})
		exitIf(err)
		set := &z.sets[l.Set]
		exitIf(z.exchange(ctx, c, append(set.Messages, set.Burst...)))
		exitIf(c.Close(conn.StatusNormalClosure, ""))
		fmt.Printf("{\"connection\": %d, \"messages\": %d, \"extensions\": %q}\n",
			l.ID, set.count(), res.Header.Get("Sec-WebSocket-Extensions"))
	}
}

// fakeCompressionServer is a foreign server as its script would be. It serves the
// links of newTestCompression, and knows what will be agreed on.
func fakeCompressionServer(certFile, planFile string) {
	ca, err := tlsconf.Development(tlsconf.DevOptions{Dir: filepath.Dir(certFile)})
	exitIf(err)
	links := readPlan(planFile).Links
	for _, l := range links {
		l.ours = l.Theirs.settings(true)
	}
	s, err := startEchoes(ca, links)
	exitIf(err)
	fmt.Printf("{\"listening\": [%d]}\n", s.port)
	agreed := []agreement{
		{serverBits: 9, clientBits: 10},
		{serverAlone: true, clientAlone: true, serverBits: 8, clientBits: 15},
		{serverAlone: true, clientAlone: true, serverBits: 12, clientBits: 11},
	}
	for _, l := range links {
		saw := <-s.seen[l.ID]
		fmt.Printf("{\"connection\": %d, \"messages\": %d, \"extensions\": %q, \"error\": %q}\n",
			l.ID, saw.stats.MessagesIn, agreed[l.ID].header(), errorText(saw.err))
	}
	time.Sleep(time.Hour)
}
